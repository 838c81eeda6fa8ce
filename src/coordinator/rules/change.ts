/** What a rule wants written: the job as it is to be, and what is to be told of it. Pure. */
import type { WireStage } from '../../fleet/protocol.ts';
import type { EventKind, JobEvent, JobRecord, RunEnd } from '../records.ts';

export interface Change {
  readonly job: JobRecord;
  readonly events: readonly JobEvent[];
  /** A claim ended: how, in which stage, and whose it was. */
  readonly ended?: {
    readonly epoch: number;
    readonly end: RunEnd;
    readonly stage: WireStage;
  };
  /** A claim began under the job's new epoch. */
  readonly began?: true;
}

/** The event that took `before` to `after`; of a claim that ended, who had it and under which epoch. */
export function told(kind: EventKind, before: JobRecord, after: JobRecord, now: number): Change {
  return { job: { ...after, events: before.events + 1 }, events: [eventOf(kind, before, after, now)] };
}

export function eventOf(kind: EventKind, before: JobRecord, after: JobRecord, now: number): JobEvent {
  const { epoch, factoryId } = after;
  return { n: before.events + 1, at: now, kind, epoch, factoryId, from: before.stage, to: after.stage };
}

/** The same job without a holder: nothing under its epoch is accepted any more, but a repeat. */
export function withoutHolder(job: JobRecord): JobRecord {
  return { ...job, held: false, leaseExpiresAt: null };
}
