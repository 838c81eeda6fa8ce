/** `node:fs/promises` on the disk of whichever simulated machine asks: as much of it as the product uses. */
import path from 'node:path';
import { Directory, type Disk, File, fail } from '../world/disk.ts';
import { here } from '../world/world.ts';
import { type Stats, statsOf } from './fs-stats.ts';

type Options =
  | { readonly mode?: number; readonly recursive?: boolean; readonly force?: boolean }
  | number
  | string
  | undefined;

/** One call: an effect of the process that makes it. */
function call<T>(what: (disk: Disk, now: number) => T, torn?: (disk: Disk, now: number) => void): Promise<T> {
  const process = here();
  const { machine } = process;
  return process.effect(
    () => what(machine.disk, machine.wall()),
    torn && (() => torn(machine.disk, machine.wall())),
  );
}

function optionsOf(options: Options): { mode?: number; recursive?: boolean; force?: boolean } {
  if (typeof options === 'number') return { mode: options };
  return typeof options === 'object' ? options : {};
}

function text(content: string | Uint8Array, encoding: unknown): string | Buffer {
  const name =
    typeof encoding === 'object' && encoding !== null
      ? (encoding as { encoding?: string }).encoding
      : encoding;
  if (name !== undefined)
    return typeof content === 'string' ? content : Buffer.from(content).toString('utf8');
  return Buffer.from(content as string);
}

/** Half of it is written when the process is killed. */
function half<T extends string | Uint8Array>(content: T): T {
  return content.slice(0, content.length >> 1) as T;
}

export function readFile(file: string, encoding?: unknown): Promise<string | Buffer> {
  return call((disk) => text(disk.file(file).content, encoding));
}

function put(
  disk: Disk,
  now: number,
  file: string,
  content: string | Uint8Array,
  options: { mode?: number; flush?: boolean },
): void {
  const node = disk.find(file) === undefined ? disk.make(file, options.mode ?? 0o666, now) : disk.file(file);
  disk.write(file, node, content, now);
  if (options.flush === true) node.synced = node.content;
}

export function writeFile(
  file: string,
  content: string | Uint8Array,
  options: { mode?: number; flush?: boolean } = {},
): Promise<void> {
  return call(
    (disk, now) => put(disk, now, file, content, options),
    (disk, now) => {
      if (!disk.isFull) put(disk, now, file, half(content), { ...options, flush: false });
    },
  );
}

export function appendFile(file: string, content: string, options: { mode?: number } = {}): Promise<void> {
  return call((disk, now) => {
    const before = disk.find(file) === undefined ? '' : String(disk.file(file).content);
    put(disk, now, file, before + content, options);
  });
}

export function rename(from: string, to: string): Promise<void> {
  return call((disk, now) => disk.rename(from, to, now));
}

export function unlink(file: string): Promise<void> {
  return call((disk, now) => {
    disk.file(file);
    disk.remove(file, now);
  });
}

export function rm(file: string, options?: Options): Promise<void> {
  const { force = false, recursive = false } = optionsOf(options);
  return call((disk, now) => {
    const found = disk.find(file);
    if (found === undefined) return force ? undefined : fail('ENOENT', file);
    if (found instanceof Directory && !recursive) fail('ERR_FS_EISDIR', file);
    disk.remove(file, now);
  });
}

export function rmdir(folder: string): Promise<void> {
  return call((disk, now) => {
    if (disk.directory(folder).entries.size > 0) fail('ENOTEMPTY', folder);
    disk.remove(folder, now);
  });
}

export function mkdir(folder: string, options?: Options): Promise<string | undefined> {
  const { recursive = false, mode = 0o777 } = optionsOf(options);
  return call((disk, now) => {
    if (!recursive) {
      if (disk.find(folder) !== undefined) fail('EEXIST', folder);
      disk.makeDirectory(folder, mode, now);
      return folder;
    }
    let at = '';
    for (const part of folder.split('/').filter((each) => each !== '')) {
      at = `${at}/${part}`;
      const found = disk.find(at);
      if (found === undefined) disk.makeDirectory(at, mode, now);
      else if (found instanceof File) fail('ENOTDIR', at);
    }
    return folder;
  });
}

