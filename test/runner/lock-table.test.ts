import assert from 'node:assert/strict';
import { LockTable } from '../../src/runner/lock-table.ts';
import { removeScratch, scratchFolder } from './support/scratch.ts';

describe('named locks', () => {
  afterEach(removeScratch);

  it('have one holder within a home and across homes', () => {
    const folder = scratchFolder();
    const [one, other] = [new LockTable(folder), new LockTable(folder)];
    assert.equal(one.take(['db'], 'a'), undefined);
    assert.deepEqual(one.take(['db'], 'b'), { name: 'db', holder: 'a' });
    assert.deepEqual(other.take(['db'], 'c'), { name: 'db', holder: 'a job of another home' });
    assert.deepEqual([...one.holders()], [['db', 'a']]);
    one.releaseAll('a');
    assert.equal(other.take(['db'], 'c'), undefined);
    other.releaseAll('c');
  });

  it('are taken all or none', () => {
    const table = new LockTable(scratchFolder());
    table.take(['two'], 'a');
    assert.deepEqual(table.take(['one', 'two'], 'b'), { name: 'two', holder: 'a' });
    assert.deepEqual([...table.holders().keys()], ['two']);
    assert.equal(table.take(['one'], 'c'), undefined);
    table.releaseAll('a');
    table.releaseAll('c');
  });

  it('can be taken again by their holder, and releases touch no others', () => {
    const table = new LockTable(scratchFolder());
    assert.equal(table.take(['db'], 'a'), undefined);
    assert.equal(table.take(['db', 'more'], 'a'), undefined);
    table.take(['other'], 'b');
    table.releaseAll('a');
    assert.deepEqual([...table.holders()], [['other', 'b']]);
    table.releaseAll('b');
  });

  it('may have any name', () => {
    const table = new LockTable(scratchFolder());
    assert.equal(table.take(['../../etc/passwd', 'a/b\0c', '😀', ''], 'a'), undefined);
    table.releaseAll('a');
  });
});
