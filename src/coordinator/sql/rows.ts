/** Rows of the tables as both SQL stores have them, and the records that they stand for. */
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

export interface JobRow {
  readonly seq: number;
  readonly product: string;
  readonly id: string;
  readonly stage: WireStage;
  readonly epoch: number;
  readonly factory: string | null;
  /** SQLite knows no booleans: 0 or 1. */
  readonly held: boolean | number;
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
    held: Boolean(row.held),
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

/** JSON, or NULL for null. */
export function jsonOf(value: object | null): string | null {
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
