/** Queued jobs that have been in work before, e.g. those that wait for a limit to be lifted: what is known of them beside their files. */
import { open } from 'node:fs/promises';
import { errnoOf } from '../../platform/errors.ts';
import type { JobState } from '../job/state.ts';
import type { InboxEntry } from './inbox.ts';
import { parseEntry } from './journal.ts';
import type { Store } from './store.ts';

/** Read of a journal that has not been seen yet, from its end, in bytes. */
const TAIL = 1 << 20;

/** Follows the journal, so that a look costs only what has been added since the last one. */
export class Requeued {
  readonly #store: Store;
  readonly #ids = new Set<string>();
  #offset = -1;
  #reading: Promise<void> = Promise.resolve();

  constructor(store: Store) {
    this.#store = store;
  }

  /** By id: the states of those among `entries` whose last transition led back into the queue. */
  async states(entries: readonly InboxEntry[]): Promise<ReadonlyMap<string, JobState>> {
    // One after the other: what is read later tells of what happened later.
    this.#reading = this.#reading.catch(() => undefined).then(() => this.#follow());
    await this.#reading;
    const states = new Map<string, JobState>();
    for (const { name } of this.#ids.size === 0 ? [] : entries) {
      const state = this.#ids.has(name)
        ? await this.#store.readState(name).catch(() => undefined)
        : undefined;
      if (state?.stage === 'queued') states.set(name, state);
    }
    return states;
  }

  async #follow(): Promise<void> {
    for (const line of (await this.#added()).split('\n')) {
      const entry = parseEntry(line);
      if (entry?.to === 'queued') this.#ids.add(entry.id);
      else if (entry !== undefined) this.#ids.delete(entry.id);
    }
  }

  /** Whole lines only: the rest of a line that is being written comes with the next look. */
  async #added(): Promise<string> {
    const handle = await open(this.#store.layout.journal, 'r').catch((error: unknown) => {
      if (errnoOf(error) !== 'ENOENT') throw error;
    });
    if (handle === undefined) return '';
    try {
      const { size } = await handle.stat();
      const start = this.#offset < 0 || this.#offset > size ? Math.max(0, size - TAIL) : this.#offset;
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(size - start), 0, size - start, start);
      const end = buffer.subarray(0, bytesRead).lastIndexOf('\n') + 1;
      this.#offset = start + end;
      return buffer.toString('utf8', 0, end);
    } finally {
      await handle.close();
    }
  }
}
