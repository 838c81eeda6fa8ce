/** One typed outcome for every call to a coordinator (fleet-protocol.md, rule 2). Pure. */
import { SECOND } from '../platform/clock.ts';
import type { Stamp } from './elapsed.ts';

export type Outcome<T> =
  /** `sentAt`: what a lease counts from. */
  | { readonly kind: 'accepted'; readonly value: T; readonly sentAt: Stamp }
  /** Our epoch is stale. */
  | { readonly kind: 'fenced'; readonly currentEpoch?: number }
  /** The request itself is wrong; repeating it changes nothing. */
  | { readonly kind: 'refused'; readonly status: number; readonly code: string }
  | { readonly kind: 'unauthorized'; readonly status: number }
  | { readonly kind: 'unreachable'; readonly why: string; readonly retryAfterMs?: number };

export type Failure = Exclude<Outcome<never>, { kind: 'accepted' }>;

export interface Answer {
  readonly status: number;
  /** The parsed JSON; undefined when there was none, or when it was no JSON. */
  readonly body: unknown;
  readonly isJson: boolean;
  /** Headers `retry-after` and `date`. */
  readonly retryAfter?: string | undefined;
  readonly date?: number | undefined;
}

/** Codes of a 409 that do not say that the epoch is stale. */
const NOT_FENCED = new Set(['illegal_transition', 'idempotency_mismatch', 'invalid_request']);
/** The contract's own answers to a request that is wrong, with or without a problem in words. */
const WRONG = new Set([400, 409, 422]);
/** 407 is a proxy's, which stands between us and the coordinator. */
const TRY_AGAIN = new Set([407, 408, 425, 429]);

export const NO_COORDINATOR: Failure = {
  kind: 'unreachable',
  why: 'something else than a coordinator answered (404)',
};

/**
 * What an answer that is not 2xx means. `missing`: a 404 that may be the coordinator's own, which it is if a heartbeat
 * to the same address is accepted: fenced on a fenced call, refused on another. A proxy's 404 is unreachable.
 */
export function failureOf(answer: Answer, isFencedCall: boolean): Failure | 'missing' {
  const { status } = answer;
  const code = codeOf(answer.body);
  if (status === 401 || status === 403) return { kind: 'unauthorized', status };
  if (status === 409 && isFencedCall && !NOT_FENCED.has(code ?? '')) {
    const currentEpoch = (answer.body as { currentEpoch?: unknown } | undefined)?.currentEpoch;
    return {
      kind: 'fenced',
      ...(Number.isSafeInteger(currentEpoch) && { currentEpoch: Number(currentEpoch) }),
    };
  }
  if (status === 404) return answer.isJson ? 'missing' : NO_COORDINATOR;
  // A page that says 405 or 413 is some proxy's: only the coordinator itself can find a request wrong.
  const isItsOwn = answer.isJson || WRONG.has(status);
  if (status >= 400 && status < 500 && isItsOwn && !TRY_AGAIN.has(status))
    return { kind: 'refused', status, code: code ?? String(status) };
  const retryAfterMs = retryAfterOf(answer);
  return {
    kind: 'unreachable',
    why:
      status >= 300 && status < 400
        ? `it redirects (${status}), which is not followed`
        : `it answered ${status}`,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
}

/** `Retry-After` in ms: seconds, or a date by the answer's own clock (RFC 9110, 10.2.3). */
function retryAfterOf({ retryAfter, date }: Answer): number | undefined {
  if (retryAfter === undefined) return undefined;
  if (/^\d+$/.test(retryAfter.trim())) return Number(retryAfter) * SECOND;
  const at = Date.parse(retryAfter);
  return Number.isNaN(at) || date === undefined ? undefined : Math.max(0, at - date);
}

function codeOf(body: unknown): string | undefined {
  const code = (body as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' && /^[a-z_]{1,40}$/.test(code) ? code : undefined;
}
