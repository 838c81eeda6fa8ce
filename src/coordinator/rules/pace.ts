/**
 * How often factories send heartbeats (fleet-protocol.md: the coordinator sets the pace, and it stretches as the
 * fleet grows). Pure; seconds.
 */

/** Of a small fleet, whose members are then seen to be gone within a minute. */
const SHORTEST = 30;
/** As long as a factory would choose by itself. */
const LONGEST = 300;
/** Heartbeats a second that a coordinator is willing to spend its time on. */
const BUDGET = 50;

export function nextHeartbeatSec(factories: number): number {
  return Math.min(LONGEST, Math.max(SHORTEST, Math.ceil(factories / BUDGET)));
}

/** Three heartbeats that did not come: nobody is there. ms. */
export function silentAfterMs(factories: number): number {
  return nextHeartbeatSec(factories) * 3 * 1000;
}
