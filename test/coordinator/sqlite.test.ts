/** What is the embedded store's own: its file. */
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { DEFAULT_SETTINGS } from '../../src/coordinator/settings.ts';
import { SqliteStore } from '../../src/coordinator/sqlite/store.ts';
import { removeScratch, scratchFolder } from '../runner/support/scratch.ts';
import { Desk, TestClock } from './support/worlds.ts';

describe('the embedded store', () => {
  let file: string;
  const open = () => new SqliteStore({ file, clock: new TestClock(), settings: DEFAULT_SETTINGS });

  beforeEach(() => {
    file = path.join(scratchFolder('aq-coordinator-'), 'c.db');
  });
  after(removeScratch);

  it('shows its files to nobody else', async function () {
    if (process.platform === 'win32') this.skip();
    const store = open();
    await new Desk(store).add('a');
    for (const each of [file, `${file}-wal`]) assert.equal(statSync(each).mode & 0o777, 0o600, each);
    await store.close();
  });

  it('has its file to itself', async function () {
    // It waits two seconds for one that may be just ending.
    this.timeout(20_000);
    const store = open();
    assert.throws(open, { name: 'UserError', code: 'database-in-use' });
    await store.close();
    await open().close();
  });

  it('leaves the file of a newer version alone', async () => {
    await open().close();
    const database = new DatabaseSync(file);
    database.exec('PRAGMA user_version = 99');
    database.close();
    assert.throws(open, { name: 'UserError', code: 'newer-database' });
  });

  it('refuses a file that is something else', () => {
    assert.throws(
      () =>
        new SqliteStore({ file: import.meta.filename, clock: new TestClock(), settings: DEFAULT_SETTINGS }),
    );
  });

  it('rolls back what could not be written, and goes on', async () => {
    const store = open();
    const desk = new Desk(store);
    await desk.add('a', { requires: ['tool:a'] });
    await store.close();
    const database = new DatabaseSync(file);
    database.exec(`CREATE TRIGGER full BEFORE INSERT ON bodies WHEN NEW.body_md = 'too much'
      BEGIN SELECT RAISE(ROLLBACK, 'disk full'); END`);
    database.close();
    const again = open();
    const other = new Desk(again);
    await other.add('b', { requires: ['tool:b'] });
    const added = other.add('c', { requires: ['tool:c'], bodyMd: 'too much' });
    const claimed = other.claim('f1', ['tool:a']);
    await assert.rejects(added, /disk full/);
    assert.equal((await claimed)?.id, 'a');
    await assert.rejects(other.job('c'), /job_not_found/);
    assert.equal(await other.claim('f1', ['tool:c']), undefined);
    await other.add('d', { requires: ['tool:d'] });
    await other.add('c', { requires: ['tool:c'] });
    assert.equal((await other.claim('f1', ['tool:c']))?.id, 'c');
    assert.equal((await other.claim('f1', ['tool:b']))?.id, 'b');
    await again.close();
  });
});
