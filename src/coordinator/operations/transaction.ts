/**
 * What an operation sees of a store: rows by key, by index, or counted up to a limit. All calls are synchronous and
 * within one transaction; one that rolls back leaves no trace of any of them.
 */
import type { WireStage } from '../../fleet/protocol.ts';
import type {
  FactoryRecord,
  JobEvent,
  JobRecord,
  KeyRecord,
  RunEnd,
  RunRecord,
  TokenRecord,
} from '../records.ts';
import type { NewJob } from '../rules/enqueue.ts';
import type { Ready } from '../store.ts';

/** Whoever asks for a job: what it can do, and what it has turned down lately. */
export interface Claimant {
  readonly productId: string;
  readonly factoryId: string;
  readonly capabilities: readonly string[];
}

export interface Transaction {
  /** ms; the same throughout a transaction. */
  readonly now: number;
  /** No other coordinator has been at work on these rows up to now. */
  readonly isAlone: boolean;

  job(productId: string, id: string): JobRecord | undefined;
  bodyOf(job: JobRecord): string;
  insert(job: NewJob, bodyMd: string): JobRecord;
  /** @param before as it was read in this transaction. */
  save(job: JobRecord, before: JobRecord): void;
  /** Newest first. */
  list(productId: string, stage: WireStage | undefined, limit: number, before: number): JobRecord[];
  held(): JobRecord[];
  /** Jobs that wait until this one is shipped. */
  waitingFor(productId: string, id: string): JobRecord[];

  /** The first by order of what it could claim now. */
  firstFor(claimant: Claimant): JobRecord | undefined;
  /** How many it could claim now; with `ahead`, of those that come before that job. Counts no further than `most`. */
  countFor(claimant: Claimant, most: number, ahead?: JobRecord): number;
  decline(job: JobRecord, factoryId: string, until: number): void;
  declinedUntil(job: JobRecord, factoryId: string): number | undefined;
  forgetDeclines(job: JobRecord): void;

  addEvent(job: JobRecord, event: JobEvent): void;
  events(job: JobRecord, after: number, limit: number): JobEvent[];
  beginRun(job: JobRecord, factoryId: string): void;
  endRun(job: JobRecord, epoch: number, end: RunEnd, stage: WireStage): void;
  runs(job: JobRecord): RunRecord[];

  factory(productId: string, factoryId: string): FactoryRecord | undefined;
  saveFactory(factory: FactoryRecord): void;
  /** Those last heard of first. */
  factories(productId: string, limit: number): (FactoryRecord & { readonly holds: number })[];
  /** Of all products, those heard of lately. May be some seconds old. */
  fleetSize(): number;

  token(hash: string): TokenRecord | undefined;
  saveToken(token: TokenRecord): void;
  isEnrolled(productId: string, factoryId: string): boolean;
  endTokensOf(productId: string, factoryId: string): void;

  key(scope: string, key: string): KeyRecord | undefined;
  saveKey(key: KeyRecord): void;
  /** Keys written before that time, and declines that are over: at most `most` of each. Whether that was all. */
  prune(keysBefore: number, most: number): boolean;

  /** Told to whoever waits, once this transaction is durable. */
  announce(ready: Ready): void;
}

/** How far back a factory was heard of that counts as one of the fleet, ms. */
export const FLEET_WINDOW_MS = 15 * 60 * 1000;
/** How old the count of the fleet may be, ms. */
export const FLEET_COUNT_MS = 5000;
