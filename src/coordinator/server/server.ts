/**
 * The coordinator over HTTP: `/api/fleet/…` as fleet-protocol.md has it, and `/healthz`. It decides nothing: it looks
 * at the token, checks the form of a request, asks the store, and puts the answer into words.
 */
import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import fastify, { type FastifyError, type FastifyInstance } from 'fastify';
import { MINUTE, SECOND } from '../../platform/clock.ts';
import { errnoOf, messageOf, UserError } from '../../platform/errors.ts';
import type { Log } from '../../platform/log.ts';
import { invalid, isRefusal } from '../refusal.ts';
import type { CoordinatorSettings } from '../settings.ts';
import { ask, type Store, StoreUnavailable } from '../store.ts';
import { Callers } from './caller.ts';
import type { Context } from './context.ts';
import { sendError, sendRefusal } from './problem.ts';
import { adoptRoutes } from './routes-adopt.ts';
import { factoryRoutes } from './routes-factory.ts';
import { leaseRoutes } from './routes-lease.ts';
import { lookRoutes } from './routes-look.ts';
import { personRoutes } from './routes-person.ts';
import { Waiters } from './waiters.ts';

export interface ServerOptions {
  /** Not closed with the server. */
  readonly store: Store;
  readonly settings: CoordinatorSettings;
  readonly log: Log;
  /** Loopback unless told. */
  readonly host?: string | undefined;
  /** 0: any that is free. */
  readonly port: number;
  readonly limits?: Partial<ServerLimits>;
}

/** All ms. */
export interface ServerLimits {
  /** For the head of a request, and for the whole of it: a client that trickles is cut off. */
  readonly headersMs: number;
  readonly requestMs: number;
  /** A connection on which nothing has happened; longer than any long poll. */
  readonly idleMs: number;
  /** Requests that are under way get so long when it stops. */
  readonly stopMs: number;
}

export interface CoordinatorServer {
  /** What factories are given as their address, e.g. `http://127.0.0.1:4003/api`. */
  readonly api: string;
  readonly port: number;
  /** Who waits goes away empty, what is under way is answered; no lease is touched. */
  stop(): Promise<void>;
}

const LIMITS: ServerLimits = {
  headersMs: 10 * SECOND,
  requestMs: 30 * SECOND,
  idleMs: 2 * MINUTE,
  stopMs: 10 * SECOND,
};
/** Of all requests but an enqueue. */
const LARGEST_BODY = 64 * 1024;
/** How often it is looked, while anybody waits, whether a backoff or a lease has ended; ms. */
const TICK = SECOND / 2;
const PRUNE_EVERY = 10 * MINUTE;

/** @throws UserError `port-taken` */
export async function startServer(options: ServerOptions): Promise<CoordinatorServer> {
  const { store, settings, log, host = '127.0.0.1', port } = options;
  const limits = { ...LIMITS, ...options.limits };
  const waiters = new Waiters();
  const callers = new Callers(store);
  const app = newApp(limits, log);
  app.decorateRequest('caller', undefined);
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
    if ((request.routeOptions.config as { isOpen?: boolean }).isOpen === true || request.is404) return;
    const caller = await callers.of(request);
    if (isRefusal(caller)) await sendRefusal(reply, caller);
    else request.caller = caller;
  });
  await app.register(
    (scope, _options, done) => {
      routes({ app: scope, store, settings, callers, waiters });
      done();
    },
    { prefix: '/api' },
  );
  health(app, store);

  // Before anybody can claim: nobody could renew while there was no coordinator.
  await ask(store, { do: 'restart' });
  const timers = [
    setInterval(() => {
      if (waiters.size > 0) quietly(ask(store, { do: 'tick' }), log);
    }, TICK),
    setInterval(() => quietly(pruned(store), log), PRUNE_EVERY),
  ];
  const unsubscribe = store.onReady((ready) => waiters.offer(ready));
  try {
    await app.listen({ host, port });
  } catch (error) {
    for (const timer of timers) clearInterval(timer);
    unsubscribe();
    await app.close();
    throw listenError(error, host, port);
  }
  const listening = (app.server.address() as AddressInfo).port;
  let stopped: Promise<void> | undefined;
  return {
    api: `http://${host.includes(':') ? `[${host}]` : host}:${listening}/api`,
    port: listening,
    stop: () => {
      stopped ??= stop(app, limits, () => {
        for (const timer of timers) clearInterval(timer);
        unsubscribe();
        waiters.close();
      });
      return stopped;
    },
  };
}

function newApp({ headersMs, requestMs, idleMs }: ServerLimits, log: Log): FastifyInstance {
  const started = randomBytes(4).toString('hex');
  let count = 0;
  const app = fastify({
    bodyLimit: LARGEST_BODY,
    requestTimeout: requestMs,
    connectionTimeout: idleMs,
    keepAliveTimeout: idleMs,
    http: { headersTimeout: headersMs, connectionsCheckingInterval: Math.min(SECOND, headersMs) },
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 512 },
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false } },
    genReqId: () => {
      count += 1;
      return `${started}-${count}`;
    },
  });
  // An empty body is none: cancel and requeue need nothing to be said.
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body.length === 0) done(null, undefined);
    else void parse(request, body as string, done);
  });
  app.setErrorHandler((error: FastifyError, request, reply) => sendError(error, reply, request.id, log));
  app.setNotFoundHandler((_request, reply) =>
    sendRefusal(reply, invalid('There is no such address here.'), 404),
  );
  return app;
}

function routes(context: Context): void {
  factoryRoutes(context);
  leaseRoutes(context);
  adoptRoutes(context);
  personRoutes(context);
  lookRoutes(context);
}

function health(app: FastifyInstance, store: Store): void {
  for (const url of ['/healthz', '/api/healthz'])
    app.get(url, { config: { isOpen: true } }, async (_request, reply) => {
      try {
        await ask(store, { do: 'tick' });
        return { ok: true };
      } catch {
        return reply.code(503).send({ ok: false });
      }
    });
}

async function stop(app: FastifyInstance, { stopMs }: ServerLimits, before: () => void): Promise<void> {
  before();
  const cut = setTimeout(() => app.server.closeAllConnections(), stopMs);
  // A connection that has just been answered would be kept alive, and waited for.
  const sweep = setInterval(() => app.server.closeIdleConnections(), 20);
  try {
    await app.close();
  } finally {
    clearTimeout(cut);
    clearInterval(sweep);
  }
}

async function pruned(store: Store): Promise<void> {
  while (!(await ask(store, { do: 'prune' })).isDone);
}

function quietly(work: Promise<unknown>, log: Log): void {
  work.catch((error: unknown) => {
    const said = `The coordinator's upkeep failed: ${messageOf(error)}`;
    // Twice a second for as long as it is away, of which every request is told as well.
    if (error instanceof StoreUnavailable) log.debug(said);
    else log.error(said);
  });
}

function listenError(error: unknown, host: string, port: number): unknown {
  if (errnoOf(error) !== 'EADDRINUSE') return error;
  return new UserError(
    'port-taken',
    `Another program listens on ${host}:${port} already. Nothing was started.`,
    'If it is a coordinator, use that one; else name another port with --port.',
    { cause: error },
  );
}
