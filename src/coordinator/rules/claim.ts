/**
 * Giving a job to a factory (fleet-protocol.md, "Epoch rule" and "Attempts"). Pure.
 *
 * The epoch grows by one, in the transaction of the claim. Where a lapsed lease is taken over, the claim before it
 * ends here and counts as an attempt. When that was the last attempt that the job had, it is not given out: it
 * becomes `dead_letter`. That is decided when somebody would have taken it, not when the lease lapses, so that a
 * laptop that slept through its last attempt loses nothing either if nobody else wanted the job.
 */
import type { JobRecord } from '../records.ts';
import type { CoordinatorSettings } from '../settings.ts';
import { mayTryAgain } from './attempts.ts';
import { type Change, eventOf, told, withoutHolder } from './change.ts';

/** `buried`: it was its last attempt that lapsed; the claim goes on to the next job. */
export type Giving = { readonly kind: 'given' | 'buried'; readonly change: Change };

/** @param job claimable now, by a factory that has all that it requires. */
export function give(job: JobRecord, factoryId: string, now: number, settings: CoordinatorSettings): Giving {
  if (job.held && !mayTryAgain({ ...job, attempts: job.attempts + 1 }, settings))
    return { kind: 'buried', change: buried(job, now) };
  const before: JobRecord = job.held ? { ...job, attempts: job.attempts + 1, events: job.events + 1 } : job;
  const after: JobRecord = {
    ...before,
    stage: 'assigned',
    epoch: job.epoch + 1,
    factoryId,
    held: true,
    leaseExpiresAt: now + settings.leaseMs,
    lastWrite: null,
    reason: null,
  };
  const change = told('claimed', before, after, now);
  if (!job.held) return { kind: 'given', change: { ...change, began: true } };
  return {
    kind: 'given',
    change: {
      ...change,
      events: [eventOf('lapsed', job, job, now), ...change.events],
      ended: { epoch: job.epoch, end: 'lapsed', stage: job.stage },
      began: true,
    },
  };
}

function buried(job: JobRecord, now: number): Change {
  const after: JobRecord = {
    ...withoutHolder(job),
    stage: 'dead_letter',
    attempts: job.attempts + 1,
    reason: 'attempts_exhausted',
  };
  return {
    ...told('exhausted', job, after, now),
    ended: { epoch: job.epoch, end: 'lapsed', stage: job.stage },
  };
}

/** Whether the answer to a repeated claim may be the same job again: it is still this factory's, under that epoch. */
export function isStillGiven(job: JobRecord, factoryId: string, epoch: number): boolean {
  return job.held && job.factoryId === factoryId && job.epoch === epoch;
}
