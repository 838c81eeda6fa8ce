/** Rows of the tables, and the records that they stand for. */
import type { Checkpoint, WireStage } from '../../fleet/protocol.ts';
import type {
  EventKind,
  FactoryRecord,
  Health,
  JobEvent,
  JobRecord,
  LastWrite,
  Reason,
  RunEnd,
  RunRecord,
  TokenRecord,
} from '../records.ts';
import type { NewJob } from '../rules/enqueue.ts';
import { claimableFrom } from '../rules/lease.ts';
import { orderKey } from '../rules/order.ts';

export interface JobRow {
  readonly seq: number;
  readonly product: string;
  readonly id: string;
  readonly stage: WireStage;
  readonly epoch: number;
  readonly factory: string | null;
  readonly held: boolean;
  readonly lease_expires_at: number | null;
  readonly priority: number;
  readonly shelf: number;
  readonly waits_for: string;
  readonly retries: number;
  readonly enqueued_at: number;
  readonly queued_at: number;
  readonly not_before: number;
  readonly attempts: number;
  readonly failures: number;
  readonly checkpoint: string | null;
  readonly last_write: string | null;
  readonly reason: Reason | null;
  readonly events: number;
  readonly ready: boolean;
  readonly due_at: number | null;
}

const NOTHING: readonly string[] = [];

export function jobOf(row: JobRow, requires: readonly string[]): JobRecord {
  return {
    productId: row.product,
    id: row.id,
    seq: row.seq,
    stage: row.stage,
    epoch: row.epoch,
    factoryId: row.factory,
    held: row.held,
    leaseExpiresAt: row.lease_expires_at,
    priority: row.priority,
    requires,
    waitsFor: row.waits_for === '' ? NOTHING : row.waits_for.split(' '),
    retries: row.retries,
    enqueuedAt: row.enqueued_at,
    queuedAt: row.queued_at,
    notBefore: row.not_before,
    attempts: row.attempts,
    failures: row.failures,
    checkpoint: row.checkpoint === null ? null : (JSON.parse(row.checkpoint) as Checkpoint),
    lastWrite: row.last_write === null ? null : (JSON.parse(row.last_write) as LastWrite),
    reason: row.reason,
    events: row.events,
  };
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

function jsonOf(value: object | null): string | null {
  return value === null ? null : JSON.stringify(value);
}

export interface EventRow {
  readonly n: number;
  readonly at: number;
  readonly kind: EventKind;
  readonly epoch: number;
  readonly factory: string | null;
  readonly from_stage: WireStage | null;
  readonly to_stage: WireStage | null;
}

export function eventOf({ n, at, kind, epoch, factory, from_stage, to_stage }: EventRow): JobEvent {
  return { n, at, kind, epoch, factoryId: factory, from: from_stage, to: to_stage };
}

export interface RunRow {
  readonly epoch: number;
  readonly factory: string;
  readonly started_at: number;
  readonly ended_at: number | null;
  readonly stage: WireStage;
  readonly ended_by: RunEnd | null;
}

export function runOf({ epoch, factory, started_at, ended_at, stage, ended_by }: RunRow): RunRecord {
  return { epoch, factoryId: factory, startedAt: started_at, endedAt: ended_at, stage, end: ended_by };
}

export interface FactoryRow {
  readonly product: string;
  readonly factory: string;
  readonly capabilities: string;
  readonly health: Health;
  readonly load: number;
  readonly first_seen_at: number;
  readonly last_seen_at: number;
}

export function factoryOf(row: FactoryRow): FactoryRecord {
  return {
    productId: row.product,
    factoryId: row.factory,
    capabilities: JSON.parse(row.capabilities) as string[],
    health: row.health,
    load: row.load,
    firstSeenAt: row.first_seen_at,
    lastSeenAt: row.last_seen_at,
  };
}

export interface TokenRow {
  readonly hash: string;
  readonly kind: TokenRecord['kind'];
  readonly product: string | null;
  readonly factory: string | null;
  readonly created_at: number;
  readonly expires_at: number | null;
  readonly used_at: number | null;
}

export function tokenOf(row: TokenRow): TokenRecord {
  const { hash, kind, factory, created_at: createdAt, used_at: usedAt } = row;
  const productId = row.product ?? '';
  switch (kind) {
    case 'admin':
      return { kind, hash, createdAt };
    case 'factory':
      return { kind, hash, createdAt, productId, factoryId: factory ?? '' };
    case 'enrolment':
      return { kind, hash, createdAt, productId, factoryId: factory, expiresAt: row.expires_at ?? 0, usedAt };
  }
}

export interface KeyRow {
  readonly fingerprint: string;
  readonly job: string | null;
  readonly epoch: number | null;
}
