/**
 * What a holder may do with its job (fleet-protocol.md, "Epoch rule", "Attempts" and rule 13). Pure. Each takes a job
 * that its caller holds (fence.ts has said so), and every accepted call gives the whole lease anew.
 */
import type { Checkpoint, WireStage } from '../../fleet/protocol.ts';
import type { JobRecord } from '../records.ts';
import { illegal, type Refusal } from '../refusal.ts';
import type { CoordinatorSettings } from '../settings.ts';
import { afterFailure, backoffAfter } from './attempts.ts';
import { type Change, told, withoutHolder } from './change.ts';
import { isSameCheckpoint } from './fence.ts';
import { extended, isLapsed } from './lease.ts';
import { endsClaim, mayReport } from './stages.ts';

export interface Report {
  readonly stage: WireStage;
  /** Null: none was sent, and the one before stays. */
  readonly checkpoint: Checkpoint | null;
}

/** A stage, and perhaps a checkpoint. What tells nothing new writes no event. */
export function report(
  job: JobRecord,
  { stage, checkpoint }: Report,
  now: number,
  settings: CoordinatorSettings,
): Change | Refusal {
  if (!mayReport(job.stage, stage)) return illegal(job.stage, stage);
  const kept = { ...job, checkpoint: checkpoint ?? job.checkpoint };
  const lastWrite = { what: 'report', stage, checkpoint, answered: stage } as const;
  if (endsClaim(stage)) {
    const after = stage === 'failed' ? failed(kept, now, settings) : { ...withoutHolder(kept), stage };
    const kind = after.stage === 'queued' ? 'retried' : after.stage === stage ? 'reported' : 'exhausted';
    const change = told(kind, job, { ...after, lastWrite: { ...lastWrite, answered: after.stage } }, now);
    return { ...change, ended: { epoch: job.epoch, end: stage, stage: job.stage } };
  }
  const after = extended({ ...kept, stage, lastWrite }, now, settings);
  const isNews = stage !== job.stage || !isSameCheckpoint(after.checkpoint, job.checkpoint);
  return isNews ? told('reported', job, after, now) : { job: after, events: [] };
}

function failed(job: JobRecord, now: number, settings: CoordinatorSettings): JobRecord {
  const counted = { ...withoutHolder(job), attempts: job.attempts + 1, failures: job.failures + 1 };
  const stage = afterFailure(counted, settings);
  if (stage === 'queued')
    return {
      ...counted,
      stage,
      reason: 'retrying',
      notBefore: now + backoffAfter(counted.failures, settings),
    };
  return { ...counted, stage, reason: stage === 'dead_letter' ? 'attempts_exhausted' : null };
}

/** A renewal tells nothing, unless the lease had lapsed: then it is revived, which people may want to know. */
export function renew(job: JobRecord, now: number, settings: CoordinatorSettings): Change {
  const after = extended(job, now, settings);
  return isLapsed(job, now) ? told('revived', job, after, now) : { job: after, events: [] };
}

/**
 * The factory gives the job back. The wire does not tell why; whatever it was (its owner's policy, a full disk, a
 * cancel on that laptop) was no fault of the job, so no attempt is counted, and whoever writes this down also notes
 * that the job is not offered to this factory for a while (`releasedForMs`).
 */
export function release(job: JobRecord, now: number): Change {
  const after: JobRecord = {
    ...withoutHolder(job),
    stage: 'queued',
    notBefore: now,
    reason: 'released',
    lastWrite: { what: 'release', stage: null, checkpoint: null, answered: 'queued' },
  };
  return {
    ...told('released', job, after, now),
    ended: { epoch: job.epoch, end: 'released', stage: job.stage },
  };
}
