/**
 * The one interface of what a coordinator remembers. Its unit is a batch of operations: they run one after the other
 * in a single transaction, on the database's clock, and their results are told after it is durable. Each operation is
 * whole by itself: one that is refused writes nothing and holds up no other.
 *
 * The same operations (operations/) and rules (rules/) serve every store. A store gives them a Transaction: rows that
 * are named by key, found by an index, or counted up to a limit; nothing asks for a whole table. So a store over a
 * network can fetch the rows that a batch names in one round trip (claims with `FOR UPDATE SKIP LOCKED`), run the very
 * same operations over them, and write what changed in another.
 */

import type { WireStage } from '../fleet/protocol.ts';
import type { FactoryRecord, Health, JobEvent, JobRecord, RunRecord, TokenRecord } from './records.ts';
import type { Refusal } from './refusal.ts';
import type { Adopt } from './rules/adopt.ts';
import type { Enqueue } from './rules/enqueue.ts';
import type { FencedCall } from './rules/fence.ts';
import type { Why } from './rules/why.ts';

/** An Idempotency-Key, whose it is, and what was asked under it. */
export interface Key {
  readonly scope: string;
  readonly key: string;
  readonly fingerprint: string;
}

interface JobKey {
  readonly productId: string;
  readonly jobId: string;
}

interface Keyed {
  readonly key?: Key | undefined;
}

export interface JobAnswer {
  readonly job: JobRecord;
  /** The store's clock: what is left of a lease is told from here. */
  readonly now: number;
}

/** Every operation: what it takes, and what it answers. */
interface Operations {
  heartbeat: [
    {
      readonly productId: string;
      readonly factoryId: string;
      readonly capabilities: readonly string[];
      readonly health: Health;
      readonly load: number;
    },
    {
      readonly nextHeartbeatSec: number;
      /** Jobs that it could claim now; counted no further than a hundred. */
      readonly claimable: number;
    },
  ];
  claim: [
    {
      readonly productId: string;
      readonly factoryId: string;
      readonly capabilities: readonly string[];
    } & Keyed,
    (JobAnswer & { readonly bodyMd: string }) | 'empty' | Refusal,
  ];
  /** `caller`: the factory that the token belongs to; null for an admin. */
  fenced: [
    JobKey & Keyed & { readonly call: FencedCall; readonly caller: string | null },
    JobAnswer | Refusal,
  ];
  enqueue: [{ readonly job: Enqueue } & Keyed, (JobAnswer & { readonly isNew: boolean }) | Refusal];
  /** `jobId`: what it is made from. */
  adopt: [JobKey & Keyed & Adopt, JobAnswer | Refusal];
  cancel: [JobKey & Keyed, JobAnswer | Refusal];
  requeue: [JobKey & Keyed, JobAnswer | Refusal];
  job: [JobKey, (JobAnswer & { readonly bodyMd: string }) | Refusal];
  /** Newest first. `before`: the `seq` of the last one of the page before. */
  jobs: [
    {
      readonly productId: string;
      readonly stage?: WireStage | undefined;
      readonly limit: number;
      readonly before?: number | undefined;
    },
    { readonly jobs: readonly JobRecord[]; readonly now: number },
  ];
  runs: [JobKey, { readonly runs: readonly RunRecord[] } | Refusal];
  /** Oldest first, those after number `after`. */
  events: [
    JobKey & { readonly after: number; readonly limit: number },
    { readonly events: readonly JobEvent[] } | Refusal,
  ];
  /** Those last heard of first. */
  factories: [
    { readonly productId: string; readonly limit: number },
    {
      readonly factories: readonly (FactoryRecord & { readonly holds: number; readonly isSilent: boolean })[];
      readonly now: number;
    },
  ];
  why: [JobKey & { readonly factoryId: string }, Why | Refusal];
  token: [{ readonly hash: string }, { readonly token: TokenRecord | undefined; readonly now: number }];
  /** A token that was made just now; `ttlMs` of an enrolment token. */
  issue: [{ readonly token: NewToken }, { readonly token: TokenRecord }];
  enrol: [
    {
      readonly hash: string;
      readonly factoryId: string;
      readonly productId?: string | undefined;
      /** Hash of the factory's own token, which becomes good with this. */
      readonly ownHash: string;
    },
    { readonly productId: string } | Refusal,
  ];
  /** A coordinator has just started: every holder gets a full lease length, if no other was there in the meantime. */
  restart: [unknown, { readonly graced: number }];
  /** Jobs whose time has come are offered (every batch does that first), and told to `onReady`. */
  tick: [unknown, { readonly now: number }];
  /** Forgets what is too old to matter, a part at a time; `isDone` false: there is more. */
  prune: [unknown, { readonly isDone: boolean }];
}

export type NewToken =
  | { readonly kind: 'admin'; readonly hash: string }
  | {
      readonly kind: 'enrolment';
      readonly hash: string;
      readonly productId: string;
      readonly factoryId: string | null;
      readonly ttlMs: number;
    };

export type OperationName = keyof Operations;
export type Operation<K extends OperationName = OperationName> = {
  [N in K]: { readonly do: N } & Operations[N][0];
}[K];
export type ResultOf<K extends OperationName> = Operations[K][1];
type Results<T extends readonly Operation[]> = { -readonly [I in keyof T]: ResultOf<T[I]['do']> };

/** A job that may be claimed now, for whoever waits for one. */
export interface Ready {
  readonly productId: string;
  readonly requires: readonly string[];
}

export interface Store {
  /**
   * Resolves when the batch is durable. Rejects with whatever the database said, and then nothing of the batch has
   * happened; refusals are results.
   */
  run<const T extends readonly Operation[]>(operations: T): Promise<Results<T>>;
  /** Told after commit, wherever the commit was made. A hint: whoever waits looks by himself now and then, too. */
  onReady(listener: (ready: readonly Ready[]) => void): () => void;
  /** What has been given to `run` is finished first. */
  close(): Promise<void>;
}

/** The database is away, and may come back. Whether what was asked has happened is not known. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
}

/** A batch of one. */
export async function ask<K extends OperationName>(
  store: Store,
  operation: Operation<K>,
): Promise<ResultOf<K>> {
  const [result] = (await store.run([operation as Operation])) as [ResultOf<K>];
  return result;
}
