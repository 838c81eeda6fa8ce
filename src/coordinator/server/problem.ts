/** Errors over HTTP: `application/problem+json` (RFC 9457) with a `code` (fleet-protocol.md). */
import type { FastifyError, FastifyReply } from 'fastify';
import type { Log } from '../../platform/log.ts';
import { invalid, isRefusal, type Refusal } from '../refusal.ts';
import { StoreUnavailable } from '../store.ts';

const TITLES: Readonly<Record<Refusal['code'], string>> = {
  stale_epoch: 'Stale epoch',
  illegal_transition: 'Illegal transition',
  job_not_found: 'No such job',
  invalid_request: 'Invalid request',
  unauthorized: 'Unauthorized',
  idempotency_mismatch: 'Idempotency key used for another request',
};

/**
 * 409 is the fence and little else: a client that knows only the contract takes it for one. An illegal transition is
 * therefore 422, like every other request that is understood and cannot be done.
 */
function statusOf(refusal: Refusal): number {
  switch (refusal.code) {
    case 'stale_epoch':
      return 409;
    case 'illegal_transition':
    case 'idempotency_mismatch':
      return 422;
    case 'job_not_found':
      return 404;
    case 'invalid_request':
      return refusal.isConflict === true ? 409 : 400;
    case 'unauthorized':
      return refusal.isKnown ? 403 : 401;
  }
}

export function sendRefusal(reply: FastifyReply, refusal: Refusal, status = statusOf(refusal)): FastifyReply {
  const { code, detail } = refusal;
  if (status === 401) reply.header('www-authenticate', 'Bearer');
  const problem = {
    type: 'about:blank',
    title: TITLES[code],
    status,
    code,
    detail,
    ...(code === 'stale_epoch' && { currentEpoch: refusal.currentEpoch }),
  };
  return reply.code(status).header('content-type', 'application/problem+json').send(JSON.stringify(problem));
}

/** An answer, or the refusal in its place. */
export function send<T extends object>(
  reply: FastifyReply,
  result: T | Refusal,
  view: (result: T) => unknown,
): FastifyReply {
  return isRefusal(result) ? sendRefusal(reply, result) : reply.send(view(result));
}

/** What the framework found wrong, and what broke. Of the latter the caller learns nothing but that. */
export function sendError(
  error: FastifyError,
  reply: FastifyReply,
  requestId: string,
  log: Log,
): FastifyReply {
  const status = error.statusCode ?? 500;
  if (status >= 400 && status < 500) return sendRefusal(reply, invalid(inWords(error)), status);
  if (error instanceof StoreUnavailable) {
    log.warn(`Request ${requestId}: the database is not available: ${error.message}`);
    return sendFault(reply, 503, 'Database not available', 'unavailable');
  }
  log.error(`Request ${requestId} failed: ${error.stack ?? error.message}`);
  return sendFault(reply, 500, 'Internal error', 'internal');
}

function sendFault(reply: FastifyReply, status: number, title: string, code: string): FastifyReply {
  return reply
    .code(status)
    .header('content-type', 'application/problem+json')
    .send(JSON.stringify({ type: 'about:blank', title, status, code }));
}

/** The framework's own messages can hold what was sent; these cannot. */
function inWords(error: FastifyError): string {
  const [first] = error.validation ?? [];
  if (first !== undefined) return `${first.instancePath || 'body'}: ${first.message ?? 'not as expected'}`;
  if (error.statusCode === 413) return 'The body is too large.';
  if (error.statusCode === 415) return 'Expected a body of application/json.';
  return 'The request cannot be read.';
}
