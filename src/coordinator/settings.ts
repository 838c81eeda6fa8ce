/** Lengths and limits that a coordinator runs with; all times in ms. */
import { DAY, HOUR, MINUTE, SECOND } from '../platform/clock.ts';

export interface CoordinatorSettings {
  /** How long a lease lasts from its claim, and from every accepted call under its epoch. */
  readonly leaseMs: number;
  /** Claims that may end badly before the job is `dead_letter`. */
  readonly attempts: number;
  /** A job is not offered again for so long to a factory that released it. */
  readonly releasedForMs: number;
  /** First and longest pause before a failed job is tried again. */
  readonly backoff: { readonly firstMs: number; readonly longestMs: number };
  /** The longest that a claim may wait for a job. */
  readonly longPollMs: number;
  /**
   * Idempotency keys are kept for so long: whoever was away for longer has lost its leases, and the epoch's last
   * write may be repeated without a key.
   */
  readonly keysForMs: number;
}

export const DEFAULT_SETTINGS: CoordinatorSettings = {
  leaseMs: 900 * SECOND,
  attempts: 3,
  releasedForMs: 1 * HOUR,
  backoff: { firstMs: 30 * SECOND, longestMs: 30 * MINUTE },
  longPollMs: 25 * SECOND,
  keysForMs: 7 * DAY,
};
