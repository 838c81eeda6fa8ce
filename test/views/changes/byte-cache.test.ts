import assert from 'node:assert/strict';
import { ByteCache } from '../../../src/views/changes/byte-cache.ts';

describe('cache of files', () => {
  const loads: string[] = [];
  const load = (key: string, size: number) => () => {
    loads.push(key);
    return Promise.resolve(new Uint8Array(size));
  };
  beforeEach(() => {
    loads.length = 0;
  });

  it('loads once, also when asked twice at the same time', async () => {
    const cache = new ByteCache(10);
    await Promise.all([cache.get('a', load('a', 1)), cache.get('a', load('a', 1))]);
    await cache.get('a', load('a', 1));
    assert.deepEqual(loads, ['a']);
  });

  it('drops what was used longest ago when it is full', async () => {
    const cache = new ByteCache(10);
    await cache.get('a', load('a', 5));
    await cache.get('b', load('b', 5));
    await cache.get('a', load('a', 5));
    await cache.get('c', load('c', 5));
    await cache.get('a', load('a', 5));
    await cache.get('b', load('b', 5));
    assert.deepEqual(loads, ['a', 'b', 'c', 'b']);
  });

  it('keeps neither what is larger than itself, nor what is not there, nor a failure', async () => {
    const cache = new ByteCache(10);
    await cache.get('big', load('big', 11));
    await cache.get('big', load('big', 11));
    await assert.rejects(cache.get('bad', () => Promise.reject(new Error('no repository'))));
    assert.equal(await cache.get('bad', () => Promise.resolve(undefined)), undefined);
    assert.equal((await cache.get('bad', load('bad', 1)))?.byteLength, 1);
    assert.deepEqual(loads, ['big', 'big', 'bad']);
  });
});
