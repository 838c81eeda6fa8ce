/**
 * Our coordinator: its operations and rules over the store that lives in memory, its routes and its long polls, as one
 * process that crashes and comes back. Only fastify is not there. What it remembers is what was committed: an
 * operation that has not come about when the process is killed never does.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { MemoryStore } from '../../src/coordinator/memory/store.ts';
import { isRefusal } from '../../src/coordinator/refusal.ts';
import { Callers } from '../../src/coordinator/server/caller.ts';
import { sendRefusal } from '../../src/coordinator/server/problem.ts';
import { factoryRoutes } from '../../src/coordinator/server/routes-factory.ts';
import { leaseRoutes } from '../../src/coordinator/server/routes-lease.ts';
import { lookRoutes } from '../../src/coordinator/server/routes-look.ts';
import { personRoutes } from '../../src/coordinator/server/routes-person.ts';
import { Waiters } from '../../src/coordinator/server/waiters.ts';
import type { CoordinatorSettings } from '../../src/coordinator/settings.ts';
import type { Operation, ResultOf, Store } from '../../src/coordinator/store.ts';
import { hashOf } from '../../src/coordinator/tokens.ts';
import { systemClock } from '../../src/platform/clock.ts';
import type { Machine } from '../world/machine.ts';
import type { Process, Temper } from '../world/process.ts';
import type { Service, WireAnswer, WireRequest } from '../world/service.ts';
import { here, type World } from '../world/world.ts';

export const PRODUCT = 'acme';

/** How often it is looked whether a backoff or a lease has ended, ms; a real one looks twice a second. */
const TICK = 5000;

type Route = (request: FastifyRequest, reply: FastifyReply) => unknown;

interface Registered {
  readonly method: string;
  readonly pattern: RegExp;
  readonly url: string;
  readonly guard: ((request: FastifyRequest, reply: FastifyReply, next: () => void) => void) | undefined;
  readonly route: Route;
}

interface Server {
  readonly process: Process;
  readonly callers: Callers;
  readonly routes: readonly Registered[];
}

/** Told of what is committed, and of what is sent. */
export interface Observer {
  /** @param ask looks at the rows, before or after */
  committing(operation: Operation, commit: () => ResultOf<Operation['do']>): ResultOf<Operation['do']>;
  sent(from: Process, request: WireRequest): void;
  answered(from: Process, request: WireRequest, answer: WireAnswer): void;
}

/** What its answers leave out: another coordinator than ours need not offer it. */
export interface Offers {
  readonly pace: boolean;
  readonly longPolls: boolean;
}

export class Coordinator implements Service {
  readonly machine: Machine;
  readonly #world: World;
  readonly #settings: CoordinatorSettings;
  readonly #observer: Observer;
  readonly #offers: Offers;
  readonly #store: MemoryStore;
  #server: Server | undefined;
  temper: Temper | undefined;

  constructor(machine: Machine, settings: CoordinatorSettings, offers: Offers, observer: Observer) {
    this.machine = machine;
    this.#world = machine.world;
    this.#settings = settings;
    this.#offers = offers;
    this.#observer = observer;
    this.#store = new MemoryStore({ now: () => machine.wall() }, settings);
  }

  get process(): Process | undefined {
    return this.#server?.process;
  }

  /** At once, past the wire: for the simulator itself. */
  look(...operations: Operation[]): ResultOf<Operation['do']>[] {
    return this.#store.runNow(operations);
  }

  admit(factoryId: string, token: string): void {
    const hash = hashOf(`enrolment of ${factoryId}`);
    this.look({ do: 'issue', token: { kind: 'enrolment', hash, productId: PRODUCT, factoryId, ttlMs: 1e9 } });
    this.look({ do: 'enrol', hash, factoryId, productId: PRODUCT, ownHash: hashOf(token) });
  }

  admitAdmin(token: string): void {
    this.look({ do: 'issue', token: { kind: 'admin', hash: hashOf(token) } });
  }

