/**
 * What a coordinator remembers, as its rules see it. Every time is in ms on the store's clock; null stands where a
 * database would hold NULL. Records are values: a rule returns a changed copy, and a store writes it.
 */
import type { Checkpoint, WireStage } from '../fleet/protocol.ts';

export interface JobRecord {
  readonly productId: string;
  readonly id: string;
  /** In the order of arrival, given by the store; breaks ties, and is the cursor of listings. */
  readonly seq: number;
  readonly stage: WireStage;
  /** The fencing token: how often the job has been claimed. Only a claim raises it. */
  readonly epoch: number;
  /** Who claimed it under this epoch; stays when the claim has ended. */
  readonly factoryId: string | null;
  /** Whether that claim still is one. A lapse does not end it: somebody else's claim does (rules/fence.ts). */
  readonly held: boolean;
  /** Null when it is not held. */
  readonly leaseExpiresAt: number | null;
  /** 0 to 9, higher first. */
  readonly priority: number;
  /** Capabilities that a factory must have; sorted, without repeats. */
  readonly requires: readonly string[];
  /** Ids of jobs of the product that are to be shipped before this one starts, and are not yet. */
  readonly waitsFor: readonly string[];
  /** How often it may be tried again after `failed`. */
  readonly retries: number;
  readonly enqueuedAt: number;
  /** Since when a person has wanted it: its age counts from here. */
  readonly queuedAt: number;
  /** While queued: not to be given out before. */
  readonly notBefore: number;
  /** Claims that ended by a lapse or by `failed`. */
  readonly attempts: number;
  /** Of these, the ones that ended by `failed`. */
  readonly failures: number;
  readonly checkpoint: Checkpoint | null;
  /** The epoch's last accepted write, for whoever has to repeat it. */
  readonly lastWrite: LastWrite | null;
  /** Why it is where it is, where the stage alone does not tell. */
  readonly reason: Reason | null;
  /** How many events it has. */
  readonly events: number;
}

export interface LastWrite {
  readonly what: 'report' | 'release';
  /** As it was reported; of a release null, and of a report without a checkpoint too. */
  readonly stage: WireStage | null;
  readonly checkpoint: Checkpoint | null;
  /** The stage that was answered. */
  readonly answered: WireStage;
}

export type Reason = 'cancelled' | 'attempts_exhausted' | 'retrying' | 'released' | 'requeued';

export type EventKind =
  | 'enqueued'
  | 'claimed'
  | 'reported'
  | 'revived'
  | 'lapsed'
  | 'released'
  | 'retried'
  | 'exhausted'
  | 'cancelled'
  | 'requeued'
  | 'unblocked';

/** What happened to a job. Written in the transaction of the write that it tells of. */
export interface JobEvent {
  /** From 1, without gaps within a job. */
  readonly n: number;
  readonly at: number;
  readonly kind: EventKind;
  readonly epoch: number;
  readonly factoryId: string | null;
  readonly from: WireStage | null;
  readonly to: WireStage | null;
}

export type RunEnd =
  | 'shipped'
  | 'blocked'
  | 'failed'
  | 'dead_letter'
  | 'released'
  | 'lapsed'
  | 'cancelled'
  | 'requeued';

/** One claim of a job, from beginning to end. */
export interface RunRecord {
  readonly epoch: number;
  readonly factoryId: string;
  readonly startedAt: number;
  readonly endedAt: number | null;
  /** The last stage under this epoch; of a run that has not ended, the job's own counts. */
  readonly stage: WireStage;
  readonly end: RunEnd | null;
}

export type Health = 'ok' | 'degraded' | 'draining';

export interface FactoryRecord {
  readonly productId: string;
  readonly factoryId: string;
  readonly capabilities: readonly string[];
  readonly health: Health;
  /** Running jobs ÷ capacity. */
  readonly load: number;
  readonly firstSeenAt: number;
  readonly lastSeenAt: number;
}

export type TokenRecord = {
  /** SHA-256 of the token, hex; the token itself is nowhere. */
  readonly hash: string;
  readonly createdAt: number;
} & (
  | { readonly kind: 'admin' }
  | { readonly kind: 'factory'; readonly productId: string; readonly factoryId: string }
  | {
      readonly kind: 'enrolment';
      readonly productId: string;
      /** The one factory that may use it; null: any that has no token yet. */
      readonly factoryId: string | null;
      readonly expiresAt: number;
      readonly usedAt: number | null;
    }
);

/** An accepted call under an Idempotency-Key. */
export interface KeyRecord {
  /** Whose key it is: two callers may choose the same. */
  readonly scope: string;
  readonly key: string;
  /** The same for two requests only if they ask for the same. */
  readonly fingerprint: string;
  /** The job that the answer was about, and the epoch that it had then. */
  readonly jobId: string | null;
  readonly epoch: number | null;
}
