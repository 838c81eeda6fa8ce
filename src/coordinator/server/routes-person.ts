/** What operators and their tools call: enqueue, cancel, requeue, tokens. Admin tokens only. */
import { randomUUID } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { HOUR, SECOND } from '../../platform/clock.ts';
import { isRefusal } from '../refusal.ts';
import { LONGEST_BODY } from '../rules/enqueue.ts';
import { ask } from '../store.ts';
import { makeToken } from '../tokens.ts';
import { keyFor, mustBeAdmin } from './caller.ts';
import { type Context, callerOf, ofJob } from './context.ts';
import { send, sendRefusal } from './problem.ts';
import { enqueueBody, tokenBody } from './schemas.ts';
import { isoOf, jobView } from './views.ts';

interface Enqueued {
  readonly bodyMd: string;
  readonly id?: string;
  readonly priority?: number;
  readonly requires?: readonly string[];
}

interface TokenWish {
  readonly kind: 'enrolment' | 'admin';
  readonly factoryId?: string;
  readonly ttlSec?: number;
}

/** A megabyte of line breaks and quotes is twice that in JSON; nothing that people write is more. */
const LONGEST_REQUEST = 2 * LONGEST_BODY + 64 * 1024;
const ENROLMENT_FOR = 24 * HOUR;

export function personRoutes({ app, store }: Context): void {
  const onlyAdmin = (request: FastifyRequest, reply: FastifyReply, next: () => void) => {
    const refusal = mustBeAdmin(callerOf(request));
    if (refusal === undefined) next();
    else void sendRefusal(reply, refusal);
  };
  // Before the body is read: who may not send it need not.
  const guarded = { onRequest: onlyAdmin };

  const enqueue = { ...guarded, schema: { body: enqueueBody }, bodyLimit: LONGEST_REQUEST };
  app.post('/fleet/jobs', enqueue, async (request, reply) => {
    const { bodyMd, id = randomUUID(), priority, requires } = request.body as Enqueued;
    const caller = callerOf(request);
    const key = keyFor(request, caller, 'enqueue', request.body);
    if (key !== undefined && isRefusal(key)) return sendRefusal(reply, key);
    const job = { productId: caller.productId, id, bodyMd, priority, requires };
    const result = await ask(store, { do: 'enqueue', job, key });
    if (!isRefusal(result)) reply.code(result.isNew ? 201 : 200);
    return send(reply, result, jobView);
  });

  for (const what of ['cancel', 'requeue'] as const) {
    app.post(`/fleet/jobs/:id/${what}`, guarded, async (request, reply) => {
      const asked = ofJob(request);
      if (isRefusal(asked)) return sendRefusal(reply, asked);
      const { productId, jobId, key } = asked;
      return send(reply, await ask(store, { do: what, productId, jobId, key }), jobView);
    });
  }

  app.post('/fleet/tokens', { ...guarded, schema: { body: tokenBody } }, async (request, reply) => {
    const { kind, factoryId = null, ttlSec } = request.body as TokenWish;
    const { productId } = callerOf(request);
    const { token, hash } = makeToken(kind);
    const ttlMs = ttlSec === undefined ? ENROLMENT_FOR : ttlSec * SECOND;
    const made = kind === 'admin' ? { kind, hash } : { kind, hash, productId, factoryId, ttlMs };
    const { token: record } = await ask(store, { do: 'issue', token: made });
    reply.code(201).header('cache-control', 'no-store');
    return {
      token,
      kind,
      ...(record.kind === 'enrolment' && { productId, factoryId, expiresAt: isoOf(record.expiresAt) }),
    };
  });
}
