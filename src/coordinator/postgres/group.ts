/** One group of batches, from the first lock to the commit. */
import type { PoolClient } from 'pg';
import { apply } from '../operations/apply.ts';
import type { CoordinatorSettings } from '../settings.ts';
import type { Operation, Ready } from '../store.ts';
import { asUnavailable, isCollision } from './connect.ts';
import { Fetched, UnknownShelf } from './fetched.ts';
import type { FleetCount } from './fleet-rows.ts';
import { foreseen, Needs } from './needs.ts';
import { noticesOf } from './notices.ts';
import { pipelined, type Question } from './pipeline.ts';
import type { ReadingStatements } from './reading.ts';
import type { Shelves } from './shelves.ts';
import { Contended, Missing } from './signals.ts';
import { PostgresTransaction } from './transaction.ts';
import type { WritingStatements } from './writing.ts';

export interface Batch {
  readonly operations: readonly Operation[];
  readonly resolve: (results: unknown) => void;
  readonly reject: (error: unknown) => void;
  /** Of a coordinator that begins: whether no other is at work. */
  readonly isAlone: boolean | undefined;
  /** How often it had to give way to another process. */
  tries: number;
}

export interface Surroundings {
  /** Of this store, among those that notify each other. */
  readonly name: string;
  readonly schema: string;
  readonly channel: string;
  readonly settings: CoordinatorSettings;
  readonly shelves: Shelves;
  readonly reading: ReadingStatements;
  readonly writing: WritingStatements;
  /** The time as a test has it; null: the database's. */
  readonly given: () => number | null;
  readonly fleetAt: (now: number) => number | undefined;
  readonly countedFleet: (count: FleetCount) => void;
  readonly tryLater: (batch: Batch, ms: number) => void;
  readonly tell: (ready: readonly Ready[]) => void;
}

/** Rounds of fetching: an operation asks for one thing after the other, and no rule asks for more than a few. */
const MOST_ROUNDS = 64;
const MOST_COLLISIONS = 8;
/** After so many tries a claim hears that there is nothing, though others may yet leave what they have locked. */
const PATIENCE = 12;
const FIRST_PAUSE_MS = 2;

interface Applied {
  readonly results: ReadonlyMap<Batch, unknown>;
  readonly missing: Needs;
  readonly contended: readonly Batch[];
  readonly isStale: boolean;
  readonly failures: readonly unknown[];
}

export class Group {
  readonly #client: PoolClient;
  readonly #around: Surroundings;

  constructor(client: PoolClient, around: Surroundings) {
    this.#client = client;
    this.#around = around;
  }

