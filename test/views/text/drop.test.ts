import assert from 'node:assert/strict';
import { dropBefore, uriList } from '../../../src/views/text/drop.ts';

describe('what is dropped', () => {
  it('is read as a list of addresses', () => {
    assert.deepEqual(uriList('# from a file manager\r\nfile:///a.md\r\n\r\nfile:///b%20c.md\n'), [
      'file:///a.md',
      'file:///b%20c.md',
    ]);
  });

  it('goes before the queued job under it, else to the end', () => {
    const queue = ['a', 'b', 'c', 'd'];
    assert.equal(dropBefore(queue, ['d'], 'b'), 'b');
    assert.equal(dropBefore(queue, ['b', 'c'], 'b'), 'd');
    assert.equal(dropBefore(queue, ['a'], undefined), undefined);
    assert.equal(dropBefore(queue, ['a'], 'not-queued'), undefined);
  });
});
