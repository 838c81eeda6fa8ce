/** A coordinator on loopback, and requests as anybody could make them. */
import {
  type CoordinatorServer,
  type ServerLimits,
  startServer,
} from '../../../src/coordinator/server/server.ts';
import { type CoordinatorSettings, DEFAULT_SETTINGS } from '../../../src/coordinator/settings.ts';
import { ask, type Store } from '../../../src/coordinator/store.ts';
import { makeToken } from '../../../src/coordinator/tokens.ts';
import { silentLog } from '../../../src/platform/log.ts';
import { type Kind, PRODUCT, TestClock } from './worlds.ts';

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  // oxlint-disable-next-line typescript/no-explicit-any -- whatever JSON came
  readonly body: any;
}

export interface Send {
  readonly token?: string | undefined;
  readonly product?: string;
  readonly key?: string;
  readonly body?: unknown;
  /** Instead of `body`: the very text. */
  readonly raw?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export class House {
  readonly store: Store;
  readonly admin = makeToken('admin');
  readonly logged: string[] = [];
  server!: CoordinatorServer;

  constructor(store: Store) {
    this.store = store;
  }

  async open(settings: Partial<CoordinatorSettings> = {}, limits: Partial<ServerLimits> = {}): Promise<this> {
    await ask(this.store, { do: 'issue', token: { kind: 'admin', hash: this.admin.hash } });
    const error = (message: string | Error) => this.logged.push(String(message));
    this.server = await startServer({
      store: this.store,
      settings: { ...DEFAULT_SETTINGS, ...settings },
      log: { ...silentLog, error },
      port: 0,
      limits,
    });
    return this;
  }

  async close(): Promise<void> {
    await this.server.stop();
    await this.store.close();
  }

  /** As an admin of the product, unless it is told another token. */
  async call(method: string, path: string, send: Send = {}): Promise<Reply> {
    const { token = this.admin.token, product = PRODUCT, key, body, raw, headers, signal } = send;
    const text = raw ?? (body === undefined ? undefined : JSON.stringify(body));
    const answer = await fetch(`${this.server.api}${path}`, {
      method,
      headers: {
        ...(token !== '' && { authorization: `Bearer ${token}` }),
        ...(product !== '' && { 'x-product-id': product }),
        ...(key !== undefined && { 'idempotency-key': key }),
        ...(text !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(text !== undefined && { body: text }),
      ...(signal !== undefined && { signal }),
    });
    const got = await answer.text();
    return { status: answer.status, headers: answer.headers, body: got === '' ? undefined : JSON.parse(got) };
  }

  async add(id: string, bodyMd = '# Do it\n'): Promise<void> {
    const { status } = await this.call('POST', '/fleet/jobs', { body: { id, bodyMd } });
    if (status !== 201) throw new Error(`${id}: ${status}`);
  }

  claim(factoryId: string, send: Send & { waitSec?: number } = {}): Promise<Reply> {
    const { waitSec, ...rest } = send;
    const body = { factoryId, capabilities: ['os:linux'], ...(waitSec !== undefined && { waitSec }) };
    return this.call('POST', '/fleet/claim', { body, ...rest });
  }

  report(id: string, stage: string, leaseEpoch: number, send: Send = {}): Promise<Reply> {
    return this.call('PATCH', `/fleet/jobs/${id}`, { body: { stage, leaseEpoch }, ...send });
  }

  /** A factory's own token, by way of enrolment. */
  async enrol(factoryId: string, product = PRODUCT): Promise<string> {
    const { body: made } = await this.call('POST', '/fleet/tokens', { product, body: { kind: 'enrolment' } });
    const answer = await this.call('POST', '/fleet/enrol', {
      token: made.token,
      product,
      body: { factoryId },
    });
    return answer.body.token;
  }
}

/** A house on a store of some kind, under a clock that the test moves. */
export class ServerWorld {
  readonly clock = new TestClock();
  house: House;

  private constructor(kind: Kind) {
    this.house = new House(kind.world()(this.clock));
  }

  static async open(kind: Kind): Promise<ServerWorld> {
    const world = new ServerWorld(kind);
    await world.house.open();
    return world;
  }

  /** The server stops, and another one starts on the same store. */
  async reopen(limits: Partial<ServerLimits> = {}): Promise<House> {
    await this.house.server.stop();
    this.house = await new House(this.house.store).open({}, limits);
    return this.house;
  }

  close(): Promise<void> {
    return this.house.close();
  }
}