  /** Settles every batch, or rejects: then the connection is lost, and whatever is not settled has not been accepted. */
  async run(batches: readonly Batch[]): Promise<void> {
    let collisions = 0;
    let needs: Needs | undefined;
    for (let round = 0; ; round += 1) {
      try {
        needs ??= foreseen(
          batches.flatMap(({ operations }) => operations),
          this.#around.shelves,
        );
        if (await this.#attempt(batches, needs)) return;
        if (round > MOST_ROUNDS) throw new Error('The operations of a group find no end of what they need.');
      } catch (error) {
        await this.#client.query('ROLLBACK');
        if (isCollision(error) && collisions < MOST_COLLISIONS) {
          collisions += 1;
          continue;
        }
        const [only] = batches;
        if (batches.length === 1) return only?.reject(asUnavailable(error));
        // One of them broke it: each by itself, so that it breaks no other's.
        for (const batch of batches) await this.run([batch]);
        return;
      }
    }
  }

  /** @returns false: the transaction is rolled back, and the same is to be tried with the needs that were found. */
  async #attempt(batches: readonly Batch[], needs: Needs): Promise<boolean> {
    const { reading, shelves, given, schema } = this.#around;
    const patience = 4 ** Math.min(4, Math.max(0, ...batches.map(({ tries }) => tries)));
    const fetched = new Fetched(reading, shelves, given(), patience);
    await fetched.begin(this.#client, needs);
    let left = batches;
    const late: Batch[] = [];
    for (let round = 0; round < MOST_ROUNDS; round += 1) {
      const transaction = this.#transaction(left, fetched);
      const { results, missing, contended, isStale, failures } = this.#apply(transaction, left);
      if (missing.size > 0 || isStale) {
        needs.addAll(missing);
        if (missing.mustLock || isStale) {
          await this.#client.query('ROLLBACK');
          const wanted = needs.of('shelf');
          if (wanted.length > 0) await shelves.make(this.#client, schema, wanted);
          needs.forget('shelf');
          needs.forget('others');
          return false;
        }
        await fetched.more(this.#client, missing);
      } else if (contended.length > 0) {
        left = left.filter((batch) => !contended.includes(batch));
        late.push(...contended);
      } else {
        if (failures.length > 0) throw failures[0];
        if (!(await this.#commit(transaction, fetched))) return false;
        for (const batch of left) batch.resolve(results.get(batch));
        for (const batch of late) {
          batch.tries += 1;
          this.#around.tryLater(batch, FIRST_PAUSE_MS * batch.tries);
        }
        this.#around.tell(transaction.announced);
        return true;
      }
    }
    throw new Error('The operations of a group find no end of what they need.');
  }

  #transaction(batches: readonly Batch[], fetched: Fetched): PostgresTransaction {
    const { shelves, fleetAt, countedFleet } = this.#around;
    const operations = batches.flatMap((batch) => batch.operations);
    return new PostgresTransaction(fetched, shelves, {
      isAlone: batches.some(({ isAlone }) => isAlone === true),
      claims: Math.max(1, operations.filter((operation) => operation.do === 'claim').length),
      fleetAt,
      countedFleet,
    });
  }

  /** All of them, to learn at once what they need: a first pass in which anything is missing counts for nothing. */
  #apply(transaction: PostgresTransaction, batches: readonly Batch[]): Applied {
    const results = new Map<Batch, unknown>();
    const missing = new Needs();
    const contended: Batch[] = [];
    const failures: unknown[] = [];
    let isStale = false;
    for (const batch of batches) {
      transaction.isPatient = batch.tries < PATIENCE;
      try {
        const { settings } = this.#around;
        results.set(
          batch,
          batch.operations.map((operation) => apply(transaction, operation, settings)),
        );
      } catch (error) {
        if (error instanceof Missing) missing.add(error.need);
        else if (error instanceof Contended) contended.push(batch);
        else if (error instanceof UnknownShelf) isStale = true;
        else failures.push(error);
      }
    }
    return { results, missing, contended, isStale, failures };
  }

  async #commit({ changes, now, announced }: PostgresTransaction, fetched: Fetched): Promise<boolean> {
    const { writing, reading, channel, name, shelves } = this.#around;
    const questions = changes.questions(writing, now, (seq) => fetched.bySeq.get(seq)?.dueAt ?? null);
    for (const notice of noticesOf(name, announced, shelves))
      questions.push({ ...writing.notify, values: [channel, notice] });
    const unmet = changes.waits.filter(({ productId, need }) => fetched.named(productId, need) === null);
    if (unmet.length > 0) {
      // A job that was not there, so nobody could lock it, may have come and gone through in the meantime.
      const asked: Question = { ...reading.appeared, values: [JSON.stringify(unmet)] };
      const answers = await pipelined(this.#client, [...questions.splice(0), asked]);
      if ((answers.at(-1)?.rows.length ?? 0) > 0) {
        await this.#client.query('ROLLBACK');
        return false;
      }
    }
    const answers = await pipelined(this.#client, [...questions, { text: 'COMMIT' }]);
    if (answers.at(-1)?.command !== 'COMMIT') throw new Error('The transaction was rolled back.');
    return true;
  }
}
