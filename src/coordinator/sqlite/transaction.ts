/** The rows of the embedded store, within the transaction that the store has open. */
import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { WireStage } from '../../fleet/protocol.ts';
import {
  type Claimant,
  FLEET_COUNT_MS,
  FLEET_WINDOW_MS,
  type Transaction,
} from '../operations/transaction.ts';
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
import { claimableFrom } from '../rules/lease.ts';
import { orderKey } from '../rules/order.ts';
import * as rows from '../sql/rows.ts';
import type { Ready } from '../store.ts';
import { Shelves } from './shelves.ts';
import { prepare, type Statements } from './statements.ts';

export class SqliteTransaction implements Transaction {
  now = 0;
  /** The file is locked. */
  readonly isAlone = true;
  announced: Ready[] = [];
  readonly #statements: Statements;
  readonly #shelves: Shelves;
  #fleet: { readonly size: number; readonly at: number } | undefined;

  constructor(database: DatabaseSync) {
    this.#statements = prepare(database);
    this.#shelves = new Shelves(this.#statements);
  }

  /** The transaction is open: first those are offered whose time has come. */
  begin(now: number): void {
    this.now = now;
    this.announced = [];
    // The look is a tenth of the update's cost, and mostly nothing is due.
    if (this.#statements.isDue.get(this.now) === undefined) return;
    for (const row of this.#statements.due.all(this.now))
      this.announce(this.#shelves.at(Number(row['shelf'])));
  }

  rolledBack(): void {
    this.announced = [];
    this.#shelves.reload();
  }

  job(productId: string, id: string): JobRecord | undefined {
    return this.#one(this.#statements.job.get(productId, id));
  }

  bodyOf({ seq }: JobRecord): string {
    return String(this.#statements.body.get(seq)?.['body_md'] ?? '');
  }

  insert(job: NewJob, bodyMd: string): JobRecord {
    const { ready, dueAt } = this.#standing(job);
    const { lastInsertRowid } = this.#statements.insert.run(
      ...[job.productId, job.id, job.stage, job.epoch, job.factoryId, Number(job.held), job.leaseExpiresAt],
      ...[job.priority, this.#shelves.for(job.productId, job.requires), job.waitsFor.join(' '), job.retries],
      ...[job.enqueuedAt, job.queuedAt, job.notBefore, job.attempts, job.failures],
      ...[rows.jsonOf(job.checkpoint), rows.jsonOf(job.lastWrite), job.reason, job.events],
      ...[orderKey(job), ready, dueAt],
    );
    const seq = Number(lastInsertRowid);
    this.#statements.insertBody.run(seq, bodyMd);
    for (const need of job.waitsFor) this.#statements.insertWait.run(job.productId, need, seq);
    return { ...job, seq };
  }

  save(job: JobRecord, before: JobRecord): void {
    const { ready, dueAt } = this.#standing(job);
    const staysHeld = before.held && job.held && job.epoch === before.epoch;
    if (!staysHeld) {
      this.#statements.save.run(
        ...[
          job.stage,
          job.epoch,
          job.factoryId,
          Number(job.held),
          job.leaseExpiresAt,
          job.waitsFor.join(' '),
        ],
        ...[job.queuedAt, job.notBefore, job.attempts, job.failures],
        ...[rows.jsonOf(job.checkpoint), rows.jsonOf(job.lastWrite), job.reason, job.events],
        ...[orderKey(job), ready, dueAt, job.seq],
      );
    } else if (job.lastWrite === before.lastWrite && job.events === before.events) {
      this.#statements.saveLease.run(job.leaseExpiresAt, ready, dueAt, job.seq);
    } else {
      const { stage, leaseExpiresAt, checkpoint, lastWrite, events, seq } = job;
      const json = [rows.jsonOf(checkpoint), rows.jsonOf(lastWrite)];
      this.#statements.saveHeld.run(stage, leaseExpiresAt, ...json, events, ready, dueAt, seq);
    }
    if (before.waitsFor.length === 0) return;
    for (const need of before.waitsFor)
      if (!job.waitsFor.includes(need)) this.#statements.deleteWait.run(job.productId, need, job.seq);
  }

  list(productId: string, stage: WireStage | undefined, limit: number, before: number): JobRecord[] {
    return this.#all(
      stage === undefined
        ? this.#statements.list.all(productId, before, limit)
        : this.#statements.listStage.all(productId, stage, before, limit),
    );
  }

  held(): JobRecord[] {
    return this.#all(this.#statements.held.all());
  }

  waitingFor(productId: string, id: string): JobRecord[] {
    return this.#all(this.#statements.waiting.all(productId, id));
  }

  firstFor({ productId, factoryId, capabilities }: Claimant): JobRecord | undefined {
    const shelves = this.#shelves.fitting(productId, capabilities);
    return this.#one(this.#statements.first.get(shelves, factoryId, this.now));
  }

  countFor({ productId, factoryId, capabilities }: Claimant, most: number, ahead?: JobRecord): number {
    const shelves = this.#shelves.fitting(productId, capabilities);
    const [key, seq] = ahead === undefined ? [Number.MAX_SAFE_INTEGER, 0] : [orderKey(ahead), ahead.seq];
    return countIn(this.#statements.count.get(shelves, factoryId, this.now, key, seq, most));
  }

  decline({ seq }: JobRecord, factoryId: string, until: number): void {
    this.#statements.decline.run(seq, factoryId, until);
  }

  declinedUntil({ seq }: JobRecord, factoryId: string): number | undefined {
    const row = this.#statements.declined.get(seq, factoryId);
    return row === undefined ? undefined : Number(row['until']);
  }

  forgetDeclines({ seq }: JobRecord): void {
    this.#statements.forgetDeclines.run(seq);
  }

  addEvent({ seq }: JobRecord, event: JobEvent): void {
    const { n, at, kind, epoch, factoryId, from, to } = event;
    this.#statements.insertEvent.run(seq, n, at, kind, epoch, factoryId, from, to);
  }

  events({ seq }: JobRecord, after: number, limit: number): JobEvent[] {
    return (this.#statements.events.all(seq, after, limit) as unknown as rows.EventRow[]).map(rows.eventOf);
  }

  beginRun({ seq, epoch, stage }: JobRecord, factoryId: string): void {
    this.#statements.beginRun.run(seq, epoch, factoryId, this.now, stage);
  }

  endRun({ seq }: JobRecord, epoch: number, end: RunEnd, stage: WireStage): void {
    this.#statements.endRun.run(this.now, end, stage, seq, epoch);
  }

  runs({ seq }: JobRecord): RunRecord[] {
    return (this.#statements.runs.all(seq) as unknown as rows.RunRow[]).map(rows.runOf);
  }

  factory(productId: string, factoryId: string): FactoryRecord | undefined {
    const row = this.#statements.factory.get(productId, factoryId);
    return row === undefined ? undefined : rows.factoryOf(row as unknown as rows.FactoryRow);
  }

  saveFactory(factory: FactoryRecord): void {
    const { productId, factoryId, capabilities, health, load, firstSeenAt, lastSeenAt } = factory;
    const json = JSON.stringify(capabilities);
    this.#statements.saveFactory.run(productId, factoryId, json, health, load, firstSeenAt, lastSeenAt);
  }

  factories(productId: string, limit: number): (FactoryRecord & { readonly holds: number })[] {
    const list = this.#statements.factories.all(productId, limit) as unknown as (rows.FactoryRow & {
      readonly holds: number;
    })[];
    return list.map((row) => ({ ...rows.factoryOf(row), holds: row.holds }));
  }

  fleetSize(): number {
    if (this.#fleet === undefined || this.now - this.#fleet.at >= FLEET_COUNT_MS) {
      const size = countIn(this.#statements.fleetSize.get(this.now - FLEET_WINDOW_MS));
      this.#fleet = { size, at: this.now };
    }
    return this.#fleet.size;
  }

  token(hash: string): TokenRecord | undefined {
    const row = this.#statements.token.get(hash);
    return row === undefined ? undefined : rows.tokenOf(row as unknown as rows.TokenRow);
  }

  saveToken(token: TokenRecord): void {
    const { hash, kind, createdAt } = token;
    const [productId, factoryId] = kind === 'admin' ? [null, null] : [token.productId, token.factoryId];
    const [expiresAt, usedAt] = kind === 'enrolment' ? [token.expiresAt, token.usedAt] : [null, null];
    this.#statements.saveToken.run(hash, kind, productId, factoryId, createdAt, expiresAt, usedAt);
  }

  isEnrolled(productId: string, factoryId: string): boolean {
    return this.#statements.isEnrolled.get(productId, factoryId) !== undefined;
  }

  endTokensOf(productId: string, factoryId: string): void {
    this.#statements.endTokens.run(productId, factoryId);
  }

  key(scope: string, key: string): KeyRecord | undefined {
    const row = this.#statements.key.get(scope, key) as
      | { fingerprint: string; job: string | null; epoch: number | null }
      | undefined;
    return row && { scope, key, fingerprint: row.fingerprint, jobId: row.job, epoch: row.epoch };
  }

  saveKey({ scope, key, fingerprint, jobId, epoch }: KeyRecord): void {
    this.#statements.saveKey.run(scope, key, fingerprint, jobId, epoch, this.now);
  }

  prune(keysBefore: number, most: number): boolean {
    const { changes } = this.#statements.pruneKeys.run(keysBefore, most);
    this.#statements.pruneDeclines.run(this.now);
    return Number(changes) < most;
  }

  announce({ productId, requires }: Ready): void {
    this.announced.push({ productId, requires });
  }

  #standing(job: NewJob): { readonly ready: number; readonly dueAt: number | null } {
    const from = claimableFrom(job);
    if (from === undefined) return { ready: 0, dueAt: null };
    return from <= this.now ? { ready: 1, dueAt: null } : { ready: 0, dueAt: from };
  }

  #one(row: Record<string, SQLInputValue> | undefined): JobRecord | undefined {
    if (row === undefined) return undefined;
    const job = row as unknown as rows.JobRow;
    return rows.jobOf(job, this.#shelves.at(job.shelf).requires);
  }

  #all(list: Record<string, SQLInputValue>[]): JobRecord[] {
    return list.flatMap((row) => this.#one(row) ?? []);
  }
}

function countIn(row: Record<string, SQLInputValue> | undefined): number {
  return Number(row?.['count'] ?? 0);
}
