/** While something depends on it: notices that the machine has slept, and puts every lease in doubt (rule 4). */
import { MINUTE, SECOND } from '../platform/clock.ts';
import type { Exchange } from './exchange.ts';
import { doubted } from './lease.ts';
import { woke } from './session.ts';
import { SleepWatch } from './sleep-watch.ts';

/** How often (ms) it is looked whether the machine has slept: no event tells. */
export const WAKE_LOOK = 2 * SECOND;

export class Vigil {
  readonly #exchange: Exchange;
  readonly #sleep: SleepWatch;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
    this.#sleep = new SleepWatch(exchange.options.clock);
  }

  /** Has it slept, or was a clock set, since the last look? Then every lease is in doubt. */
  look(): void {
    const ms = this.#sleep.look();
    if (ms === undefined) return;
    const exchange = this.#exchange;
    const { clock, log } = exchange.options;
    log.info(
      `This machine slept, or its clock was set (about ${Math.round(ms / SECOND)} s). Nothing leaves it for claimed jobs until their leases are renewed.`,
    );
    exchange.slept = { ms, wokeAt: clock.now() };
    for (const held of exchange.held.values()) {
      held.lease = doubted(held.lease, 'sleep');
      held.slept = exchange.slept;
    }
    exchange.connection = woke(exchange.connection);
    exchange.claiming.interrupted();
    exchange.pushes.giveUp();
  }

  /** Waits so long (ms), less while a sleep would have to be noticed, or until it is woken or ended. */
  async pause(ms: number, woken: Promise<void>, signal: AbortSignal): Promise<void> {
    const meantMs = Math.min(ms, this.#matters() ? WAKE_LOOK : MINUTE);
    // Nobody is told: nothing has happened, and who waits for a verdict would wake us at once, and so on for ever.
    this.#sleep.pauses(meantMs);
    const over = new AbortController();
    void woken.then(() => over.abort());
    const { clock } = this.#exchange.options;
    await clock.sleep(meantMs, AbortSignal.any([over.signal, signal])).catch(() => undefined);
    over.abort();
  }

  /** A machine may fall asleep in the midst of a call or a write as well: what ends late is then a look beside it. */
  async watch(action: Promise<void>): Promise<void> {
    const over = new AbortController();
    const look = async () => {
      while (this.#matters()) {
        this.#sleep.pauses(WAKE_LOOK);
        await this.#exchange.options.clock.sleep(WAKE_LOOK, over.signal);
        this.look();
      }
    };
    // It ends by being aborted.
    const looking = look().catch(() => undefined);
    try {
      await action;
    } finally {
      over.abort();
      await looking;
    }
  }

  /** Something depends on noticing a sleep. */
  #matters(): boolean {
    return [...this.#exchange.held.values()].some(({ lease }) => lease.verdict === undefined);
  }
}
