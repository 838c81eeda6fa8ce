/** Who waits for a job, where HTTP would be too coarse to see it. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Wait, Waiters } from '../../src/coordinator/server/waiters.ts';

const READY = { productId: 'p', requires: ['tool:a'] };

describe('waiters', () => {
  let waiters: Waiters;

  beforeEach(() => {
    waiters = new Waiters();
  });

  function wait(claim: () => Promise<string | undefined>, given: Partial<Wait<string>> = {}) {
    const { signal } = new AbortController();
    return waiters.wait({ productId: 'p', capabilities: ['tool:a'], ms: 2000, signal, claim, ...given });
  }

  /** Claims that are answered in this order, and then with nothing. */
  function answers(...list: (string | undefined)[]) {
    let calls = 0;
    const claim = async () => {
      calls += 1;
      return list.shift();
    };
    return { claim, calls: () => calls };
  }

  it('take along the job that a claim under way brings, though their time is over', async () => {
    for (const end of ['time', 'close'] as const) {
      const claim = Promise.withResolvers<string | undefined>();
      const waiting = wait(() => claim.promise, { ms: end === 'time' ? 20 : 2000 });
      await sleep(50);
      if (end === 'close') waiters.close();
      claim.resolve('job');
      assert.equal(await waiting, 'job');
      assert.equal(waiters.size, 0);
    }
  });

  it('do not claim for a connection that is gone', async () => {
    const { claim, calls } = answers('job');
    assert.equal(await wait(claim, { signal: AbortSignal.abort() }), undefined);
    assert.equal(calls(), 0);
  });

  it('look once more for what came while they looked', async () => {
    const first = Promise.withResolvers<string | undefined>();
    const { claim } = answers('job');
    let isFirst = true;
    const waiting = wait(() => {
      if (!isFirst) return claim();
      isFirst = false;
      return first.promise;
    });
    waiters.offer([READY]);
    first.resolve(undefined);
    assert.equal(await waiting, 'job');
  });

  it('are offered a job one after the other, and only what they can do', async () => {
    const [declines, takes, idle] = [answers(), answers(undefined, 'job'), answers()];
    const other = answers();
    const signal = new AbortController();
    const all = [
      wait(other.claim, { signal: signal.signal, capabilities: ['tool:b'] }),
      wait(other.claim, { signal: signal.signal, productId: 'q' }),
      wait(declines.claim, { signal: signal.signal }),
      wait(takes.claim, { signal: signal.signal }),
      wait(idle.claim, { signal: signal.signal }),
    ];
    await sleep(5);
    waiters.offer([READY]);
    assert.equal(await all[3], 'job');
    signal.abort();
    assert.deepEqual(await Promise.all(all), [undefined, undefined, undefined, 'job', undefined]);
    assert.deepEqual([declines.calls(), takes.calls(), idle.calls(), other.calls()], [2, 2, 1, 2]);
  });

  it('hear of a claim that failed', async () => {
    await assert.rejects(
      wait(() => Promise.reject(new Error('no disk'))),
      /no disk/,
    );
    assert.equal(waiters.size, 0);
  });
});
