/**
 * Tokens: 256 random bits, shown once, stored only as their SHA-256. A slow password hash protects secrets that can
 * be guessed; nobody guesses 256 random bits, so a fast hash is as safe, costs a microsecond a request, and can be
 * looked up by an index, which also tells nothing by its timing: whoever does not have the token cannot steer its hash.
 */
import { createHash, randomBytes } from 'node:crypto';

export interface MadeToken {
  /** For its owner, and for nobody else. */
  readonly token: string;
  readonly hash: string;
}

/** A short word in front says what was found, when a token turns up where it should not be. */
export function makeToken(kind: 'admin' | 'factory' | 'enrolment'): MadeToken {
  const token = `aq_${kind}_${randomBytes(32).toString('base64url')}`;
  return { token, hash: hashOf(token) };
}

export function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
