/**
 * The inbox as an index in memory: names, order and the headers that planning needs. Files are looked at again
 * only when they changed, and read again only when their size or times did; the index is kept on disk, so that
 * ten thousand waiting jobs cost nothing at the next start.
 */
import { closeSync, openSync, readSync, type Stats, statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { type Clock, SECOND } from '../../platform/clock.ts';
import { errnoOf } from '../../platform/errors.ts';
import { readIfThere, writeDurable } from '../../platform/files.ts';
import { type JobHeader, readHeader } from '../manifest/header.ts';
import type { Layout } from './layout.ts';
import { isJobFile } from './store.ts';

/** A file that has not changed for so long (ms) is completely written. */
const SETTLE = 1 * SECOND;
/** An empty file is waited for so long, ms. */
const EMPTY = 30 * SECOND;
/** Read of each file for its header, in bytes; and where the front matter is longer, the most that one may have. */
const HEAD = 2048;
const LONG_HEAD = 40 * 1024;
/** The thread is held for so long at a time, ms. */
const SLICE = 5;
/** All files are looked at again at least so often (ms), because file watchers miss things. */
const LOOK_AT_ALL = 10 * SECOND;
/** To be raised with every change of what a header holds. */
const INDEX_VERSION = 2;

export interface InboxEntry {
  /** The file name without `.md`. */
  readonly name: string;
  readonly file: string;
  readonly size: number;
  readonly mtimeMs: number;
  readonly header: JobHeader;
  readonly settled: boolean;
}

interface Seen {
  readonly size: number;
  readonly mtimeMs: number;
  readonly header: JobHeader;
  /** Monotonic ms at which these very size and time were first seen. */
  readonly since: number;
  readonly settled: boolean;
}

interface Stored {
  readonly version: typeof INDEX_VERSION;
  readonly entries: Record<string, readonly [size: number, mtimeMs: number, header: JobHeader]>;
}

export class Inbox {
  readonly #directory: string;
  readonly #cacheFile: string;
  readonly #clock: Clock;
  #seen = new Map<string, Seen>();
  #loaded: Promise<void> | undefined;
  /** Files to look at again; undefined: all. */
  #heard: Set<string> | undefined;
  /** When all were looked at last, monotonic ms. */
  #lookedAt = 0;
  #dirty = false;

  constructor(layout: Layout, clock: Clock) {
    this.#directory = layout.stage('queued');
    this.#cacheFile = path.join(layout.cache, 'inbox.json');
    this.#clock = clock;
  }

  /** What is known without looking again. */
  entries(): InboxEntry[] {
    return [...this.#seen].map(([name, seen]) => ({
      name,
      file: path.join(this.#directory, `${name}.md`),
      size: seen.size,
      mtimeMs: seen.mtimeMs,
      header: seen.header,
      settled: seen.settled,
    }));
  }

  get(name: string): InboxEntry | undefined {
    const seen = this.#seen.get(name);
    if (seen === undefined) return undefined;
    const { size, mtimeMs, header, settled } = seen;
    return { name, file: path.join(this.#directory, `${name}.md`), size, mtimeMs, header, settled };
  }

  /** A file of the inbox (its name with the ending) may have changed; undefined: any may have. */
  heard(name: string | undefined): void {
    if (name === undefined) this.#heard = undefined;
    else this.#heard?.add(name);
  }

  /** Recalls what the last process left of the index. True when that is all there is so far: entries, none of them looked at. */
  async recall(): Promise<boolean> {
    this.#loaded ??= this.#load();
    await this.#loaded;
    return this.#lookedAt === 0 && this.#seen.size > 0;
  }

  /**
   * Looks again at the files that were heard of, and now and then at all of them. Returns in how many ms to look
   * again because a file may still be growing; undefined when none is.
   */
  async refresh(): Promise<number | undefined> {
    this.#loaded ??= this.#load();
    await this.#loaded;
    const now = this.#clock.monotonic();
    const all = this.#heard === undefined || now - this.#lookedAt > LOOK_AT_ALL;
    const names = all
      ? (await readdir(this.#directory)).filter(isJobFile).map(withoutEnding)
      : this.#heardOf();
    this.#heard = new Set();
    if (all) {
      this.#lookedAt = now;
      const present = new Set(names);
      for (const name of this.#seen.keys()) if (!present.has(name)) this.#forget(name);
    }
    await inSlices(names, (name) => this.#look(name));
    return this.#growing().length > 0 ? SETTLE : undefined;
  }

  /** Keeps the index on disk for the next process, if it has changed. Losing it costs time, nothing else. */
  async save(): Promise<void> {
    if (!this.#dirty) return;
    this.#dirty = false;
    const stored: Stored = { version: INDEX_VERSION, entries: {} };
    for (const [name, seen] of this.#seen) {
      if (seen.settled) stored.entries[name] = [seen.size, seen.mtimeMs, seen.header];
    }
    await writeDurable(this.#cacheFile, JSON.stringify(stored)).catch(() => undefined);
  }

  #heardOf(): string[] {
    return [
      ...new Set([...[...(this.#heard ?? [])].filter(isJobFile).map(withoutEnding), ...this.#growing()]),
    ];
  }

  #growing(): string[] {
    return [...this.#seen].filter(([, seen]) => !seen.settled).map(([name]) => name);
  }

  #forget(name: string): void {
    if (this.#seen.delete(name)) this.#dirty = true;
  }

  #look(name: string): void {
    const file = path.join(this.#directory, `${name}.md`);
    const stats = statsOf(file);
    if (!stats?.isFile()) {
      this.#forget(name);
      return;
    }
    const before = this.#seen.get(name);
    const same = before !== undefined && before.size === stats.size && before.mtimeMs === stats.mtimeMs;
    if (same && before.settled) return;
    const since = same ? before.since : this.#clock.monotonic();
    const now = this.#clock.now();
    const watched = this.#clock.monotonic() - since;
    // An editor has just made an empty one, and its author still thinks.
    const begun = stats.size > 0 || now - stats.mtimeMs >= EMPTY || watched >= EMPTY;
    const settled = begun && isSettled(stats, now, watched);
    const header = same ? before.header : readHeaderOf(file, name);
    this.#seen.set(name, { size: stats.size, mtimeMs: stats.mtimeMs, header, since, settled });
    this.#dirty = true;
  }

  async #load(): Promise<void> {
    try {
      const stored = JSON.parse((await readIfThere(this.#cacheFile)) ?? '{}') as Partial<Stored>;
      if (stored.version !== INDEX_VERSION) return;
      for (const [name, [size, mtimeMs, header]] of Object.entries(stored.entries ?? {})) {
        this.#seen.set(name, { size, mtimeMs, header, since: 0, settled: true });
      }
    } catch {
      this.#seen = new Map();
    }
  }
}

/**
 * Whether a file is completely written. Writing sets both times, renaming only `ctime`: a file whose `ctime` is
 * the later one arrived by rename, whole. Otherwise it must have stood still for SETTLE, by its own time or as
 * we have watched it (by our monotonic clock, so that a wall clock that jumps does no harm).
 */
export function isSettled(
  times: Pick<Stats, 'mtimeMs' | 'ctimeMs'>,
  now: number,
  watchedMs: number,
): boolean {
  if (times.ctimeMs > times.mtimeMs) return true;
  return now - times.mtimeMs >= 2 * SETTLE || watchedMs >= SETTLE;
}

/** Undefined for what is not there, or leads nowhere (a link in a circle): one such file must not hold up the others. */
function statsOf(file: string): Stats | undefined {
  try {
    return statSync(file, { throwIfNoEntry: false });
  } catch (error) {
    if (['ELOOP', 'EACCES', 'EPERM', 'ENAMETOOLONG'].includes(errnoOf(error) ?? '')) return undefined;
    throw error;
  }
}

function readHeaderOf(file: string, fileName: string): JobHeader {
  const header = readHeader(readHead(file, HEAD), { fileName });
  return header.partial ? readHeader(readHead(file, LONG_HEAD), { fileName }) : header;
}

function readHead(file: string, length: number): string {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, 'r');
    const buffer = Buffer.allocUnsafe(length);
    return buffer.toString('utf8', 0, readSync(descriptor, buffer, 0, length, 0));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return '';
    throw error;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

function withoutEnding(file: string): string {
  return file.slice(0, -'.md'.length);
}

/**
 * Does synchronous work for each item, and lets others have the thread every SLICE. For many small files this is
 * several times faster than a promise for each.
 */
async function inSlices<T>(items: readonly T[], work: (item: T) => void): Promise<void> {
  let until = performance.now() + SLICE;
  for (const item of items) {
    work(item);
    if (performance.now() < until) continue;
    await setImmediate();
    until = performance.now() + SLICE;
  }
}
