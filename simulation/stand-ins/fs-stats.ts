import { Directory, File } from '../world/disk.ts';

export interface Stats {
  readonly size: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  readonly mtime: Date;
  readonly mode: number;
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
}

export function statsOf(entry: File | Directory): Stats {
  const { mtimeMs, ctimeMs, mode } = entry;
  return {
    size: entry instanceof File ? sizeOf(entry.content) : 0,
    mtimeMs,
    ctimeMs,
    mtime: new Date(mtimeMs),
    mode,
    isFile: () => entry instanceof File,
    isDirectory: () => entry instanceof Directory,
    isSymbolicLink: () => false,
  };
}

function sizeOf(content: string | Uint8Array): number {
  return typeof content === 'string' ? Buffer.byteLength(content) : content.length;
}
