/** Follows the newest log of one job while it is shown, from one command's log into the next. */
import { type FSWatcher, watch } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { SECOND } from '../../platform/clock.ts';
import { logText } from '../text/log.ts';
import type { Translate } from '../text/translate.ts';
import { LogTail } from './tail.ts';

/** Watchers miss things, so the file is looked at this often all the same. */
const POLL = SECOND;
/** An engine may write thousands of lines a second; nobody reads them faster than this, ms. */
const SHOW_EVERY = 200;

export class LogFollower {
  readonly #changed: () => void;
  #tail: LogTail | undefined;
  #watcher: FSWatcher | undefined;
  #poll: NodeJS.Timeout | undefined;
  #soon: NodeJS.Timeout | undefined;
  #over = false;

  /** `changed` is called, at most every 200 ms, when there is more to show. */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** Shows this file from now on; `live` says that more may come. True when there is something new to show. */
  async show(file: string, live: boolean): Promise<boolean> {
    const other = this.#tail?.file !== file;
    if (other) {
      this.#stopWatching();
      this.#tail = new LogTail(file);
    }
    if (this.#over || !live) this.#stopWatching();
    else if (this.#poll === undefined) this.#watch(file);
    return (await this.read()) || other;
  }

  /** Reads what has been written meanwhile; true when there was something. */
  async read(): Promise<boolean> {
    return (await this.#tail?.read()) ?? false;
  }

  content(t: Translate): Uint8Array {
    const tail = this.#tail;
    const shown =
      tail === undefined
        ? { text: '', skipped: 0, address: '' }
        : { text: tail.text, skipped: tail.skipped, address: pathToFileURL(tail.file).href };
    return new TextEncoder().encode(logText(shown, t));
  }

  dispose(): void {
    this.#over = true;
    this.#stopWatching();
    clearTimeout(this.#soon);
  }

  #watch(file: string): void {
    this.#poll = setInterval(() => this.#look(), POLL);
    try {
      this.#watcher = watch(file, { persistent: false }, () => this.#look());
      this.#watcher.on('error', () => this.#watcher?.close());
    } catch {
      // Not there yet, or no watchers left on this machine: the poll will see it.
    }
  }

  #look(): void {
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      void this.#readAndTell();
    }, SHOW_EVERY);
  }

  async #readAndTell(): Promise<void> {
    try {
      if (await this.read()) this.#changed();
    } catch {
      // Gone, or not ours to read: what was read stays shown.
      this.#stopWatching();
    }
  }

  #stopWatching(): void {
    clearInterval(this.#poll);
    this.#poll = undefined;
    this.#watcher?.close();
    this.#watcher = undefined;
  }
}
