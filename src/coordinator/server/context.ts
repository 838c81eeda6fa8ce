/** What every route is given, and what it knows of a request once the token has been looked at. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { isRefusal, type Refusal } from '../refusal.ts';
import type { CoordinatorSettings } from '../settings.ts';
import type { Key, Store } from '../store.ts';
import { type Caller, type Callers, keyFor } from './caller.ts';
import { NAME } from './schemas.ts';
import type { Waiters } from './waiters.ts';

export interface Context {
  readonly app: FastifyInstance;
  readonly store: Store;
  readonly settings: CoordinatorSettings;
  readonly callers: Callers;
  readonly waiters: Waiters;
}

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller | undefined;
  }
}

/** @throws when the route is one of those that need no token. */
export function callerOf(request: FastifyRequest): Caller {
  if (request.caller === undefined) throw new Error('This route has no caller.');
  return request.caller;
}

export function isName(text: string): boolean {
  return NAME.test(text);
}

/** A request for one job: `/fleet/jobs/:id…`. */
export interface OfJob {
  readonly productId: string;
  readonly jobId: string;
  readonly caller: Caller;
  readonly key: Key | undefined;
}

/** @param asked what tells this request from others under the same key. */
export function ofJob(request: FastifyRequest, ...asked: unknown[]): OfJob | Refusal {
  const caller = callerOf(request);
  const { id: jobId } = request.params as { id: string };
  const key = keyFor(request, caller, request.method, request.routeOptions.url, jobId, ...asked);
  if (key !== undefined && isRefusal(key)) return key;
  return { productId: caller.productId, jobId, caller, key };
}
