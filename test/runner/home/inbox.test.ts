import assert from 'node:assert/strict';
import {
  appendFileSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { Inbox, isSettled } from '../../../src/runner/home/inbox.ts';
import { Layout } from '../../../src/runner/home/layout.ts';
import { jobFile } from '../support/job-file.ts';
import { removeScratch, scratchHome } from '../support/scratch.ts';

/** A clock that stands still until it is moved. */
class HandClock {
  at = Date.now();
  now = () => this.at;
  monotonic = () => this.at;
  sleep = () => Promise.reject(new Error('nobody sleeps here'));
}

describe('a file is completely written', () => {
  const now = 1_000_000;
  const written = { mtimeMs: now - 10, ctimeMs: now - 10 };

  it('when it arrived by rename', () => {
    assert.equal(isSettled({ mtimeMs: now - 10, ctimeMs: now - 9 }, now, 0), true);
  });

  it('when it has stood still, by its own time or as it was watched', () => {
    assert.equal(isSettled(written, now, 0), false);
    assert.equal(isSettled(written, now, 999), false);
    assert.equal(isSettled(written, now, 1000), true);
    assert.equal(isSettled({ mtimeMs: now - 2000, ctimeMs: now - 2000 }, now, 0), true);
  });

  it('also when the wall clock has jumped back', () => {
    assert.equal(isSettled(written, now - 86_400_000, 0), false);
    assert.equal(isSettled(written, now - 86_400_000, 1000), true);
  });
});

describe('the inbox', () => {
  let layout: Layout;
  let clock: HandClock;
  let inbox: Inbox;
  beforeEach(() => {
    layout = new Layout(scratchHome());
    clock = new HandClock();
    mkdirSync(layout.stage('queued'), { recursive: true });
    mkdirSync(layout.cache);
    inbox = new Inbox(layout, clock);
  });
  afterEach(removeScratch);

  const file = (name: string) => path.join(layout.stage('queued'), `${name}.md`);
  const names = () =>
    inbox
      .entries()
      .map(({ name }) => name)
      .sort();

  it('recalls what the last process left of it, until it has looked for itself', async () => {
    writeFileSync(file('kept'), jobFile({}));
    utimesSync(file('kept'), 1, 1);
    await inbox.refresh();
    await inbox.save();
    rmSync(file('kept'));
    inbox = new Inbox(layout, clock);
    assert.equal(await inbox.recall(), true);
    assert.deepEqual(names(), ['kept']);
    await inbox.refresh();
    assert.equal(await inbox.recall(), false);
    assert.deepEqual(names(), []);
  });

  it('knows its files and what planning needs of each', async () => {
    writeFileSync(
      file('a'),
      jobFile({ priority: 8, lock: 'db', needs: ['x'], requires: ['tool:git'], title: 'First' }),
    );
    await inbox.refresh();
    const { header } = inbox.get('a') ?? {};
    assert.deepEqual(
      [header?.priority, header?.lock, header?.needs, header?.requires, header?.title],
      [8, 'db', ['x'], ['tool:git'], 'First'],
    );
    assert.equal(inbox.get('b'), undefined);
  });

  it('passes over what is no file, and what is hidden', async () => {
    mkdirSync(file('folder'));
    symlinkSync('nowhere', file('dangling'));
    writeFileSync(path.join(layout.stage('queued'), '.a.md'), 'x');
    writeFileSync(file('job'), 'x');
    await inbox.refresh();
    assert.deepEqual(names(), ['job']);
  });

  it('is not stopped by a file that cannot be looked at', async () => {
    symlinkSync('loop.md', file('loop'));
    writeFileSync(file('job'), 'x');
    await inbox.refresh();
    assert.deepEqual(names(), ['job']);
  });

  it('waits for a file that grows, and for no other', async () => {
    writeFileSync(file('a'), 'half');
    assert.equal(await inbox.refresh(), 1000);
    assert.equal(inbox.get('a')?.settled, false);
    clock.at += 600;
    appendFileSync(file('a'), ' and the rest');
    inbox.heard('a.md');
    await inbox.refresh();
    clock.at += 600;
    await inbox.refresh();
    assert.equal(inbox.get('a')?.settled, false, 'it was written to 600 ms ago');
    clock.at += 500;
    assert.equal(await inbox.refresh(), undefined);
    assert.equal(inbox.get('a')?.settled, true);
  });

  it('takes a file that arrives by rename at once', async () => {
    const draft = path.join(layout.root, 'draft');
    writeFileSync(draft, 'whole');
    utimesSync(draft, new Date(clock.at - 50), new Date(clock.at - 50));
    renameSync(draft, file('a'));
    assert.equal(await inbox.refresh(), undefined);
    assert.equal(inbox.get('a')?.settled, true);
  });

  it('forgets what has gone and reads again what has changed', async () => {
    writeFileSync(file('a'), jobFile({ priority: 1 }));
    writeFileSync(file('b'), 'b');
    await inbox.refresh();
    rmSync(file('b'));
    writeFileSync(file('a'), jobFile({ priority: 9, title: 'Longer than before' }));
    inbox.heard(undefined);
    await inbox.refresh();
    assert.deepEqual(names(), ['a']);
    assert.equal(inbox.get('a')?.header.priority, 9);
  });

  it('finds by itself, after a while, what no watcher told of', async () => {
    await inbox.refresh();
    writeFileSync(file('silent'), 'x');
    await inbox.refresh();
    assert.deepEqual(names(), []);
    clock.at += 11_000;
    await inbox.refresh();
    assert.deepEqual(names(), ['silent']);
  });

  it('is known to the next process without reading, and rubbish in its place does no harm', async () => {
    writeFileSync(file('a'), jobFile({ priority: 7 }));
    clock.at += 5_000;
    await inbox.refresh();
    await inbox.save();
    const next = new Inbox(layout, clock);
    await next.refresh();
    assert.equal(next.get('a')?.header.priority, 7);
    for (const rubbish of ['', '{"version":1,"entries":{"a":1}}', '[]', 'null']) {
      writeFileSync(path.join(layout.cache, 'inbox.json'), rubbish);
      const again = new Inbox(layout, clock);
      await again.refresh();
      assert.equal(again.get('a')?.header.priority, 7, rubbish);
    }
  });

  it('forgets at the next start what has gone meanwhile', async () => {
    writeFileSync(file('a'), 'x');
    clock.at += 5_000;
    await inbox.refresh();
    await inbox.save();
    rmSync(file('a'));
    const next = new Inbox(layout, clock);
    await next.refresh();
    assert.deepEqual(next.entries(), []);
  });

  it('holds ten thousand files, and looks only at the one that changed', async () => {
    for (let n = 0; n < 10_000; n += 1)
      writeFileSync(file(`job-${n}`), `---\npriority: ${n % 10}\n---\nDo it.`);
    clock.at += 5_000;
    await inbox.refresh();
    assert.equal(inbox.entries().length, 10_000);
    rmSync(file('job-1'));
    writeFileSync(file('job-2'), '---\npriority: 9\n---\nDo something else.');
    inbox.heard('job-2.md');
    await inbox.refresh();
    assert.equal(inbox.get('job-2')?.header.priority, 9);
    assert.equal(inbox.entries().length, 10_000, 'nobody told of the other');
  }).timeout(20_000);
});
