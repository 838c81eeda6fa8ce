/** Where the runner asks for a job and the loop answers: one question at a time, and a rest after it came to nothing. */
import { type Clock, SECOND } from '../platform/clock.ts';
import { elapsed, type Stamp, stampOf } from './elapsed.ts';

/** A runner that has nothing to run asks again within so long, ms. */
const LATELY = 20 * SECOND;

/** What the last claim came to, or why this factory does not make one. */
export type RestReason = 'empty' | 'unanswered' | 'refused' | 'given-back';

export interface Rest {
  /** How long nothing is claimed yet, ms. */
  readonly ms: number;
  readonly why: RestReason;
}

export class ClaimDesk {
  readonly #clock: Clock;
  #wanted: PromiseWithResolvers<boolean> | undefined;
  #asked: Stamp | undefined;
  #resting: (Rest & { readonly from: Stamp }) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Somebody waits for the answer. */
  get isWanted(): boolean {
    return this.#wanted !== undefined;
  }

  /** Nobody may be waiting any more, but the runner had nothing to run a moment ago. */
  get isWelcome(): boolean {
    return (
      this.isWanted || (this.#asked !== undefined && elapsed(this.#asked, stampOf(this.#clock)) < LATELY)
    );
  }

  /** The runner has nothing to run, whether or not it can be answered now. */
  ask(): void {
    this.#asked = stampOf(this.#clock);
  }

  /** Resolves with the next answer; everybody who asks meanwhile gets the same. */
  want(): Promise<boolean> {
    this.ask();
    this.#wanted ??= Promise.withResolvers<boolean>();
    return this.#wanted.promise;
  }

  /** @param isJob a job has come into the runner's hands */
  answer(isJob: boolean): void {
    this.#wanted?.resolve(isJob);
    this.#wanted = undefined;
  }

  /** Nothing is claimed for so long (ms), or as long as it rests already. */
  restFor(ms: number, why: RestReason): void {
    if (this.restMs() < ms) this.#resting = { from: stampOf(this.#clock), ms, why };
  }

  /** Rests no longer. */
  wake(): void {
    this.#resting = undefined;
  }

  /** How long claiming still rests, and why; undefined where it does not. */
  get rest(): Rest | undefined {
    if (this.#resting === undefined) return undefined;
    const { from, ms, why } = this.#resting;
    const left = ms - elapsed(from, stampOf(this.#clock));
    return left > 0 ? { ms: left, why } : undefined;
  }

  /** How long (ms) claiming still rests. */
  restMs(): number {
    return this.rest?.ms ?? 0;
  }
}
