/**
 * Who calls, and for which product (fleet-protocol.md, "Tokens"). A factory's token acts only as that factory and in
 * that product; an admin's may do everything, also act as any factory.
 */
import type { FastifyRequest } from 'fastify';
import { SECOND } from '../../platform/clock.ts';
import type { TokenRecord } from '../records.ts';
import { invalid, type Refusal, unauthorized } from '../refusal.ts';
import { ask, type Key, type Store } from '../store.ts';
import { hashOf } from '../tokens.ts';
import { NAME } from './schemas.ts';

export interface Caller {
  /** Null: an admin. */
  readonly factoryId: string | null;
  /** Empty: of nobody who has named his. */
  readonly productId: string;
}

/** How long a token that was taken back may still pass in another process over the same database, ms. */
const REMEMBERED_MS = 5 * SECOND;
const MOST_REMEMBERED = 20_000;

export class Callers {
  readonly #store: Store;
  readonly #known = new Map<string, { readonly token: TokenRecord; readonly at: number }>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** After tokens were taken back. */
  forget(): void {
    this.#known.clear();
  }

  async of(request: FastifyRequest): Promise<Caller | Refusal> {
    const bearer = bearerOf(request);
    if (bearer === undefined)
      return unauthorized('Expected an Authorization header with a Bearer token.', false);
    const token = await this.#tokenOf(hashOf(bearer));
    if (token === undefined || token.kind === 'enrolment')
      return unauthorized('The token is not known here.', false);
    const asked = productOf(request);
    if (asked === null) return invalid('X-Product-Id: expected letters, digits, `.`, `_` and `-`.');
    if (token.kind === 'admin') return { factoryId: null, productId: asked ?? '' };
    if (asked !== undefined && asked !== token.productId)
      return unauthorized('The token is for another product.');
    return { factoryId: token.factoryId, productId: token.productId };
  }

  async #tokenOf(hash: string): Promise<TokenRecord | undefined> {
    const known = this.#known.get(hash);
    const now = performance.now();
    if (known !== undefined && now - known.at < REMEMBERED_MS) return known.token;
    const { token } = await ask(this.#store, { do: 'token', hash });
    if (this.#known.size >= MOST_REMEMBERED) this.#known.clear();
    if (token === undefined) this.#known.delete(hash);
    else this.#known.set(hash, { token, at: now });
    return token;
  }
}

/** RFC 6750: one scheme, one token of these characters. */
export function bearerOf({ headers }: FastifyRequest): string | undefined {
  return /^Bearer +([A-Za-z0-9._~+/-]{16,512}=*)$/i.exec(headers.authorization ?? '')?.[1];
}

/** Undefined: not named; null: no name. */
export function productOf({ headers }: FastifyRequest): string | undefined | null {
  const named = headers['x-product-id'];
  if (named === undefined || named === '') return undefined;
  return typeof named === 'string' && NAME.test(named) ? named : null;
}

export function mustBeAdmin({ factoryId }: Caller): Refusal | undefined {
  return factoryId === null ? undefined : unauthorized('This needs an admin token.');
}

export function mustBeFactory(caller: Caller, factoryId: string): Refusal | undefined {
  return caller.factoryId === null || caller.factoryId === factoryId
    ? undefined
    : unauthorized('The token is for another factory.');
}

/** @param asked what the request asks for, in a form that is the same for every repeat. */
export function keyFor(
  request: FastifyRequest,
  caller: Caller,
  ...asked: unknown[]
): Key | undefined | Refusal {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return undefined;
  if (typeof key !== 'string' || !/^[\x21-\x7e]{1,255}$/.test(key))
    return invalid('Idempotency-Key: expected up to 255 characters without blanks.');
  const scope = `${caller.productId}/${caller.factoryId ?? '*'}`;
  return { scope, key, fingerprint: fingerprintOf(asked) };
}

/** Long ones as a hash: they are kept for days. */
function fingerprintOf(asked: unknown): string {
  const text = JSON.stringify(asked);
  return text.length <= 64 ? text : hashOf(text);
}
