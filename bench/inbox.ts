/** Filling the Inbox view from a home with many job files: the board, cold and from the index. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Store } from '../src/runner/home/store.ts';
import { factoryOf, printTable, scratch, timed } from './support.ts';

export async function benchInbox(): Promise<void> {
  const rows: string[][] = [['job files', 'cold scan', 'first rows', 'with the index', 'again']];
  for (const count of [100, 1_000, 10_000]) {
    const home = scratch('inbox');
    const store = new Store(home);
    await store.open();
    const filler = 'Make the imports faster, and keep the tests green.\n'.repeat(58);
    for (let n = 0; n < count; n += 1) {
      const text = `---\nengine: claude\ncwd: ~/code/app\npriority: ${n % 10}\n---\n# Job number ${n}\n\n${filler}`;
      await writeFile(path.join(store.layout.stage('queued'), `job-${n}.md`), text);
    }
    // Files count as completely written when they have stood still.
    await new Promise((resolve) => setTimeout(resolve, 2_100));
    const first = await factoryOf(home);
    const cold = await timed(() => first.board());
    await first.dispose();
    const window = await factoryOf(home);
    const firstRows = await timed(() => window.board({ atOnce: true }));
    await window.dispose();
    const second = await factoryOf(home);
    const warm = await timed(() => second.board());
    const again = await timed(() => second.board());
    await second.dispose();
    rows.push([
      count.toLocaleString('en'),
      cold.toFixed(0),
      firstRows.toFixed(0),
      warm.toFixed(0),
      again.toFixed(0),
    ]);
  }
  printTable('All rows of the Inbox (ms)', rows);
}
