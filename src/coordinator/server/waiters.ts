/**
 * Long polls: claims that wait for a job. One that becomes ready is offered to the first who waits and can do it, and
 * passed on if that one comes away empty, so that ten thousand who wait do not all run for one job. An offer is only
 * a hint (the process may be one of several): everybody also looks by himself now and then.
 */
import { SECOND } from '../../platform/clock.ts';
import { missing, offers } from '../rules/matching.ts';
import type { Ready } from '../store.ts';

/** How often one who waits looks by himself, ms. */
const LOOK_EVERY = 10 * SECOND;
/** To so many an offer is passed on. */
const PASSED_ON = 8;

export interface Wait<T> {
  readonly productId: string;
  readonly capabilities: readonly string[];
  readonly ms: number;
  /** When its connection is gone, nobody waits any more. */
  readonly signal: AbortSignal;
  /** One claim; undefined: there was nothing. */
  readonly claim: () => Promise<T | undefined>;
}

export class Waiters {
  readonly #waiting = new Set<Waiter>();
  #isClosed = false;

  get size(): number {
    return this.#waiting.size;
  }

  /** What the claim gave, or undefined: there was nothing in that time, or nobody is to wait any more. */
  async wait<T>(wait: Wait<T>): Promise<T | undefined> {
    if (this.#isClosed) return wait.claim();
    let given: T | undefined;
    const waiter = new Waiter(wait, async () => {
      given = await wait.claim();
      return given !== undefined;
    });
    // Before the first look: what becomes ready while it looks is not missed.
    this.#waiting.add(waiter);
    try {
      await waiter.done();
    } finally {
      this.#waiting.delete(waiter);
    }
    return given;
  }

  offer(ready: readonly Ready[]): void {
    for (const each of ready) void this.#offerOne(each);
  }

  /** Everybody goes away empty, at once; who is being given a job takes it along. */
  close(): void {
    this.#isClosed = true;
    for (const waiter of this.#waiting) waiter.stop();
  }

  async #offerOne(ready: Ready): Promise<void> {
    let passedOn = 0;
    for (const waiter of this.#waiting) {
      if (!waiter.takes(ready)) continue;
      if (waiter.isLooking) waiter.hasMissed = true;
      else if (await waiter.look()) return;
      else passedOn += 1;
      if (passedOn === PASSED_ON) return;
    }
  }
}

class Waiter {
  isLooking = false;
  /** Something was offered while it looked. */
  hasMissed = false;
  readonly #productId: string;
  readonly #offered: ReadonlySet<string>;
  readonly #claim: () => Promise<boolean>;
  readonly #over = Promise.withResolvers<void>();
  readonly #timer: NodeJS.Timeout;
  readonly #looks: NodeJS.Timeout;
  readonly #signal: AbortSignal;
  #isStopped = false;

  constructor(wait: Wait<unknown>, claim: () => Promise<boolean>) {
    this.#productId = wait.productId;
    this.#offered = offers(wait.capabilities);
    this.#claim = claim;
    this.#signal = wait.signal;
    this.#timer = setTimeout(this.stop, wait.ms);
    this.#looks = setInterval(() => void this.look(), LOOK_EVERY);
    this.#signal.addEventListener('abort', this.stop, { once: true });
    if (this.#signal.aborted) this.stop();
  }

  /** Resolves when it has a job or is to wait no more; rejects when a claim did. */
  async done(): Promise<void> {
    void this.look();
    try {
      await this.#over.promise;
    } finally {
      clearTimeout(this.#timer);
      clearInterval(this.#looks);
      this.#signal.removeEventListener('abort', this.stop);
    }
  }

  takes({ productId, requires }: Ready): boolean {
    return productId === this.#productId && missing(requires, this.#offered).length === 0;
  }

  /** A claim under way is waited for: the job that it may bring has been given out. */
  readonly stop = (): void => {
    this.#isStopped = true;
    if (!this.isLooking) this.#over.resolve();
  };

  /** Whether it has got a job. */
  async look(): Promise<boolean> {
    if (this.isLooking || this.#isStopped) return false;
    this.isLooking = true;
    try {
      do {
        this.hasMissed = false;
        if (await this.#claim()) {
          this.#isStopped = true;
          return true;
        }
      } while (this.hasMissed && !this.#isStopped);
      return false;
    } catch (error) {
      this.#over.reject(error);
      return false;
    } finally {
      this.isLooking = false;
      if (this.#isStopped) this.#over.resolve();
    }
  }
}
