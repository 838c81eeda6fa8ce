/**
 * Exchanging an enrolment token for a factory's own (fleet-protocol.md, "Tokens": one use, expiring; scoped to
 * factory id and product). Pure.
 *
 * An enrolment token that names no factory enrols any that is not enrolled yet: otherwise whoever holds one could
 * take the place of a laptop that is at work. One that names a factory renews that factory's token; the older one
 * ends with that.
 */
import type { TokenRecord } from '../records.ts';
import { type Refusal, unauthorized } from '../refusal.ts';

export interface Enrolment {
  readonly factoryId: string;
  /** As the request says, if it does. */
  readonly productId?: string | undefined;
}

export function mayEnrol(
  token: TokenRecord | undefined,
  { factoryId, productId }: Enrolment,
  isEnrolled: boolean,
  now: number,
): { readonly productId: string } | Refusal {
  if (token?.kind !== 'enrolment') return unauthorized('This is no enrolment token.', false);
  if (token.usedAt !== null) return unauthorized('This enrolment token has been used.', false);
  if (token.expiresAt <= now) return unauthorized('This enrolment token has expired.', false);
  if (productId !== undefined && productId !== token.productId)
    return unauthorized('This enrolment token is for another product.');
  if (token.factoryId !== null && token.factoryId !== factoryId)
    return unauthorized('This enrolment token is for another factory.');
  if (token.factoryId === null && isEnrolled)
    return unauthorized(`A factory ${factoryId} is enrolled already: its enrolment token has to name it.`);
  return { productId: token.productId };
}
