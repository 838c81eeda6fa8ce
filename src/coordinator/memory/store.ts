/**
 * A store that forgets: for simulations, which run it under a virtual clock and need the same end every time, and
 * for tests. Everything in it happens at once.
 */
import type { Clock } from '../../platform/clock.ts';
import { apply } from '../operations/apply.ts';
import type { CoordinatorSettings } from '../settings.ts';
import type { Operation, Ready, ResultOf, Store } from '../store.ts';
import { MemoryTransaction } from './transaction.ts';

export class MemoryStore implements Store {
  readonly #rows = new MemoryTransaction();
  readonly #listeners = new Set<(ready: readonly Ready[]) => void>();
  readonly #clock: Pick<Clock, 'now'>;
  readonly #settings: CoordinatorSettings;

  constructor(clock: Pick<Clock, 'now'>, settings: CoordinatorSettings) {
    this.#clock = clock;
    this.#settings = settings;
  }

  /** The same as `run`, without a promise. */
  runNow(operations: readonly Operation[]): ResultOf<Operation['do']>[] {
    this.#rows.begin(this.#clock.now());
    const results = operations.map((operation) => apply(this.#rows, operation, this.#settings));
    const { announced } = this.#rows;
    if (announced.length > 0) for (const listener of this.#listeners) listener(announced);
    return results;
  }

  run: Store['run'] = async (operations) => this.runNow(operations) as never;

  onReady(listener: (ready: readonly Ready[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
