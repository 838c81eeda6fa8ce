/** Where the runner asks for a job and the loop answers: one question at a time, and a rest after it came to nothing. */
import type { Clock } from '../platform/clock.ts';
import { elapsed, type Stamp, stampOf } from './elapsed.ts';

export class ClaimDesk {
  readonly #clock: Clock;
  #wanted: PromiseWithResolvers<boolean> | undefined;
  #resting: { readonly from: Stamp; readonly ms: number } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get isWanted(): boolean {
    return this.#wanted !== undefined;
  }

  /** Resolves with the next answer; everybody who asks meanwhile gets the same. */
  want(): Promise<boolean> {
    this.#wanted ??= Promise.withResolvers<boolean>();
    return this.#wanted.promise;
  }

  /** @param isJob a job has come into the runner's hands */
  answer(isJob: boolean): void {
    this.#wanted?.resolve(isJob);
    this.#wanted = undefined;
  }

  /** Nothing is claimed for so long (ms), or as long as it rests already. */
  rest(ms: number): void {
    if (this.restMs() < ms) this.#resting = { from: stampOf(this.#clock), ms };
  }

  /** How long (ms) claiming still rests. */
  restMs(): number {
    const { from, ms } = this.#resting ?? {};
    return from === undefined || ms === undefined ? 0 : Math.max(0, ms - elapsed(from, stampOf(this.#clock)));
  }
}
