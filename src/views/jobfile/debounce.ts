/** Runs work for a key once nothing more has been asked for it during `delayMs`. */
export class Debounce<K> {
  readonly #delayMs: number;
  readonly #timers = new Map<K, NodeJS.Timeout>();

  constructor(delayMs: number) {
    this.#delayMs = delayMs;
  }

  /** Replaces work that still waits for this key. */
  run(key: K, work: () => void): void {
    this.cancel(key);
    const timer = setTimeout(() => {
      this.#timers.delete(key);
      work();
    }, this.#delayMs);
    this.#timers.set(key, timer);
  }

  cancel(key: K): void {
    clearTimeout(this.#timers.get(key));
    this.#timers.delete(key);
  }

  dispose(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }
}
