/**
 * This coordinator among the others of its database: one connection of its own, on which it hears what the others
 * announce, and holds a lock for as long as it is at work.
 *
 * The lock tells whether anybody was there: it is an advisory one that ends with the session, so that a process that
 * was killed is gone in the same moment, and no clock or timeout has to be trusted. Everybody at work holds it shared.
 * Who begins tries to get it for himself alone: that succeeds only if no other is there, and then holders, who could
 * not renew with anybody, get a whole lease before it is shared and anybody else may begin. The same after the
 * database itself was away.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import { SECOND } from '../../platform/clock.ts';
import { messageOf } from '../../platform/errors.ts';
import type { Log } from '../../platform/log.ts';
import { StoreUnavailable } from '../store.ts';
import { connect } from './connect.ts';

export interface PresenceOptions {
  readonly url: string;
  /** Of these tables, and no others in the same database. */
  readonly schema: string;
  readonly log: Log;
  readonly onNotice: (payload: string) => void;
  /** The database is back after a while, and no other coordinator was there before. */
  readonly onBack: () => Promise<void>;
}

const FIRST_PAUSE = SECOND / 10;
const LONGEST_PAUSE = 2 * SECOND;
/** Whoever was away for no longer than a client waits between two tries has kept nobody from renewing. */
const NOTICED_AFTER = 10 * SECOND;

export class Presence {
  readonly #options: PresenceOptions;
  readonly #stop = new AbortController();
  #client: Client | undefined;
  #connecting: Promise<Client> | undefined;
  /** It has begun to work for factories. */
  #isAtWork = false;
  #lostAt = 0;

  constructor(options: PresenceOptions) {
    this.#options = options;
  }

  /** Where the others' announcements are heard. */
  get channel(): string {
    return `${this.#options.schema}_ready`;
  }

  /** @throws StoreUnavailable when it has lost the database: holders may need a whole lease first. */
  check(): void {
    if (this.#isAtWork && this.#client === undefined)
      throw new StoreUnavailable('The connection to the database was lost, and is being made anew.');
  }

  /** Begins to hear the others, now or as soon as the database is there. */
  listen(): void {
    void this.#keep();
  }

  /** Begins to work. `work` hears whether no other is; nobody else begins before it is done. */
  async begin<T>(work: (isAlone: boolean) => Promise<T>): Promise<T> {
    const client = this.#client ?? (await (this.#connecting ?? this.#connect()));
    const result = await this.#take(client, work);
    this.#isAtWork = true;
    return result;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#connecting?.catch(() => undefined);
    await this.#client?.end().catch(() => undefined);
  }

  async #take<T>(client: Client, work: (isAlone: boolean) => Promise<T>): Promise<T> {
    const values = [`${this.#options.schema} coordinators`];
    const lock = (call: string) =>
      client.query<{ got: boolean }>(`SELECT ${call}(hashtextextended($1, 0)) AS got`, values);
    const isAlone = (await lock('pg_try_advisory_lock')).rows[0]?.got === true;
    if (!isAlone) await lock('pg_advisory_lock_shared');
    const result = await work(isAlone);
    if (isAlone) {
      await lock('pg_advisory_lock_shared');
      await lock('pg_advisory_unlock');
    }
    return result;
  }

  #connect(): Promise<Client> {
    const { url, onNotice } = this.#options;
    this.#connecting ??= (async () => {
      const client = await connect(url);
      client.on('notification', ({ payload = '' }) => onNotice(payload));
      client.on('end', () => {
        if (this.#client === client) this.#lost();
      });
      try {
        await client.query(`LISTEN "${this.channel}"`);
        if (this.#isAtWork) await this.#take(client, (isAlone) => this.#back(isAlone));
      } catch (error) {
        await client.end().catch(() => undefined);
        throw error;
      }
      this.#client = client;
      return client;
    })().finally(() => {
      this.#connecting = undefined;
    });
    return this.#connecting;
  }

  async #back(isAlone: boolean): Promise<void> {
    if (isAlone && performance.now() - this.#lostAt > NOTICED_AFTER) await this.#options.onBack();
  }

  #lost(): void {
    this.#client = undefined;
    this.#lostAt = performance.now();
    if (this.#stop.signal.aborted) return;
    this.#options.log.warn('The coordinator lost its database; it is trying to reach it.');
    void this.#keep();
  }

  async #keep(): Promise<void> {
    const { signal } = this.#stop;
    for (let pause = FIRST_PAUSE; !signal.aborted && this.#client === undefined; ) {
      try {
        await this.#connect();
      } catch (error) {
        this.#options.log.debug(`The database is still away: ${messageOf(error)}`);
        await sleep(pause, undefined, { signal }).catch(() => undefined);
        pause = Math.min(2 * pause, LONGEST_PAUSE);
      }
    }
  }
}