export function readdir(folder: string, options?: { readonly withFileTypes?: boolean }): Promise<unknown[]> {
  return call((disk) => {
    const { entries } = disk.directory(folder);
    if (options?.withFileTypes !== true) return [...entries.keys()];
    return [...entries].map(([name, entry]) => ({
      name,
      parentPath: folder,
      isDirectory: () => entry instanceof Directory,
      isFile: () => entry instanceof File,
      isSymbolicLink: () => false,
    }));
  });
}

export function stat(file: string): Promise<Stats> {
  return call((disk) => statsOf(disk.entry(file)));
}

/** There are no links. */
export function lstat(file: string): Promise<Stats> {
  return stat(file);
}

/** There are no links. */
export function realpath(file: string): Promise<string> {
  return call((disk) => {
    disk.entry(file);
    return path.normalize(file);
  });
}

export function access(file: string): Promise<void> {
  return call((disk) => void disk.entry(file));
}

export function chmod(file: string, mode: number): Promise<void> {
  return call((disk) => {
    disk.entry(file).mode = mode;
  });
}

/** In seconds, or a Date. */
export function utimes(file: string, _atime: number | Date, mtime: number | Date): Promise<void> {
  return call((disk, now) => {
    const entry = disk.entry(file);
    entry.mtimeMs = typeof mtime === 'number' ? mtime * 1000 : mtime.getTime();
    entry.ctimeMs = now;
  });
}

export function copyFile(from: string, to: string): Promise<void> {
  return call((disk, now) => put(disk, now, to, disk.file(from).content, {}));
}

export async function mkdtemp(prefix: string): Promise<string> {
  const folder = `${prefix}${here().machine.world.chance.hex(6)}`;
  await mkdir(folder, { recursive: true });
  return folder;
}

export async function open(file: string, flags: string | number = 'r', mode = 0o666): Promise<FileHandle> {
  const isNew = flags === 'wx' || flags === 'ax';
  const isMade = flags === 'a' || flags === 'w';
  const node = await call((disk, now) => {
    const found = disk.find(file);
    if (isNew) return found === undefined ? disk.make(file, mode, now) : fail('EEXIST', file);
    return found ?? (isMade ? disk.make(file, mode, now) : fail('ENOENT', file));
  });
  return new FileHandle(file, node);
}

export class FileHandle {
  readonly #file: string;
  readonly #node: File | Directory;

  constructor(file: string, node: File | Directory) {
    this.#file = file;
    this.#node = node;
  }

  writeFile(content: string | Uint8Array): Promise<void> {
    const node = this.#node as File;
    return call(
      (disk, now) => disk.write(this.#file, node, content, now),
      (disk, now) => {
        if (!disk.isFull) disk.write(this.#file, node, half(content), now);
      },
    );
  }

  appendFile(content: string): Promise<void> {
    const node = this.#node as File;
    const put = (disk: Disk, now: number, more: string) =>
      disk.write(this.#file, node, String(node.content) + more, now);
    return call(
      (disk, now) => put(disk, now, content),
      (disk, now) => {
        if (!disk.isFull) put(disk, now, half(content));
      },
    );
  }

  sync(): Promise<void> {
    const node = this.#node;
    return call((disk) => {
      if (node instanceof Directory) return disk.syncDirectory(node);
      disk.mustHaveRoom(this.#file);
      node.synced = node.content;
    });
  }

  stat(): Promise<Stats> {
    return call(() => statsOf(this.#node));
  }

  read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ buffer: Buffer; bytesRead: number }> {
    return call(() => {
      const bytes = Buffer.from((this.#node as File).content as string);
      return { buffer, bytesRead: bytes.copy(buffer, offset, position, position + length) };
    });
  }

  /** Nothing that could be slow, or fail. */
  close(): Promise<void> {
    return here().effect(() => undefined);
  }
}

export function statfs(): Promise<{ bavail: number; bsize: number }> {
  return call((disk) => ({ bavail: disk.isFull ? 0 : 1e9, bsize: 4096 }));
}
