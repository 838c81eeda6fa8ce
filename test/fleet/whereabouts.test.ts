import assert from 'node:assert/strict';
import type { FleetClient } from '../../src/fleet/client.ts';
import { newHeld, staleFacts } from '../../src/fleet/held.ts';
import { extended } from '../../src/fleet/lease.ts';
import { type JobView, type RunView, readRuns } from '../../src/fleet/protocol.ts';
import { whereaboutsOf } from '../../src/fleet/whereabouts.ts';
import { HOUR, MINUTE, SECOND } from '../../src/platform/clock.ts';

const NOW = 1_000_000;

function client(job: JobView, runs: readonly RunView[]): Pick<FleetClient, 'job' | 'runs'> {
  const sentAt = { wall: 0, monotonic: 0 };
  return {
    job: () => Promise.resolve({ kind: 'accepted', value: job, sentAt }),
    runs: () => Promise.resolve({ kind: 'accepted', value: runs, sentAt }),
  };
}

describe('who has a job that was taken away', () => {
  it('is told with when they took it, by this laptop’s clock', async () => {
    const runs = [
      { factoryId: 'laptop-1', epoch: 1, agoMs: HOUR },
      { factoryId: 'mac-studio', epoch: 2, agoMs: 5 * SECOND },
    ];
    const job = { jobId: 'a', stage: 'building', epoch: 2, holder: 'mac\u001b-studio' } as const;
    assert.deepEqual(await whereaboutsOf(client(job, runs), 'a', NOW), {
      stage: 'building',
      epoch: 2,
      holder: 'mac -studio',
      takenAt: NOW - 5 * SECOND,
    });
    const { holder: _unnamed, ...bare } = job;
    assert.equal((await whereaboutsOf(client(bare, runs), 'a', NOW))?.holder, 'mac-studio');
    const queued = { ...bare, stage: 'queued' } as const;
    assert.deepEqual(await whereaboutsOf(client(queued, runs), 'a', NOW), { stage: 'queued', epoch: 2 });
  });

  it('is not known where nobody answers; nothing is asked for an id that is none', async () => {
    const silent = {
      job: () => Promise.resolve({ kind: 'unreachable', why: 'gone' } as const),
      runs: () => Promise.reject(new Error('asked')),
    };
    assert.equal(await whereaboutsOf(silent, 'a', NOW), undefined);
    const asked = { job: () => Promise.reject(new Error('asked')), runs: silent.runs };
    assert.equal(await whereaboutsOf(asked, '../a', NOW), undefined);
  });

  it('has times that are only compared with the coordinator’s own', () => {
    const began = Date.UTC(2026, 9, 2, 14, 6);
    const run = { factoryId: 'mac-studio', leaseEpoch: 2, startedAt: new Date(began).toISOString() };
    assert.equal(readRuns([run], began + 90 * SECOND)?.[0]?.agoMs, 90 * SECOND);
    assert.equal(readRuns([run], began - 1)?.[0]?.agoMs, 0);
    assert.equal(readRuns([run])?.[0]?.agoMs, undefined);
    assert.equal(readRuns([{ ...run, startedAt: 'yesterday' }], began)?.[0]?.agoMs, undefined);
  });
});

describe('how an epoch went stale', () => {
  const sentAt = { wall: NOW, monotonic: 0 };
  const held = () =>
    newHeld({ id: 'a-e1', jobId: 'a', epoch: 1, leaseMs: 15 * MINUTE, stage: 'building', sentAt, jitter: 0 });
  const at = (ms: number) => ({ wall: NOW + ms, monotonic: ms });

  it('names the sleep and when the lease ran out', () => {
    const slept = { ...held(), slept: { ms: 2 * HOUR, wokeAt: NOW + 2 * HOUR } };
    assert.deepEqual(staleFacts(slept, 4, at(2 * HOUR)), {
      currentEpoch: 4,
      sleptMs: 2 * HOUR,
      wokeAt: NOW + 2 * HOUR,
      lapsedAt: NOW + 15 * MINUTE,
    });
  });

  it('names neither where it had not run out, and no sleep that a renewal has outlived', () => {
    assert.deepEqual(staleFacts(held(), undefined, at(MINUTE)), {});
    const slept = { ...held(), slept: { ms: HOUR, wokeAt: NOW + HOUR } };
    slept.lease = extended(slept.lease, undefined, at(HOUR + MINUTE));
    assert.deepEqual(staleFacts(slept, 4, at(HOUR + 2 * MINUTE)), { currentEpoch: 4 });
  });
});
