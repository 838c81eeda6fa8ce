/** What is left of a job's runs when nothing else is known of it any more. */
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { errnoOf } from '../../platform/errors.ts';
import type { Layout } from '../home/layout.ts';
import { endRun } from '../supervisor/watch.ts';

/**
 * Ends what still runs of the job. Returns the number of its newest run, 0 where there was none: a run that goes by a
 * number once used would share its directory with the earlier one, and could take that one's end for its own.
 */
export async function endEarlierRuns(
  layout: Layout,
  id: string,
  surroundings: Parameters<typeof endRun>[2],
): Promise<number> {
  const numbers = (await namesIn(layout.attempts(id))).map(Number).filter((n) => n > 0);
  const dirs = await Promise.all(
    numbers.map(async (n) => {
      const dir = path.join(layout.attempts(id), String(n));
      return (await namesIn(dir)).map((name) => path.join(dir, name));
    }),
  );
  await Promise.all(dirs.flat().map((dir) => endRun(dir, 'shutdown', surroundings)));
  return Math.max(0, ...numbers);
}

async function namesIn(dir: string): Promise<string[]> {
  try {
    return await readdir(dir);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return [];
    throw error;
  }
}
