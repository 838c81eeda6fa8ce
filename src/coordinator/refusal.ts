/** Why a call changed nothing (fleet-protocol.md, "What our coordinator adds": errors have a code). */
import type { WireStage } from '../fleet/protocol.ts';

export type Refusal =
  | { readonly code: 'stale_epoch'; readonly currentEpoch: number; readonly detail: string }
  | { readonly code: 'illegal_transition'; readonly detail: string }
  | { readonly code: 'job_not_found'; readonly detail: string }
  | { readonly code: 'invalid_request'; readonly detail: string; readonly isConflict?: boolean }
  | { readonly code: 'unauthorized'; readonly detail: string; readonly isKnown: boolean }
  | { readonly code: 'idempotency_mismatch'; readonly detail: string };

export function isRefusal(value: object): value is Refusal {
  return 'code' in value && 'detail' in value;
}

/** @param now why the epoch no longer counts, as the end of a sentence about the job. */
export function stale(currentEpoch: number, now: string): Refusal {
  return { code: 'stale_epoch', currentEpoch, detail: `This lease is over: the job ${now}.` };
}

export function illegal(from: WireStage, to: string): Refusal {
  return { code: 'illegal_transition', detail: `A job that is ${from} cannot become ${to}.` };
}

export function notFound(id: string): Refusal {
  return { code: 'job_not_found', detail: `There is no job ${id} in this product.` };
}

/** @param isConflict it would be a good request if it did not clash with what is there already. */
export function invalid(detail: string, isConflict = false): Refusal {
  return { code: 'invalid_request', detail, ...(isConflict && { isConflict }) };
}

/** @param isKnown the token is good, but not for this. */
export function unauthorized(detail: string, isKnown = true): Refusal {
  return { code: 'unauthorized', detail, isKnown };
}

export function mismatch(): Refusal {
  return {
    code: 'idempotency_mismatch',
    detail: 'This Idempotency-Key has been used for another request.',
  };
}
