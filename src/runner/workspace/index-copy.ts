/**
 * A private copy of a worktree's index. The engine may be using the original at this very moment; a copy costs
 * little and keeps git's knowledge of which files it need not read again.
 */
import { copyFile, mkdtemp, rm, stat, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errnoOf } from '../../platform/errors.ts';

/** Calls `use` with a copy of `index` (an empty one if there is none yet), and removes it afterwards. */
export async function withIndexCopy<T>(index: string, use: (copy: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'agent-queue-index-'));
  const copy = join(folder, 'index');
  try {
    try {
      const { atime, mtimeMs } = await stat(index);
      await copyFile(index, copy);
      // Git trusts an entry only if the file is older than the index. A copy that looks younger than the original
      // would make it trust files that were changed right after being added. Rounded down: older is always safe.
      await utimes(copy, atime, Math.floor(mtimeMs / 1000));
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
    return await use(copy);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
