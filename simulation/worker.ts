/** Runs seeds, as they are sent, one after the other. The product is loaded here, over simulated machines. */
import { parentPort, workerData } from 'node:worker_threads';
import { interpose, type Mutation } from './interpose.ts';
import type { Answer, Task } from './protocol.ts';

// Files that are not there are asked for all the time, and nobody reads where an error came from.
Error.stackTraceLimit = 0;
const { mutation } = workerData as { readonly mutation?: Mutation };
interpose(mutation);
const { planOf } = await import('./fleet/plan.ts');
const { run } = await import('./fleet/run.ts');
const { replayed, shrink } = await import('./shrink.ts');

function answer(task: Task): Answer {
  const before = process.threadCpuUsage();
  const made = carriedOut(task);
  const { user, system } = process.threadCpuUsage(before);
  return { ...made, cpuMs: (user + system) / 1000 };
}

function carriedOut(task: Task): Omit<Answer, 'cpuMs'> {
  const { seed, left } = task;
  if (task.do === 'shrink') {
    const less = shrink(seed, left, task.rule, task.budgetMs);
    return { ...told(seed, replayed(seed, less)), left: less };
  }
  return told(seed, task.traced ? replayed(seed, left) : run(planOf(seed, new Set(left))));
}

function told(seed: number, outcome: ReturnType<typeof run>): Omit<Answer, 'cpuMs'> {
  const { plan, violation, world, took, steps, tally } = outcome;
  return {
    seed,
    left: [],
    ...(violation !== undefined && { broken: { rule: violation.rule, message: violation.message } }),
    factoryMs: took * plan.machines.length,
    steps,
    tally,
    ...(world.trace.isOn && { timeline: world.trace.text(), digest: world.trace.digest() }),
  };
}

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
parentPort?.on('message', (task: Task) => parentPort?.postMessage(answer(task)));
