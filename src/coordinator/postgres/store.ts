/**
 * The store for a team: PostgreSQL, under any number of coordinator processes. Batches that are given while others
 * are under way share a transaction, as on the embedded store: one round trip begins it, locks and fetches what the
 * operations of the group name; the very same operations run over those rows; one more writes what changed, a
 * statement for each table, and commits. Every time is the database's own, so that processes need not agree on one.
 *
 * Whatever else an operation turns out to need (signals.ts) is fetched, and the group runs again over the same rows;
 * rows that have to be locked by their name are all locked anew, in one order, so that no two groups ever wait for
 * each other. Where that is not enough (two processes write the same key in one moment), it is tried again.
 */
import { randomBytes } from 'node:crypto';
import { Pool, type PoolClient } from 'pg';
import type { Clock } from '../../platform/clock.ts';
import { UserError } from '../../platform/errors.ts';
import { type Log, silentLog } from '../../platform/log.ts';
import { FLEET_COUNT_MS } from '../operations/transaction.ts';
import type { CoordinatorSettings } from '../settings.ts';
import type { Operation, Ready, Store } from '../store.ts';
import { asUnavailable, configOf, inWords, prepareSession } from './connect.ts';
import type { FleetCount } from './fleet-rows.ts';
import { type Batch, Group, type Surroundings } from './group.ts';
import { readNotice } from './notices.ts';
import { Presence } from './presence.ts';
import { readingStatements } from './reading.ts';
import { migrate } from './schema.ts';
import { Shelves } from './shelves.ts';
import { writingStatements } from './writing.ts';

export interface PostgresOptions {
  /** `postgres://user:password@host:port/database?…` */
  readonly url: string;
  readonly settings: CoordinatorSettings;
  readonly log?: Log;
  /** Where the tables are: a fleet each, if several share a database. */
  readonly schema?: string;
  /** For tests: in the place of the database's clock. */
  readonly clock?: Pick<Clock, 'now'>;
  /** For benchmarks: a transaction for every batch. */
  readonly isGrouped?: boolean;
}

/** Groups that are under way at once. With more the groups are smaller, and the database has more to do. */
const MOST_GROUPS = 3;
const LARGEST_GROUP = 256;

/** @throws UserError `invalid-database`, `database-unreachable`, `database-not-found`, `database-denied`, `newer-database` */
export async function openPostgresStore(options: PostgresOptions): Promise<PostgresStore> {
  const store = new PostgresStore(options);
  try {
    await store.open();
    return store;
  } catch (error) {
    await store.close();
    throw inWords(error, options.url);
  }
}

export class PostgresStore implements Store {
  readonly #options: PostgresOptions;
  readonly #pool: Pool;
  readonly #presence: Presence;
  readonly #surroundings: Surroundings;
  readonly #shelves = new Shelves();
  readonly #listeners = new Set<(ready: readonly Ready[]) => void>();
  #opened: Promise<void> | undefined;
  #fleet: FleetCount | undefined;
  #waiting: Batch[] = [];
  /** Groups under way, and batches that are tried again in a moment. */
  #underWay = 0;
  #put = 0;
  #isScheduled = false;
  #closing: Promise<void> | undefined;
  #onIdle: (() => void) | undefined;

