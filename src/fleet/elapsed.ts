/** Elapsed time on a machine that sleeps and whose clock is set (fleet-protocol.md, rule 4). Pure. All values are ms. */
import type { Clock } from '../platform/clock.ts';
import { SECOND } from '../platform/clock.ts';

/** One moment, by both clocks. */
export interface Stamp {
  readonly wall: number;
  readonly monotonic: number;
}

/** Clocks that differ by more than this, or a timer that is so late, tell of a sleep (or of a clock that was set). */
const TOLERANCE = 2 * SECOND;

export function stampOf(clock: Pick<Clock, 'now' | 'monotonic'>): Stamp {
  return { wall: clock.now(), monotonic: clock.monotonic() };
}

/** How long it was, at the most: the larger of what the two clocks say, and never less than nothing. */
export function elapsed(from: Stamp, to: Stamp): number {
  return Math.max(to.wall - from.wall, to.monotonic - from.monotonic, 0);
}

/**
 * Whether the machine may have slept in between: the clocks differ in what they say (in either direction, because a
 * wall clock that was set back hides how long it was), or it was longer than the wait that was meant.
 */
export function slept(from: Stamp, to: Stamp, meantMs?: number): boolean {
  const difference = Math.abs(to.wall - from.wall - (to.monotonic - from.monotonic));
  return difference > TOLERANCE || (meantMs !== undefined && elapsed(from, to) - meantMs > TOLERANCE);
}
