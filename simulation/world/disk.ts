/**
 * A disk as POSIX promises it and no better: what is written is seen by everybody at once, and survives a power cut
 * only if it was synced; a rename is atomic, and survives only if one of its directories was synced (or something
 * later was: a journal is in order).
 */
import path from 'node:path';
import type { World } from './world.ts';

export type Content = string | Uint8Array;

export class File {
  content: Content = '';
  /** What a power cut leaves of it; undefined: it was never synced. */
  synced: Content | undefined;
  mtimeMs: number;
  ctimeMs: number;
  mode = 0o600;

  constructor(now: number) {
    this.mtimeMs = now;
    this.ctimeMs = now;
  }
}

export class Directory {
  readonly entries = new Map<string, Entry>();
  mtimeMs: number;
  ctimeMs: number;
  mode = 0o700;

  constructor(now: number) {
    this.mtimeMs = now;
    this.ctimeMs = now;
  }
}

type Entry = File | Directory;

/** Entries that came, went or changed their place together. */
interface Change {
  readonly parts: readonly {
    readonly directory: Directory;
    readonly name: string;
    readonly before: Entry | undefined;
  }[];
}

/** So many changes are kept back at most: after some seconds the kernel writes by itself. */
const MOST_UNSYNCED = 64;

export class Disk {
  readonly #world: World;
  readonly #root: Directory;
  /** Oldest first. */
  #unsynced: Change[] = [];
  isFull = false;
  /** Told of every directory in which an entry came, went or changed. */
  watch: ((directory: string, name: string) => void) | undefined;

  constructor(world: World) {
    this.#world = world;
    this.#root = new Directory(0);
  }

  find(file: string): Entry | undefined {
    let at: Entry = this.#root;
    for (const part of partsOf(file)) {
      if (!(at instanceof Directory)) return undefined;
      const next: Entry | undefined = at.entries.get(part);
      if (next === undefined) return undefined;
      at = next;
    }
    return at;
  }

  entry(file: string): Entry {
    return this.find(file) ?? fail('ENOENT', file);
  }

  file(file: string): File {
    const found = this.entry(file);
    return found instanceof File ? found : fail('EISDIR', file);
  }

  directory(folder: string): Directory {
    const found = this.entry(folder);
    return found instanceof Directory ? found : fail('ENOTDIR', folder);
  }

  /** @throws ENOSPC while the disk is full */
  make(file: string, mode: number, now: number): File {
    const made = new File(now);
    made.mode = mode;
    this.#put(file, made, now);
    return made;
  }

  makeDirectory(folder: string, mode: number, now: number): void {
    const made = new Directory(now);
    made.mode = mode;
    this.#put(folder, made, now);
  }

  write(file: string, node: File, content: Content, now: number): void {
    this.mustHaveRoom(file);
    node.content = content;
    node.mtimeMs = now;
    node.ctimeMs = now;
    this.#tell(file);
  }

  rename(from: string, to: string, now: number): void {
    const moved = this.entry(from);
    const before = this.find(to);
    if (before instanceof Directory && before.entries.size > 0) fail('ENOTEMPTY', to);
    const source = this.#parent(from);
    const target = this.#parent(to);
    this.#change([source, target], () => {
      source.directory.entries.delete(source.name);
      target.directory.entries.set(target.name, moved);
    });
    moved.ctimeMs = now;
    source.directory.mtimeMs = now;
    target.directory.mtimeMs = now;
    this.#tell(from);
    this.#tell(to);
  }

  remove(file: string, now: number): void {
    this.entry(file);
    const place = this.#parent(file);
    this.#change([place], () => place.directory.entries.delete(place.name));
    place.directory.mtimeMs = now;
    this.#tell(file);
  }

  /** A journal is in order: with a directory everything before its newest change is safe as well. */
  syncDirectory(directory: Directory): void {
    const last = this.#unsynced.findLastIndex(({ parts }) =>
      parts.some((part) => part.directory === directory),
    );
    if (last >= 0) this.#unsynced.splice(0, last + 1);
  }

  /** All that is there survives a power cut: it has been there for long. */
  settle(): void {
    this.#unsynced = [];
  }

  mustHaveRoom(file: string): void {
    if (this.isFull) fail('ENOSPC', file);
  }

  powerCut(): void {
    const { chance } = this.#world;
    // Some of the oldest have come to the disk by themselves.
    const survive = chance.between(0, this.#unsynced.length);
    for (const { parts } of this.#unsynced.splice(survive).reverse()) {
      for (const { directory, name, before } of parts) {
        if (before === undefined) directory.entries.delete(name);
        else directory.entries.set(name, before);
      }
    }
    this.#unsynced = [];
    this.#tear(this.#root);
  }

  #tear(directory: Directory): void {
    const { chance } = this.#world;
    for (const entry of directory.entries.values()) {
      if (entry instanceof Directory) this.#tear(entry);
      else if (entry.synced !== entry.content) {
        const { content, synced = '' } = entry;
        entry.content = chance.pick([synced, content, content.slice(0, chance.between(0, content.length))]);
        entry.synced = entry.content;
      }
    }
  }

  #put(file: string, made: Entry, now: number): void {
    this.mustHaveRoom(file);
    const place = this.#parent(file);
    this.#change([place], () => place.directory.entries.set(place.name, made));
    place.directory.mtimeMs = now;
    this.#tell(file);
  }

  #parent(file: string): { directory: Directory; name: string } {
    return { directory: this.directory(path.dirname(file)), name: path.basename(file) };
  }

  #change(places: readonly { directory: Directory; name: string }[], change: () => void): void {
    const parts = places.map(({ directory, name }) => ({
      directory,
      name,
      before: directory.entries.get(name),
    }));
    change();
    this.#unsynced.push({ parts });
    if (this.#unsynced.length > MOST_UNSYNCED) this.#unsynced.splice(0, MOST_UNSYNCED / 2);
  }

  #tell(file: string): void {
    this.watch?.(path.dirname(file), path.basename(file));
  }
}

/** The same few thousand paths are asked for again and again. */
const known = new Map<string, readonly string[]>();
const MOST_KNOWN = 10_000;

function partsOf(file: string): readonly string[] {
  const found = known.get(file);
  if (found !== undefined) return found;
  if (known.size >= MOST_KNOWN) known.clear();
  const parts = file.split('/').filter((part) => part !== '');
  known.set(file, parts);
  return parts;
}

/** The system's error of that name. */
export function fail(code: string, file: string): never {
  throw Object.assign(new Error(`${code}: ${file}`), { code, path: file });
}
