/**
 * The embedded store: one file, written by one process. Batches that are given within one turn of the event loop
 * share one transaction, and so one sync of the disk (group commit): at 64 clients that is ten times the cycles per
 * second. Results are told after COMMIT, with `synchronous=FULL`, so whatever was answered survives a power cut.
 * A commit blocks its thread for as long as the disk needs: this store belongs in a process of its own. It locks the
 * file for as long as it lives, because it keeps in memory what only it may write; the lock ends with the process.
 */
import { closeSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../../platform/clock.ts';
import { UserError } from '../../platform/errors.ts';
import { apply } from '../operations/apply.ts';
import type { CoordinatorSettings } from '../settings.ts';
import type { Operation, Ready, ResultOf, Store } from '../store.ts';
import { migrate } from './schema.ts';
import { SqliteTransaction } from './transaction.ts';

interface Batch {
  readonly operations: readonly Operation[];
  readonly resolve: (results: unknown) => void;
  readonly reject: (error: unknown) => void;
}

export interface SqliteOptions {
  /** A path, or `:memory:`. The file and two beside it are made when they are not there. */
  readonly file: string;
  readonly clock: Pick<Clock, 'now'>;
  readonly settings: CoordinatorSettings;
  /** For benchmarks: a transaction for every batch. */
  readonly isGrouped?: boolean;
}

/** Batches that share a transaction at most: the first should not wait for hundreds of others. */
const LARGEST_GROUP = 256;
/** KiB of the file's pages that stay in memory. */
const CACHE_KIB = 64 * 1024;
/** ms to wait for another process that has the file open: it may be one that is just ending. */
const BUSY_MS = 2000;
const SQLITE_BUSY = 5;

export class SqliteStore implements Store {
  readonly #database: DatabaseSync;
  readonly #rows: SqliteTransaction;
  readonly #options: SqliteOptions;
  readonly #listeners = new Set<(ready: readonly Ready[]) => void>();
  #waiting: Batch[] = [];
  #isScheduled = false;
  #closing: PromiseWithResolvers<void> | undefined;

  /** @throws UserError `newer-database`, `database-in-use`; the system's error when the file cannot be opened or is no database. */
  constructor(options: SqliteOptions) {
    this.#options = options;
    // It holds prompts: for its owner only, and so are the two files beside it, which take their mode from it.
    if (options.file !== ':memory:') closeSync(openSync(options.file, 'a', 0o600));
    this.#database = new DatabaseSync(options.file);
    try {
      this.#database.exec(`
        PRAGMA busy_timeout = ${BUSY_MS};
        PRAGMA locking_mode = EXCLUSIVE;
        PRAGMA journal_mode = WAL;
        PRAGMA synchronous = FULL;
        PRAGMA cache_size = -${CACHE_KIB};
        PRAGMA temp_store = MEMORY;
      `);
      migrate(this.#database);
      this.#rows = new SqliteTransaction(this.#database);
    } catch (error) {
      this.#database.close();
      throw inUse(error, options.file) ?? error;
    }
  }

  run: Store['run'] = (operations) => {
    if (this.#closing !== undefined) return Promise.reject(new Error('The store is closed.'));
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#waiting.push({ operations, resolve, reject });
    this.#schedule();
    return promise as never;
  };

  onReady(listener: (ready: readonly Ready[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): Promise<void> {
    if (this.#closing === undefined) {
      this.#closing = Promise.withResolvers();
      if (!this.#isScheduled) this.#end();
    }
    return this.#closing.promise;
  }

  /** After the sockets of this turn have been read, whose requests then are in the group. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      const group = this.#waiting.splice(0, this.#options.isGrouped === false ? 1 : LARGEST_GROUP);
      this.#runGroup(group);
      if (this.#waiting.length > 0) this.#schedule();
      else if (this.#closing !== undefined) this.#end();
    });
  }

  #runGroup(group: readonly Batch[]): void {
    let results: ResultOf<Operation['do']>[][];
    try {
      results = this.#commit(group);
    } catch (error) {
      const [only] = group;
      if (group.length === 1) return only?.reject(error);
      // One of them broke it: each by itself, so that it breaks no other's.
      for (const batch of group) this.#runGroup([batch]);
      return;
    }
    for (const [index, { resolve }] of group.entries()) resolve(results[index]);
    const { announced } = this.#rows;
    if (announced.length > 0) for (const listener of this.#listeners) listener(announced);
  }

  #commit(group: readonly Batch[]): ResultOf<Operation['do']>[][] {
    const { clock, settings } = this.#options;
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      this.#rows.begin(clock.now());
      const results = group.map(({ operations }) =>
        operations.map((operation) => apply(this.#rows, operation, settings)),
      );
      this.#database.exec('COMMIT');
      return results;
    } catch (error) {
      // Some errors (a full disk) have rolled it back already.
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      this.#rows.rolledBack();
      throw error;
    }
  }

  #end(): void {
    try {
      this.#database.close();
      this.#closing?.resolve();
    } catch (error) {
      this.#closing?.reject(error);
    }
  }
}

function inUse(error: unknown, file: string): UserError | undefined {
  if ((error as { errcode?: unknown }).errcode !== SQLITE_BUSY) return undefined;
  return new UserError(
    'database-in-use',
    `Another process has the coordinator’s database ${file} open. Nothing in it was changed.`,
    'Use the coordinator that is running, or stop it first.',
    { cause: error },
  );
}
