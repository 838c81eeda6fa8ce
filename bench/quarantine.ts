/** A home with many results in quarantine: what a person waits for who looks at them and settles one. */
import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { Store } from '../src/runner/home/store.ts';
import { newState } from '../src/runner/job/moves.ts';
import type { JobState } from '../src/runner/job/state.ts';
import type { QuarantineRecord } from '../src/runner/quarantine/record.ts';
import { factoryOf, printTable, scratch, timed } from './support.ts';

/** Files of each result. */
const FILES = Array.from(
  { length: 20 },
  (_, n) => ({ status: 'modified', path: `src/file-${n}.ts`, binary: false, submodule: false }) as const,
);

export async function benchQuarantine(): Promise<void> {
  const rows: string[][] = [
    ['open results', 'and settled', 'board', 'first page', 'page again', 'one entry', 'discard', 'restore'],
  ];
  for (const [open, settled] of [
    [100, 0],
    [10_000, 0],
    [10_000, 10_000],
  ] as const) {
    const home = scratch('quarantine');
    await fill(home, open, settled);
    const factory = await factoryOf(home);
    const times = [];
    times.push(await timed(() => factory.board()));
    for (let n = 0; n < 2; n++)
      times.push(await timed(() => factory.quarantine.page({ offset: 0, limit: 100 })));
    times.push(await timed(() => factory.quarantine.entry('job-7-e1')));
    for (const verb of ['discard', 'restore'] as const)
      times.push(await timed(() => factory.execute({ verb, id: 'job-7-e1' })));
    await factory.dispose();
    rows.push([open.toLocaleString('en'), settled.toLocaleString('en'), ...times.map((ms) => ms.toFixed(0))]);
  }
  printTable('Many results in quarantine (ms)', rows);
}

async function fill(home: string, open: number, settled: number): Promise<void> {
  const store = new Store(home);
  await store.open();
  const lines: string[] = [];
  for (let n = 0; n < open + settled; n += 1) {
    const id = `job-${n}-e1`;
    const state: JobState = {
      ...newState({ id, title: `Job number ${n}`, priority: 5, addedAt: n }),
      stage: 'quarantine',
      changedAt: n,
      reason: { code: 'fenced', text: 'It is under epoch 2 now.', at: n },
      claim: { jobId: `job-${n}`, epoch: 1, leaseMs: 900_000 },
    };
    // Not by `writeState`: what is measured is reading, and so many syncs would take minutes.
    await mkdir(store.layout.run(id), { recursive: true });
    await writeFile(store.layout.state(id), JSON.stringify(state));
    await writeFile(store.layout.job('quarantine', id), '# Do it\n\nMake the imports faster.\n');
    const record: QuarantineRecord = {
      version: 1,
      id,
      title: state.title,
      at: n,
      addedAt: n,
      reason: { code: 'fenced', text: 'It is under epoch 2 now.' },
      jobId: `job-${n}`,
      epoch: 1,
      prompt: store.layout.job('quarantine', id),
      work: {
        repository: '/somewhere/app',
        base: '1'.repeat(40),
        commit: '2'.repeat(40),
        workRef: `refs/agent-queue/${id}/wip`,
        baseRef: `refs/agent-queue/${id}/base`,
        fileCount: FILES.length,
        files: [...FILES],
      },
    };
    await writeFile(store.layout.quarantineRecord(id), JSON.stringify(record));
    if (n >= open)
      await writeFile(store.layout.settledMark(id), JSON.stringify({ as: 'discarded', at: Date.now() }));
    lines.push(JSON.stringify({ at: n, id, from: 'review', to: 'quarantine', code: 'fenced' }));
  }
  await appendFile(store.layout.journal, `${lines.join('\n')}\n`);
}
