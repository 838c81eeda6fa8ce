import type { Clock } from '../../platform/clock.ts';
import { SECOND } from '../../platform/clock.ts';

/** Time is taken in steps of this length (ms). */
const STEP = SECOND;
/** A step that takes longer than this (ms) did so because the machine slept: on some systems the monotonic clock goes on meanwhile. */
const LONGEST_STEP = 3 * SECOND;

/**
 * Counts the time (ms) that the machine is awake: a run's time limit is not used up by a closed lid. Counts from its
 * making until the signal is aborted.
 */
export class AwakeTimer {
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  #counted = 0;
  #last: number;

  constructor(clock: Clock, signal: AbortSignal) {
    this.#clock = clock;
    this.#signal = signal;
    this.#last = clock.monotonic();
  }

  /** Awake time so far. Right only while a `wait` is under way, which takes the steps. */
  elapsed(): number {
    const now = this.#clock.monotonic();
    this.#counted += Math.min(now - this.#last, LONGEST_STEP);
    this.#last = now;
    return this.#counted;
  }

  /** Resolves once `ms` have been counted in all; rejects with the signal's reason when it is aborted first. */
  async wait(ms: number): Promise<void> {
    for (let left = ms - this.elapsed(); left > 0; left = ms - this.elapsed()) {
      await this.#clock.sleep(Math.min(left, STEP), this.#signal);
    }
  }
}
