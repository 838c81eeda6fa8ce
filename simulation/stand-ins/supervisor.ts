/** `src/runner/supervisor/{launcher,watch,records,install}.ts`: supervisors of a simulated machine. */
import type { RunBegun, RunEnd, RunOrder, StopRequest } from '../../src/runner/supervisor/contract.ts';
import type { Reading } from '../../src/runner/supervisor/records.ts';
import type { RunOutcome } from '../../src/runner/supervisor/watch.ts';
import type { CommandRun } from '../world/commands.ts';
import { here } from '../world/world.ts';

/** A run that has not begun after this long (ms) never will. */
const BEGIN_WITHIN = 5000;

function begunOf({ mark, startedAt }: CommandRun): RunBegun {
  return { version: 1, mark, supervisor: { pid: 1, startTime: '' }, startedAt };
}

export function createLauncher() {
  return {
    start(order: RunOrder): Promise<RunBegun> {
      const { commands, world } = here().machine;
      world.onCommand?.(JSON.stringify([order.command, order.args, order.env]));
      return here().effect(() =>
        begunOf(commands.find(order.dir) ?? commands.start(order, order.events !== null)),
      );
    },
    dispose: () => undefined,
  };
}

export function installSupervisor(): Promise<string> {
  return Promise.resolve('/home/user/.agent-queue/bin/supervisor.js');
}

export function readEnd(dir: string): Promise<Reading<RunEnd>> {
  const run = here().machine.commands.find(dir);
  return here().effect(() =>
    run?.end === undefined ? { state: 'absent' } : { state: 'read', value: run.end },
  );
}

export function readBegun(dir: string): Promise<Reading<RunBegun>> {
  const run = here().machine.commands.find(dir);
  return here().effect(() =>
    run === undefined ? { state: 'absent' } : { state: 'read', value: begunOf(run) },
  );
}

export function requestStop(dir: string, reason: StopRequest['reason']): Promise<void> {
  const { commands } = here().machine;
  return here().effect(() => commands.stop(dir, reason));
}

export async function endRun(dir: string, reason: StopRequest['reason']): Promise<void> {
  // A full disk is no obstacle: the supervisor is then told by a signal.
  await requestStop(dir, reason).catch(() => requestStop(dir, 'shutdown'));
  await watchRun(dir);
}

export function cleanUpLost(): Promise<number> {
  return Promise.resolve(0);
}

export function watchRun(dir: string, signal?: AbortSignal): Promise<RunOutcome> {
  const process = here();
  const { machine } = process;
  return new Promise((resolve, reject) => {
    const run = machine.commands.find(dir);
    if (run === undefined) {
      // The order never arrived: the machine lost its power, or the process was killed, in between.
      const timer = process.timer(BEGIN_WITHIN, () => resolve({ lost: true, reason: 'the run never began' }));
      signal?.addEventListener('abort', () => {
        timer.cancelled = true;
        reject(signal.reason as Error);
      });
      return;
    }
    const done = () => {
      if (run.end === undefined && !run.isLost) return;
      run.listeners.delete(done);
      signal?.removeEventListener('abort', onAbort);
      const outcome: RunOutcome =
        run.end === undefined
          ? { lost: true, begun: begunOf(run), reason: 'the supervisor has gone without a word' }
          : { lost: false, end: run.end };
      machine.world.later(machine.world.chance.between(0, 1000), () => resolve(outcome), process);
    };
    const onAbort = () => {
      run.listeners.delete(done);
      reject(signal?.reason as Error);
    };
    if (signal?.aborted) return onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });
    run.listeners.add(done);
    process.onEnd.add(() => run.listeners.delete(done));
    done();
  });
}
