import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs, { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { isJobFile, Store } from '../../../src/runner/home/store.ts';
import { move, newState } from '../../../src/runner/job/moves.ts';
import type { JobState } from '../../../src/runner/job/state.ts';
import { removeScratch, scratchHome } from '../support/scratch.ts';

const RESERVER = path.resolve(import.meta.dirname, 'fixtures/reserve.ts');

describe('the store', () => {
  let store: Store;
  beforeEach(async () => {
    store = new Store(scratchHome());
    await store.open();
  });
  afterEach(removeScratch);

  async function queued(id: string): Promise<JobState> {
    const state = newState({ id: await store.reserve(id), title: id, priority: 5, addedAt: 1 });
    await store.writeState(state);
    writeFileSync(store.layout.job('queued', id), 'Do it.');
    return state;
  }

  it('is private to the person, and opening it again changes nothing', async () => {
    await queued('a');
    await store.open();
    if (process.platform !== 'win32') assert.equal(statSync(store.layout.root).mode & 0o777, 0o700);
    assert.equal(await store.locate('a'), 'queued');
  });

  it('moves a job by one rename, with its state and a line in the journal', async () => {
    const state = await queued('a');
    const next = move(state, 'failed', 2, { code: 'x', text: 'Why.' });
    await store.transition(next, 'queued');
    assert.deepEqual(await store.readState('a'), next);
    assert.deepEqual(await store.stagesOf('a'), ['failed']);
    assert.deepEqual(
      readFileSync(store.layout.journal, 'utf8'),
      '{"at":2,"id":"a","from":"queued","to":"failed","code":"x"}\n',
    );
  });

  it('refuses to move what somebody else has moved, and leaves that as it is', async () => {
    const state = await queued('a');
    await store.transition(move(state, 'failed', 2), 'queued');
    await assert.rejects(store.transition(move(state, 'assigned', 3), 'queued'), { code: 'ENOENT' });
    assert.deepEqual(await store.stagesOf('a'), ['failed']);
  });

  it('of one claim and many who try, one succeeds', async () => {
    const state = await queued('a');
    const tries = await Promise.allSettled(
      Array.from({ length: 8 }, () => store.transition(move(state, 'assigned', 2), 'queued')),
    );
    assert.equal(tries.filter(({ status }) => status === 'fulfilled').length, 1);
  });

  it('knows no job that is not there, and finds one that was dropped beside another of its name', async () => {
    assert.equal(await store.locate('nobody'), undefined);
    const state = await queued('a');
    await store.transition(move(state, 'shipped', 2), 'queued');
    writeFileSync(store.layout.job('queued', 'a'), 'Another.');
    assert.deepEqual(await store.stagesOf('a'), ['queued', 'shipped']);
    assert.equal(await store.locate('a'), 'shipped');
  });

  it('finds a job that is moved while it is looked for', async () => {
    const assigned = move(await queued('a'), 'assigned', 2);
    await store.transition(assigned, 'queued');
    const { stat } = fs.promises;
    let isMoved = false;
    // It is looked for where it comes to before the move, and where it was after it.
    const late = async (file: fs.PathLike) => {
      if (!isMoved && file === store.layout.job('assigned', 'a')) {
        isMoved = true;
        await store.transition(move(assigned, 'building', 3), 'assigned');
      }
      return stat(file);
    };
    fs.promises.stat = late as typeof stat;
    syncBuiltinESMExports();
    try {
      assert.equal(await store.locate('a'), 'building');
    } finally {
      fs.promises.stat = stat;
      syncBuiltinESMExports();
    }
  });

  it('sets a state aside that cannot be read', async () => {
    for (const [id, content] of [
      ['cut', '{"version":1,"id":"cu'],
      ['empty', ''],
      ['other', '{"version":1}'],
      ['newer', JSON.stringify({ ...(await queued('newer')), version: 2 })],
    ] as const) {
      await queued(`${id}-x`);
      writeFileSync(store.layout.state(`${id}-x`), content);
      assert.equal(await store.readState(`${id}-x`), undefined, id);
      assert.equal(readFileSync(`${store.layout.state(`${id}-x`)}.unreadable`, 'utf8'), content);
    }
    assert.equal(await store.readState('nobody'), undefined);
  });

  it('reserves an id once, whatever its case', async () => {
    assert.equal(await store.reserve('a'), 'a');
    assert.equal(await store.reserve('a'), 'a-2');
    assert.equal(await store.reserve('A'), 'A-3');
    assert.deepEqual(readdirSync(store.layout.runs).sort(), ['a', 'a-2', 'a-3']);
  });

  it('reserves no id whose file a person has just dropped, but for that file', async () => {
    writeFileSync(store.layout.job('queued', 'a'), 'Dropped.');
    assert.equal(await store.reserve('a'), 'a-2');
    assert.equal(await store.reserve('a', 'a'), 'a');
  });

  it('keeps a numbered id within the length that fits', async () => {
    const long = 'x'.repeat(128);
    assert.equal(await store.reserve(long), long);
    assert.equal(await store.reserve(long), `${'x'.repeat(126)}-2`);
  });

  it('gives processes that ask for one name at the same time different ids', async () => {
    const processes = [1, 2].map(() =>
      spawn(process.execPath, [RESERVER, store.layout.root, '60'], { stdio: ['ignore', 'pipe', 'inherit'] }),
    );
    const outputs = await Promise.all(processes.map(({ stdout }) => text(stdout)));
    const ids = outputs.flatMap((output) => output.trim().split('\n'));
    assert.equal(ids.length, 120);
    assert.equal(new Set(ids).size, 120);
    assert.ok(existsSync(store.layout.run('same-120')));
  }).timeout(10_000);

  it('lists job files only', async () => {
    await queued('a');
    for (const name of ['.hidden.md', '.md', 'notes.txt', 'b.MD', 'c.md~'])
      writeFileSync(path.join(store.layout.stage('queued'), name), 'x');
    assert.deepEqual(await store.list('queued'), ['a']);
    assert.equal(isJobFile('..md'), false);
  });
});
