/** How long a tracker is left alone. Pure; ms. */
import { DAY, MINUTE, SECOND } from '../platform/clock.ts';

const LEAST = 1 * SECOND;
const LONGEST = 1 * MINUTE;
/** What a tracker asks for is believed up to here. */
const BELIEVED = 1 * DAY;

/** Between two comments on one host ("Best practices for using the REST API": pause between mutative requests). */
export const SPACING = 1 * SECOND;
/** Before a host without a good token is looked at again. */
export const WITHOUT_TOKEN = 1 * MINUTE;

/**
 * Exponential with full jitter, from 1 s to 60 s; what the tracker asks for wins. Never shorter than a second, so that
 * a comment whose answer was lost can be seen before it is looked for.
 * @param failures in a row; 1 after the first
 * @param random 0 to 1
 */
export function pauseAfter(failures: number, random: number, retryAfterMs?: number): number {
  if (retryAfterMs !== undefined) return Math.min(BELIEVED, Math.max(LEAST, retryAfterMs));
  return Math.max(LEAST, Math.min(LONGEST, LEAST * 2 ** Math.min(failures, 10)) * random);
}
