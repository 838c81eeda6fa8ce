/** What a factory calls before it has a job: heartbeat, claim, enrolment. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { SECOND } from '../../platform/clock.ts';
import type { Health } from '../records.ts';
import { invalid, isRefusal, unauthorized } from '../refusal.ts';
import { ask, type Operation, type ResultOf } from '../store.ts';
import { hashOf, makeToken } from '../tokens.ts';
import { bearerOf, keyFor, mustBeFactory, productOf } from './caller.ts';
import { type Context, callerOf } from './context.ts';
import { send, sendRefusal } from './problem.ts';
import { claimBody, enrolBody, heartbeatBody } from './schemas.ts';
import { claimView } from './views.ts';

interface Claim {
  readonly factoryId: string;
  readonly capabilities: readonly string[];
  readonly waitSec?: number | null;
}

interface Heartbeat {
  readonly factoryId: string;
  readonly capabilities: readonly string[];
  readonly health: Health;
  readonly load: number;
}

export function factoryRoutes(context: Context): void {
  const { app, store, settings, callers } = context;

  app.post('/fleet/factories/heartbeat', { schema: { body: heartbeatBody } }, async (request, reply) => {
    const { factoryId, capabilities, health, load } = request.body as Heartbeat;
    const { productId, ...caller } = callerOf(request);
    const refusal = mustBeFactory({ productId, ...caller }, factoryId);
    if (refusal !== undefined) return sendRefusal(reply, refusal);
    const answer = await ask(store, { do: 'heartbeat', productId, factoryId, capabilities, health, load });
    const { nextHeartbeatSec, claimable } = answer;
    return {
      nextHeartbeatSec,
      claimable,
      leaseTtlSec: settings.leaseMs / SECOND,
      longPollSec: settings.longPollMs / SECOND,
    };
  });

  app.post('/fleet/claim', { schema: { body: claimBody } }, async (request, reply) => {
    const { factoryId, capabilities, waitSec } = request.body as Claim;
    const caller = callerOf(request);
    // Without capabilities and waiting: whoever repeats a claim after a restart may have others.
    const key = keyFor(request, caller, 'claim', factoryId);
    if (key !== undefined && isRefusal(key)) return sendRefusal(reply, key);
    const refusal = mustBeFactory(caller, factoryId);
    if (refusal !== undefined) return sendRefusal(reply, refusal);
    const { productId } = caller;
    const operation = { do: 'claim', productId, factoryId, capabilities, key } as const;
    const waitMs = Math.min((waitSec ?? 0) * SECOND, settings.longPollMs);
    const result = waitMs > 0 ? await waited(context, operation, waitMs, reply) : await ask(store, operation);
    return result === 'empty' ? reply.code(204).send() : send(reply, result, claimView);
  });

  /** The enrolment token is the bearer here; the answer is the only place where the factory's own is ever told. */
  app.post(
    '/fleet/enrol',
    { schema: { body: enrolBody }, config: { isOpen: true } },
    async (request: FastifyRequest, reply) => {
      const { factoryId } = request.body as { factoryId: string };
      const bearer = bearerOf(request);
      const productId = productOf(request);
      if (bearer === undefined)
        return sendRefusal(reply, unauthorized('Expected an enrolment token as Bearer.', false));
      if (productId === null)
        return sendRefusal(reply, invalid('X-Product-Id: expected the name of a product.'));
      const own = makeToken('factory');
      const hash = hashOf(bearer);
      const result = await ask(store, { do: 'enrol', hash, factoryId, productId, ownHash: own.hash });
      callers.forget();
      reply.header('cache-control', 'no-store');
      return send(reply, result, (given) => ({ token: own.token, factoryId, productId: given.productId }));
    },
  );
}

async function waited(
  { store, waiters }: Context,
  operation: Operation<'claim'>,
  ms: number,
  reply: FastifyReply,
): Promise<ResultOf<'claim'>> {
  const { productId, capabilities } = operation;
  const gone = new AbortController();
  const onClose = () => gone.abort();
  reply.raw.once('close', onClose);
  // It may have hung up while its token was looked at.
  if (reply.raw.destroyed) gone.abort();
  try {
    const claim = async () => {
      const result = await ask(store, operation);
      return result === 'empty' ? undefined : result;
    };
    return (await waiters.wait({ productId, capabilities, ms, signal: gone.signal, claim })) ?? 'empty';
  } finally {
    reply.raw.off('close', onClose);
  }
}