  start(): void {
    if (this.#server !== undefined) return;
    const process = this.machine.start('coordinator', () => this.#main(process));
    if (this.temper !== undefined) process.temper = this.temper;
    process.onEnd.add(() => {
      if (this.#server?.process === process) this.#server = undefined;
    });
  }

  async #main(process: Process): Promise<void> {
    const waiters = new Waiters();
    const store: Store = {
      run: (async (operations: readonly Operation[]) => this.#commit(operations)) as Store['run'],
      onReady: (listener) => this.#store.onReady(listener),
      close: () => Promise.resolve(),
    };
    const callers = new Callers(store);
    const routes: Registered[] = [];
    const context = { app: appInto(routes), store, settings: this.#settings, callers, waiters };
    for (const register of [factoryRoutes, leaseRoutes, personRoutes, lookRoutes]) register(context);
    // Before anybody can claim: nobody could renew while there was no coordinator.
    await store.run([{ do: 'restart' }]);
    const unsubscribe = this.#store.onReady((ready) => {
      // Told by whoever committed, heard by this process as soon as it can.
      this.#world.later(0, () => waiters.offer(ready), process);
    });
    process.onEnd.add(unsubscribe);
    this.#server = { process, callers, routes };
    this.#world.trace.add(process, 'listens');
    for (;;) {
      await systemClock.sleep(TICK);
      if (waiters.size > 0) await store.run([{ do: 'tick' }]);
    }
  }

  #commit(operations: readonly Operation[]): Promise<ResultOf<Operation['do']>[]> {
    return here().effect(() =>
      operations.map((operation) =>
        this.#observer.committing(
          operation,
          () => this.#store.runNow([operation])[0] as ResultOf<Operation['do']>,
        ),
      ),
    );
  }

  onSent(from: Process, request: WireRequest): void {
    this.#observer.sent(from, request);
  }

  onAnswered(from: Process, request: WireRequest, answer: WireAnswer): void {
    this.#observer.answered(from, request, answer);
  }

  async answer(message: WireRequest, gone: AbortSignal): Promise<WireAnswer> {
    const reply = new Reply(gone);
    const send = reply as unknown as FastifyReply;
    const [pathname = '', search = ''] = message.path.replace(/^\/api/, '').split('?');
    const server = this.#server as Server;
    const found = server.routes.find(
      ({ method, pattern }) => method === message.method && pattern.test(pathname),
    );
    if (found === undefined) return { status: 404, headers: {}, body: 'not found' };
    const request = {
      method: message.method,
      headers: message.headers,
      params: found.pattern.exec(pathname)?.groups ?? {},
      query: Object.fromEntries(new URLSearchParams(search)),
      body: message.body === undefined ? undefined : (JSON.parse(message.body) as unknown),
      routeOptions: { url: found.url },
      caller: undefined as unknown,
    };
    const asked = request as unknown as FastifyRequest;
    const caller = await server.callers.of(asked);
    if (isRefusal(caller)) sendRefusal(send, caller);
    else {
      request.caller = caller;
      found.guard?.(asked, send, () => undefined);
    }
    if (!reply.isSent) {
      const value = await found.route(asked, send);
      if (!reply.isSent && value !== undefined) reply.send(value);
    }
    return this.#shortened(message.path, reply.answer(new Date()));
  }

  /** What this coordinator does not offer is not in its answers. */
  #shortened(pathname: string, answer: WireAnswer): WireAnswer {
    if (!pathname.endsWith('/heartbeat') || answer.status !== 200) return answer;
    const { nextHeartbeatSec, longPollSec, ...rest } = JSON.parse(answer.body) as Record<string, unknown>;
    const { pace, longPolls } = this.#offers;
    return {
      ...answer,
      body: JSON.stringify({ ...rest, ...(pace && { nextHeartbeatSec }), ...(longPolls && { longPollSec }) }),
    };
  }
}

/** As much of fastify's instance as routes are registered with. */
function appInto(routes: Registered[]): FastifyInstance {
  const register =
    (method: string) =>
    (url: string, ...rest: readonly unknown[]) => {
      const route = rest.at(-1) as Route;
      const options = (rest.length > 1 ? rest[0] : {}) as { onRequest?: Registered['guard'] };
      const pattern = new RegExp(`^${url.replaceAll(/:(\w+)/g, '(?<$1>[^/]+)')}$`);
      routes.push({ method, url, pattern, guard: options.onRequest, route });
    };
  return {
    get: register('GET'),
    post: register('POST'),
    patch: register('PATCH'),
  } as unknown as FastifyInstance;
}

/** As much of fastify's reply as the routes use. */
class Reply {
  isSent = false;
  readonly raw: { readonly destroyed: boolean; once(event: string, listener: () => void): void; off(): void };
  #status = 200;
  #body = '';
  readonly #headers: Record<string, string> = {};

  constructor(gone: AbortSignal) {
    this.raw = {
      get destroyed() {
        return gone.aborted;
      },
      once: (_event, listener) => gone.addEventListener('abort', listener, { once: true }),
      off: () => undefined,
    };
  }

  code(status: number): this {
    this.#status = status;
    return this;
  }

  header(name: string, value: string): this {
    this.#headers[name] = value;
    return this;
  }

  send(value?: unknown): this {
    this.isSent = true;
    this.#body = value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value);
    return this;
  }

  answer(now: Date): WireAnswer {
    return { status: this.#status, headers: { ...this.#headers, date: now.toUTCString() }, body: this.#body };
  }
}
