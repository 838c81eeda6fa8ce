/** When a coordinator that did not answer is tried again (fleet-protocol.md, rule 2). Pure; ms. */
import { MINUTE, SECOND } from '../platform/clock.ts';

const FIRST = 1 * SECOND;
const LONGEST = 1 * MINUTE;
/** While a lease is held or a report waits, probes are at most this far apart. */
export const PRESSING = 4 * SECOND;

export interface Retry {
  /** How often it failed in a row; 1 after the first time. */
  readonly failures: number;
  /** 0 to 1. */
  readonly random: number;
  readonly retryAfterMs?: number | undefined;
  /** A lease is held, or a report waits. */
  readonly pressing: boolean;
}

/** Exponential with full jitter, from 1 s to 60 s; what the coordinator asks for wins. */
export function retryIn({ failures, random, retryAfterMs, pressing }: Retry): number {
  // What asks for no pause at all gets one: a second is the least that is polite.
  if (retryAfterMs !== undefined) return Math.max(FIRST, retryAfterMs);
  const ceiling = Math.min(LONGEST, FIRST * 2 ** Math.min(Math.max(failures - 1, 0), 10));
  const wait = Math.max(FIRST / 4, ceiling * random);
  return pressing ? Math.min(wait, PRESSING) : wait;
}
