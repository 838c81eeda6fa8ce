import assert from 'node:assert/strict';
import {
  type Machine,
  plan,
  type QueuedJob,
  retryDelay,
  runOrder,
  waitText,
} from '../../../src/runner/job/schedule.ts';

const machine: Machine = {
  now: 1_000_000,
  running: 0,
  maxParallel: 2,
  locks: new Map(),
  needed: new Map(),
  lacking: new Set(),
};

function job(id: string, more: Partial<QueuedJob> = {}): QueuedJob {
  return { id, priority: 5, queuedAt: 0, settled: true, locks: [], needs: [], requires: [], ...more };
}

function waits(
  queue: readonly QueuedJob[],
  change: Partial<Machine> = {},
): Record<string, string | undefined> {
  const { waits } = plan(queue, { ...machine, ...change });
  return Object.fromEntries([...waits].map(([id, wait]) => [id, waitText(wait)]));
}

const retryAt = (at: number) => ({ at, why: 'retry' as const });

describe('run order', () => {
  it('is a person’s word, then priority, then age, then the id', () => {
    const queue = [
      job('old', { queuedAt: 1 }),
      job('b', { queuedAt: 2 }),
      job('a', { queuedAt: 2 }),
      job('important', { priority: 9, queuedAt: 3 }),
      job('now', { priority: 0, queuedAt: 4, urgent: true }),
    ];
    assert.deepEqual(
      queue.sort(runOrder).map(({ id }) => id),
      ['now', 'important', 'old', 'a', 'b'],
    );
  });
});

describe('plan', () => {
  it('starts as many as there is room for, in the run order', () => {
    const queue = [job('c', { queuedAt: 3 }), job('a', { queuedAt: 1 }), job('b', { queuedAt: 2 })];
    assert.deepEqual(plan(queue, machine).start, ['a', 'b']);
    assert.deepEqual(plan(queue, { ...machine, running: 1 }).start, ['a']);
    assert.deepEqual(plan(queue, { ...machine, running: 5 }).start, []);
  });

  it('puts what a person wants next first, within the limit', () => {
    const queue = [job('next', { urgent: true, priority: 0 }), job('a')];
    assert.deepEqual(plan(queue, { ...machine, running: 1 }).start, ['next']);
    assert.deepEqual(plan(queue, { ...machine, running: 2 }).start, []);
  });

  it('takes a retry that is further off than any can be for due: the wall clock has jumped back', () => {
    const soon = job('soon', { later: retryAt(machine.now + 5_000) });
    const jumped = job('jumped', { later: retryAt(machine.now + 3 * 86_400_000) });
    assert.deepEqual(plan([soon, jumped], machine).start, ['jumped']);
  });

  it('waits for a limit for days, and no longer than any limit lasts', () => {
    const days = (n: number) => ({ at: machine.now + n * 86_400_000, why: 'limit' as const });
    const queue = [job('a', { later: days(3) }), job('b', { later: days(9) })];
    assert.deepEqual(plan(queue, machine).start, ['b']);
    assert.match(
      waits(queue)['a'] ?? '',
      /^waits until \w{3} \d+ \w{3} \d\d:\d\d for the limit of its engine to be lifted$/,
    );
    assert.deepEqual(plan(queue, { ...machine, now: days(3).at }).start, ['a']);
  });

  it('lets a job that has to wait hold up nobody', () => {
    const queue = [job('first', { needs: ['other'] }), job('second', { queuedAt: 1 })];
    assert.deepEqual(plan(queue, { ...machine, maxParallel: 1 }).start, ['second']);
  });

  it('gives a lock to one job of a round', () => {
    const { start } = plan([job('a', { locks: ['db'] }), job('b', { queuedAt: 1, locks: ['db'] })], machine);
    assert.deepEqual(start, ['a']);
  });

  it('says what each waits for', () => {
    const queue = [
      job('writing', { settled: false }),
      job('locked', { locks: ['db'] }),
      job('pending', { needs: ['One'] }),
      job('broken', { needs: ['two'] }),
      job('missing', { needs: ['three'] }),
      job('docker', { requires: ['tool:docker'] }),
      job('later', { later: retryAt(machine.now + 1) }),
    ];
    const change: Partial<Machine> = {
      locks: new Map([['db', 'a']]),
      needed: new Map([
        ['one', 'pending'],
        ['two', 'failed'],
      ]),
      lacking: new Set(['tool:docker']),
    };
    assert.deepEqual(waits(queue, change), {
      writing: 'is still being written',
      locked: 'waits for the lock db, held by a',
      pending: 'waits until One has shipped',
      broken: 'waits for two, which has failed; retry that one first',
      missing: 'needs three, and there is no such job',
      docker: 'requires tool:docker, which this machine does not have',
      later: 'waits before it is tried again',
    });
  });

  it('starts nothing while the day’s ceiling is used up, but what a person wants all the same', () => {
    const hold = { until: machine.now + 1, unit: 'usd', text: 'until midnight: so it is' } as const;
    const queue = [
      job('a', { urgent: true }),
      job('b', { locks: ['db'] }),
      job('c', { anyway: true, urgent: true }),
      job('d', { needs: ['x'] }),
    ];
    assert.deepEqual(plan(queue, { ...machine, hold }).start, ['c']);
    assert.deepEqual(waits(queue, { hold, locks: new Map([['db', 'z']]) }), {
      a: 'is held until midnight: so it is',
      b: 'is held until midnight: so it is',
      d: 'needs x, and there is no such job',
    });
  });

  it('starts what it needed once that is there', () => {
    const queue = [job('a', { needs: ['one'], later: retryAt(machine.now), requires: ['os:linux'] })];
    assert.deepEqual(plan(queue, { ...machine, needed: new Map([['one', 'shipped']]) }).start, ['a']);
  });

  it('does not make a person wait for an automatic retry', () => {
    assert.deepEqual(plan([job('a', { later: retryAt(machine.now + 1), urgent: true })], machine).start, [
      'a',
    ]);
  });

  it('says nothing of a job that only waits for its turn', () => {
    assert.deepEqual(waits([job('a')], { running: 2 }), { a: undefined });
  });
});

it('the pause before a retry grows, up to ten minutes', () => {
  assert.deepEqual([1, 2, 3, 4, 5, 9].map(retryDelay), [5_000, 20_000, 80_000, 320_000, 600_000, 600_000]);
});
