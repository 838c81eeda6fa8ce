/** The newest of what went between this factory and its coordinator, for a person who wonders. In memory only. */
import type { Clock } from '../platform/clock.ts';

export interface Entry {
  /** ms since 1970; of the newest, where it happened several times in a row. */
  readonly at: number;
  readonly text: string;
  /** How often in a row. */
  readonly times?: number;
}

/** An epoch that turned out to be stale. */
export interface FencedEntry extends Entry {
  /** The local id. */
  readonly id: string;
  readonly jobId: string;
  readonly epoch: number;
}

const MOST = 20;

export class Chronicle {
  readonly #clock: Clock;
  #heartbeats: readonly Entry[] = [];
  #transitions: readonly Entry[] = [];
  #fenced: readonly FencedEntry[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Oldest first. */
  get heartbeats(): readonly Entry[] {
    return this.#heartbeats;
  }

  /** Claims, accepted reports, releases, and what was taken away; oldest first. */
  get transitions(): readonly Entry[] {
    return this.#transitions;
  }

  get fencedLately(): readonly FencedEntry[] {
    return this.#fenced;
  }

  heartbeat(text: string): void {
    this.#heartbeats = added(this.#heartbeats, { at: this.#clock.now(), text });
  }

  transition(text: string): void {
    this.#transitions = added(this.#transitions, { at: this.#clock.now(), text });
  }

  fenced(entry: Omit<FencedEntry, 'at'>): void {
    this.#fenced = [...this.#fenced, { ...entry, at: this.#clock.now() }].slice(-MOST);
    this.transition(`${entry.jobId}, epoch ${entry.epoch}: ${entry.text}`);
  }
}

/** A night without a network is one line, not a thousand. */
function added(entries: readonly Entry[], entry: Entry): readonly Entry[] {
  const last = entries.at(-1);
  if (last?.text !== entry.text) return [...entries, entry].slice(-MOST);
  return [...entries.slice(0, -1), { ...entry, times: (last.times ?? 1) + 1 }];
}
