/** Notices that the machine has slept, or that a clock was set (rule 4): no event tells, so it is looked at each turn. */
import type { Clock } from '../platform/clock.ts';
import { elapsed, type Stamp, slept, stampOf } from './elapsed.ts';

export class SleepWatch {
  readonly #clock: Clock;
  #last: { readonly at: Stamp; readonly meantMs?: number };

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#last = { at: stampOf(clock) };
  }

  /** A pause of so long (ms) begins: one that ends much later was a sleep. */
  pauses(meantMs: number): void {
    this.#last = { at: stampOf(this.#clock), meantMs };
  }

  /** How long (ms) since the last look, if the machine has slept since then; else undefined. */
  look(): number | undefined {
    const now = stampOf(this.#clock);
    const { at, meantMs } = this.#last;
    this.#last = { at: now };
    return slept(at, now, meantMs) ? elapsed(at, now) : undefined;
  }
}
