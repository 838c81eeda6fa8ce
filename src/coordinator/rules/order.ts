/**
 * Which job comes first (fleet-protocol.md, "Matching": then priority, then age; no job starves: age raises
 * priority). Pure.
 *
 * The urgency of a job is its priority plus the hours that it has waited. Of two jobs the more urgent one stays so
 * for ever, because both grow at the same pace. So the order needs no clock: it is a number that is written once and
 * that an index can be sorted by.
 */
import { HOUR } from '../../platform/clock.ts';

/** A job of priority 0 is overtaken by those of priority 9 for at most nine times this. */
const STEP = 1 * HOUR;

/** Lower comes first. `queuedAt`: since when a person has wanted the job. */
export function orderKey({ priority, queuedAt }: { priority: number; queuedAt: number }): number {
  return queuedAt - priority * STEP;
}

interface Ordered {
  readonly priority: number;
  readonly queuedAt: number;
  readonly seq: number;
}

/** Negative when `a` comes first. */
export function inOrder(a: Ordered, b: Ordered): number {
  return orderKey(a) - orderKey(b) || a.seq - b.seq;
}
