import { type Clock, SECOND } from '../../../src/platform/clock.ts';

interface Sleeper {
  readonly until: number;
  readonly wake: () => void;
}

/** A clock that stands still until a test moves it; only short waits pass by themselves, at once. */
export class HandClock implements Clock {
  /** Waits up to this long (ms) pass by themselves. */
  passes = 2 * SECOND;
  readonly sleeps: number[] = [];
  readonly #sleepers = new Set<Sleeper>();
  #at = 0;

  now(): number {
    return Date.parse('2026-03-01T12:00:00Z') + this.#at;
  }

  monotonic(): number {
    return this.#at;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    this.sleeps.push(ms);
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const sleeper = {
        until: this.#at + ms,
        wake: () => {
          signal?.removeEventListener('abort', onAbort);
          this.#sleepers.delete(sleeper);
          resolve();
        },
      };
      const onAbort = () => {
        this.#sleepers.delete(sleeper);
        reject(signal?.reason as Error);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#sleepers.add(sleeper);
      if (ms <= this.passes)
        setImmediate(() => {
          if (this.#sleepers.has(sleeper)) this.pass(sleeper.until - this.#at);
        });
    });
  }

  /** Whether somebody waits for time to pass. */
  get isAwaited(): boolean {
    return this.#sleepers.size > 0;
  }

  pass(ms: number): void {
    this.#at += Math.max(0, ms);
    for (const sleeper of this.#sleepers) if (sleeper.until <= this.#at) sleeper.wake();
  }
}
