/**
 * Files that survive a power cut. Own code because the libraries at hand do not sync the directory, and hook
 * into the process's exit signals, which an extension host must not.
 */
import { constants } from 'node:fs';
import { type FileHandle, open, readFile, rename, unlink } from 'node:fs/promises';
import path from 'node:path';
import { errnoOf } from './errors.ts';

let counter = 0;

/** Errors of filesystems and platforms that cannot sync a directory; what they hold is then as safe as they make it. */
const CANNOT_SYNC_DIRECTORY = new Set(['EPERM', 'EACCES', 'EISDIR', 'EINVAL', 'ENOTSUP', 'EBADF']);

/** Makes the directory's entries (created, renamed, removed files) durable. Windows has no such call; it is a no-op there. */
export async function syncDirectory(directory: string): Promise<void> {
  if (process.platform === 'win32') return;
  let handle: FileHandle | undefined;
  try {
    handle = await open(directory, constants.O_RDONLY);
    await handle.sync();
  } catch (error) {
    if (!CANNOT_SYNC_DIRECTORY.has(errnoOf(error) ?? '')) throw error;
  } finally {
    await handle?.close();
  }
}

/** Replaces `file` as a whole: readers see the old content or the new one, also after a power cut. Mode 0600 unless told. */
export async function writeDurable(file: string, content: string | Uint8Array, mode = 0o600): Promise<void> {
  const temporary = temporaryName(file);
  const handle = await open(temporary, 'wx', mode);
  try {
    await handle.writeFile(content);
    await handle.sync();
  } catch (error) {
    await handle.close();
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
  await handle.close();
  try {
    await rename(temporary, file);
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
  await syncDirectory(path.dirname(file));
}

/** Moves a file to another directory of the same filesystem; durable when it returns. Throws ENOENT when it is gone: somebody else moved it first. */
export async function moveDurable(from: string, to: string): Promise<void> {
  await rename(from, to);
  await syncDirectory(path.dirname(to));
  if (path.dirname(from) !== path.dirname(to)) await syncDirectory(path.dirname(from));
}

/** The file's text, or undefined when there is none. */
export async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** A name in the same directory that no other writer uses and that listings of `*.md` and `*.json` pass over. */
function temporaryName(file: string): string {
  counter += 1;
  return path.join(path.dirname(file), `.${path.basename(file)}.${process.pid}.${counter}.tmp`);
}
