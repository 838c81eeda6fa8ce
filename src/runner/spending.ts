/** What has been used and what may be, of one home: the ledger of today against the ceilings in force. */
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { Today } from './board.ts';
import { type Budget, endOfDay, type Hold, holdOf, withinCeiling } from './budget.ts';
import type { Layout } from './home/layout.ts';
import { Ledger, type SpendEntry } from './home/ledger.ts';
import type { JobState } from './job/state.ts';

export class Spending {
  /** The ceilings in force; another process may set others while this one runs. */
  budget: Budget;
  readonly #ledger: Ledger;
  readonly #clock: Clock;
  readonly #log: Log;
  /** The day of which it has been said that its file cannot be read to the end. */
  #saidUnreadable: string | undefined;

  constructor(options: { layout: Layout; clock: Clock; log: Log; budget: Budget }) {
    this.#ledger = new Ledger(options.layout);
    this.#clock = options.clock;
    this.#log = options.log;
    this.budget = options.budget;
  }

  /** Whether new work is held, by what is on disk now. */
  async look(): Promise<Hold | undefined> {
    await this.#read();
    return this.hold;
  }

  /** The same by what was last seen, for those who can't wait. Every run that ends here is in it at once. */
  get hold(): Hold | undefined {
    const { last } = this.#ledger;
    return last && holdOf(last, this.budget, this.#clock.now());
  }

  /** For people. */
  async today(): Promise<Today> {
    const now = this.#clock.now();
    const { day, usage, isLifted } = await this.#read();
    const { perDayUsd, perDayTokens } = this.budget;
    const { hold } = this;
    return {
      day,
      timeZone: timeZoneAt(now),
      endsAt: endOfDay(now),
      ...(usage !== undefined && { usage }),
      ceilings: {
        ...(perDayUsd !== undefined && { costUsd: perDayUsd }),
        ...(perDayTokens !== undefined && { tokens: perDayTokens }),
      },
      ...(hold !== undefined && { hold }),
      ...(isLifted && { lifted: true }),
    };
  }

  /** Counts a run that has ended, once. On disk when it resolves. */
  count(entry: SpendEntry): Promise<void> {
    return this.#ledger.add(entry);
  }

  /** A person says that more may be run today. On disk when it resolves. */
  runAnywayToday(): Promise<void> {
    return this.#ledger.lift(this.#clock.now());
  }

  /** What becomes of a job that is about to run again by itself (budget.ts). */
  within(next: JobState): JobState {
    return withinCeiling(next, this.budget, this.#clock.now());
  }

  async #read() {
    const reading = await this.#ledger.read(this.#clock.now());
    if (reading.unreadable > 0 && this.#saidUnreadable !== reading.day) {
      this.#saidUnreadable = reading.day;
      this.#log.warn(
        `What was used on ${reading.day} is not known whole: ${reading.unreadable} lines of its file under spend can’t be read. Its sum is at least what the others say.`,
      );
    }
    return reading;
  }
}

let zone: { readonly offset: number; readonly name: string } | undefined;

/** Its name; asked for anew only when its offset is another one, for it costs more than all the rest. */
function timeZoneAt(now: number): string {
  const offset = new Date(now).getTimezoneOffset();
  if (zone?.offset !== offset) zone = { offset, name: Intl.DateTimeFormat().resolvedOptions().timeZone };
  return zone.name;
}
