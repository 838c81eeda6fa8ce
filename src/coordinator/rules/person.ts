/**
 * What a person does with a job from outside (fleet-protocol.md, "Epoch rule": cancel and requeue clear the holder,
 * and make the epoch stale; rule 10: a shipped job can be neither cancelled nor requeued). Pure.
 */
import type { JobRecord } from '../records.ts';
import { illegal, type Refusal } from '../refusal.ts';
import { type Change, told, withoutHolder } from './change.ts';
import { isOpenToPeople } from './stages.ts';

/** The wire has no stage of its own for it: a cancelled job is `failed`, with that reason. Twice is once. */
export function cancel(job: JobRecord, now: number): Change | Refusal {
  if (!isOpenToPeople(job.stage)) return illegal(job.stage, 'cancelled');
  if (!job.held && (job.stage === 'failed' || job.stage === 'dead_letter')) return { job, events: [] };
  const after: JobRecord = { ...withoutHolder(job), stage: 'failed', reason: 'cancelled' };
  return ended('cancelled', job, told('cancelled', job, after, now));
}

/**
 * To be done anew, from its checkpoint where there is one: attempts and pauses are forgotten, and its age counts from
 * now. Whoever writes it down also forgets who released it. `needs` that have not shipped still hold it back.
 */
export function requeue(job: JobRecord, now: number): Change | Refusal {
  if (!isOpenToPeople(job.stage)) return illegal(job.stage, 'queued');
  const after: JobRecord = {
    ...withoutHolder(job),
    stage: 'queued',
    reason: 'requeued',
    queuedAt: job.stage === 'queued' ? job.queuedAt : now,
    notBefore: now,
    attempts: 0,
    failures: 0,
  };
  return ended('requeued', job, told('requeued', job, after, now));
}

function ended(end: 'cancelled' | 'requeued', before: JobRecord, change: Change): Change {
  if (!before.held) return change;
  return { ...change, ended: { epoch: before.epoch, end, stage: before.stage } };
}