  /** Connects with the first batch. @throws UserError `invalid-database` */
  constructor(options: PostgresOptions) {
    const { url, schema = 'agent_queue', clock, settings, log = silentLog } = options;
    if (!/^[a-z][a-z0-9_]{0,49}$/.test(schema)) throw new Error(`${schema} is no name of a schema.`);
    this.#options = options;
    // oxlint-disable-next-line typescript/no-misused-promises -- the pool waits for it, though its types do not say so
    this.#pool = new Pool({ ...configOf(url), max: MOST_GROUPS, onConnect: prepareSession });
    // A connection that nobody uses was lost: the next one who needs one gets another.
    this.#pool.on('error', (error) => log.debug(`An idle connection was lost: ${error.message}`));
    const name = randomBytes(4).toString('hex');
    this.#presence = new Presence({
      url,
      schema,
      log,
      onNotice: (payload) => void this.#hear(readNotice(payload, name)),
      onBack: () => this.#run([{ do: 'restart' }], true) as Promise<never>,
    });
    this.#surroundings = {
      name,
      schema,
      settings,
      shelves: this.#shelves,
      channel: this.#presence.channel,
      reading: readingStatements(schema),
      writing: writingStatements(schema),
      given: () => clock?.now() ?? null,
      fleetAt: (now) =>
        this.#fleet !== undefined && now - this.#fleet.at < FLEET_COUNT_MS ? this.#fleet.size : undefined,
      countedFleet: (count) => {
        this.#fleet = count;
      },
      tryLater: (batch, ms) => this.#tryLater(batch, ms),
      tell: (ready) => this.#tell(ready),
    };
  }

  /** Connects, and brings the tables up to date. Whoever does not ask for it has it done with his first batch. */
  open(): Promise<void> {
    this.#opened ??= this.#open().catch((error: unknown) => {
      this.#opened = undefined;
      throw error;
    });
    return this.#opened;
  }

  run: Store['run'] = (operations) => {
    if (this.#closing !== undefined) return Promise.reject(new Error('The store is closed.'));
    if (!operations.some((operation: Operation) => operation.do === 'restart'))
      return this.#run(operations, undefined) as never;
    return this.open()
      .then(() => this.#presence.begin((isAlone) => this.#run(operations, isAlone)))
      .catch((error: unknown) => {
        throw asUnavailable(error);
      }) as never;
  };

  onReady(listener: (ready: readonly Ready[]) => void): () => void {
    this.#listeners.add(listener);
    this.#presence.listen();
    return () => this.#listeners.delete(listener);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** @param isAlone of a coordinator that begins; it is not kept out by having been away. */
  #run(operations: readonly Operation[], isAlone: boolean | undefined): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#waiting.push({ operations, resolve, reject, isAlone, tries: 0 });
    this.#schedule();
    return promise;
  }

  /** After the sockets of this turn have been read, whose requests then are in the group. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      while (this.#waiting.length > 0 && this.#underWay < MOST_GROUPS) {
        this.#underWay += 1;
        void this.#runGroup(this.#waiting.splice(0, this.#options.isGrouped === false ? 1 : LARGEST_GROUP));
      }
      if (this.#underWay + this.#put + this.#waiting.length === 0) this.#onIdle?.();
    });
  }

  async #runGroup(batches: readonly Batch[]): Promise<void> {
    let client: PoolClient | undefined;
    try {
      await this.open();
      if (batches.every(({ isAlone }) => isAlone === undefined)) this.#presence.check();
      client = await this.#pool.connect();
      // Told to the statements that are under way as well; without a listener it would end the process.
      client.on('error', ignore);
      await new Group(client, this.#surroundings).run(batches);
      client.off('error', ignore);
      client.release();
    } catch (error) {
      // It may have an open transaction, or be gone.
      client?.release(true);
      for (const { reject } of batches) reject(asUnavailable(error));
    } finally {
      this.#underWay -= 1;
      this.#schedule();
    }
  }

  #tryLater(batch: Batch, ms: number): void {
    this.#put += 1;
    setTimeout(() => {
      this.#put -= 1;
      this.#waiting.push(batch);
      this.#schedule();
    }, ms);
  }

  async #open(): Promise<void> {
    const client = await this.#pool.connect();
    client.on('error', ignore);
    try {
      await migrate(client, this.#surroundings.schema);
      client.off('error', ignore);
      client.release();
    } catch (error) {
      client.release(true);
      throw error instanceof UserError ? error : asUnavailable(error);
    }
  }

  /** Of a shelf that another has just made nothing is known yet; every transaction learns of new ones. */
  async #hear(numbers: readonly number[]): Promise<void> {
    const isNew = numbers.some((number) => number > this.#shelves.known);
    if (isNew && this.#closing === undefined) await this.#run([{ do: 'tick' }], undefined).catch(ignore);
    this.#tell(numbers.flatMap((number) => this.#shelves.at(number) ?? []));
  }

  #tell(ready: readonly Ready[]): void {
    if (ready.length > 0) for (const listener of this.#listeners) listener(ready);
  }

  async #close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onIdle = resolve;
    this.#schedule();
    await promise;
    await this.#presence.close();
    await this.#pool.end();
  }
}

function ignore(): void {
  // What it means is in the rejection of whatever was under way.
}
