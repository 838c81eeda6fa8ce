/** What a job costs beyond its engine: no-op jobs from the inbox to shipped, beside other ways to run a no-op. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { execa } from 'execa';
import { Store } from '../src/runner/home/store.ts';
import { type Hooks, offline } from '../src/runner/hooks.ts';
import { newState } from '../src/runner/job/moves.ts';
import { factoryOf, median, printTable, repository, scratch, timed } from './support.ts';

const JOBS = 12;

/** Median ms of a no-op job, one after the other, from `add` to its file lying in `shipped/`. */
async function perJob(home: string, cwd: string): Promise<number> {
  let told = Promise.withResolvers<string>();
  const transition: Hooks['transition'] = ({ to }) => {
    if (['shipped', 'failed', 'blocked', 'review'].includes(to)) told.resolve(to);
    return Promise.resolve();
  };
  const factory = await factoryOf(home, { ...offline, transition });
  await factory.startRunner();
  const text = `---\nengine: shell\ncwd: ${cwd}\nreview: skip\n---\nDo nothing.\n\n\`\`\`sh\ntrue\n\`\`\`\n`;
  const times: number[] = [];
  for (let n = 0; n < JOBS; n += 1) {
    told = Promise.withResolvers();
    const start = performance.now();
    await factory.add(text, 'no-op');
    const stage = await told.promise;
    times.push(performance.now() - start);
    if (stage !== 'shipped') throw new Error(`the no-op job went to ${stage}`);
  }
  await factory.dispose();
  return median(times.slice(2));
}

/** A home that holds as many shipped jobs already. */
async function homeWithHistory(count: number): Promise<string> {
  const home = scratch('history');
  const store = new Store(home);
  await store.open();
  for (let n = 0; n < count; n += 1) {
    const id = `done-${n}`;
    await mkdir(store.layout.run(id));
    await writeFile(store.layout.job('shipped', id), '---\nengine: shell\n---\nDone.\n');
    const state = { ...newState({ id, title: id, priority: 5, addedAt: n }), stage: 'shipped' };
    await writeFile(store.layout.state(id), JSON.stringify(state));
  }
  return home;
}

/** Median ms of a shell pipeline that runs a no-op many times, per no-op; undefined when the program is missing. */
function peer(program: string, args: readonly string[], count: number): number | undefined {
  try {
    const times = [1, 2, 3].map(() => {
      const start = performance.now();
      execFileSync(program, args, {
        input: Array.from({ length: count }, (_, n) => n).join('\n'),
        stdio: ['pipe', 'ignore', 'ignore'],
      });
      return (performance.now() - start) / count;
    });
    return median(times);
  } catch {
    return undefined;
  }
}

export async function benchJobs(): Promise<void> {
  const spawns: number[] = [];
  for (let n = 0; n < 40; n += 1)
    spawns.push(await timed(() => once(spawn('true', { stdio: 'ignore' }), 'exit')));
  const bare = median(spawns);
  const execas: number[] = [];
  for (let n = 0; n < 40; n += 1) execas.push(await timed(() => execa('true')));
  const small = repository(100);
  const large = repository(20_000);
  const rows: [string, number | undefined][] = [
    ['bare spawn of `true`', bare],
    ['execa of `true`', median(execas)],
    [
      'node -e 0',
      median(
        await sequence(8, () =>
          timed(() => once(spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' }), 'exit')),
        ),
      ),
    ],
    ['xargs, a no-op', peer('xargs', ['-n', '1', 'true'], 100)],
    ['GNU parallel, a no-op job', peer('parallel', ['-j1', 'true', '{}'], 50)],
    ['task-spooler, a no-op job', peer('sh', ['-c', 'while read n; do tsp -n true; done; tsp -w'], 50)],
    ['no-op job, without worktree', await perJob(scratch('home'), scratch('plain'))],
    ['no-op job, worktree, 100 files', await perJob(scratch('home'), small)],
    ['no-op job, worktree, 20,000 files', await perJob(scratch('home'), large)],
  ];
  printTable('A job from inbox to shipped (median ms)', [
    ['', 'ms', 'over bare spawn'],
    ...rows.map(([name, ms]) =>
      ms === undefined ? [name, 'not installed', ''] : [name, ms.toFixed(1), (ms - bare).toFixed(1)],
    ),
  ]);
  const history: string[][] = [['finished jobs on disk', 'ms', 'ratio']];
  let first: number | undefined;
  for (const count of [1, 100, 10_000]) {
    const ms = await perJob(await homeWithHistory(count), scratch('plain'));
    first ??= ms;
    history.push([count.toLocaleString('en'), ms.toFixed(1), (ms / first).toFixed(2)]);
  }
  printTable('The next job, with a history (median ms, without worktree)', history);
}

async function sequence<T>(count: number, work: () => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let n = 0; n < count; n += 1) results.push(await work());
  return results;
}
