/** What PostgreSQL's tables have beside the rows that both SQL stores share: phases, and when a job is claimable. */
import type { WireStage } from '../../fleet/protocol.ts';
import type { NewJob } from '../rules/enqueue.ts';
import { claimableFrom } from '../rules/lease.ts';
import { orderKey } from '../rules/order.ts';
import { jsonOf, type JobRow as SharedJobRow } from '../sql/rows.ts';

export interface JobRow extends SharedJobRow {
  readonly ready: boolean;
  readonly due_at: number | null;
}

const PHASES = ['queued', 'held', 'shipped', 'blocked', 'failed', 'dead_letter'] as const;

/** Under which phases a stage is found; of all: under all. */
export function phasesOf(stage: WireStage | null): readonly string[] {
  if (stage === null) return PHASES;
  return [PHASES.find((phase) => phase === stage) ?? 'held'];
}

/** All that may change of a job, as the statements name it. `dueAt`: as it stands in the row. */
export function changingOf(job: NewJob, now: number, dueAt: number | null) {
  const from = claimableFrom(job);
  const isReady = from !== undefined && from <= now;
  return {
    stage: job.stage,
    phase: job.held ? 'held' : job.stage,
    epoch: job.epoch,
    factory: job.factoryId,
    held: job.held,
    lease_expires_at: job.leaseExpiresAt,
    waits_for: job.waitsFor.join(' '),
    queued_at: job.queuedAt,
    not_before: job.notBefore,
    attempts: job.attempts,
    failures: job.failures,
    checkpoint: jsonOf(job.checkpoint),
    last_write: jsonOf(job.lastWrite),
    reason: job.reason,
    events: job.events,
    order_key: orderKey(job),
    ready: isReady,
    claimable_at: from ?? null,
    due_at: isReady ? null : lookAgainAt(job, from, dueAt),
  };
}

/** An earlier look does no harm, and leaves the index as it is (schema.ts). */
function lookAgainAt({ held }: NewJob, from: number | undefined, dueAt: number | null): number | null {
  const isEarlier = dueAt !== null && held && (from === undefined || dueAt <= from);
  return isEarlier ? dueAt : (from ?? null);
}

export interface KeyRow {
  readonly fingerprint: string;
  readonly job: string | null;
  readonly epoch: number | null;
}
