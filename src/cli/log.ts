import { createReadStream, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { errnoOf, UserError } from '../platform/errors.ts';
import type { FactoryApi } from '../runner/factory-api.ts';
import { EXIT } from './exit.ts';

/** A look although nothing was heard, ms. */
const SLOW_LOOK = 1000;

/** Prints the newest log of a job; with `follow` goes on until no engine, setup or verify of it runs. */
export async function showLog(
  factory: Pick<FactoryApi, 'job'>,
  id: string,
  options: { readonly follow?: boolean },
): Promise<number> {
  let row = await factory.job(id);
  if (row === undefined) {
    console.error(`There is no job ${id}. See \`aq status\` for the jobs there are.`);
    return EXIT.noSuchJob;
  }
  if (row.log === undefined) {
    throw new UserError('no-log', `${id} has not run yet, so there is no log.`, 'Run it with `aq run`.');
  }
  let { log } = row;
  let position = await print(log, 0);
  while (options.follow === true && row?.activity !== undefined) {
    await changed(log);
    position = await print(log, position);
    row = await factory.job(id);
    if (row?.log === undefined || row.log === log) continue;
    // The next command of the job has a log of its own.
    await print(log, position);
    log = row.log;
    position = await print(log, 0);
  }
  await print(log, position);
  return EXIT.ok;
}

/** Prints the file from `start`; returns where it ended. A command that is only starting has no log yet. */
async function print(file: string, start: number): Promise<number> {
  const { size } = await stat(file).catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return { size: 0 };
    throw error;
  });
  if (size <= start) return start;
  await pipeline(createReadStream(file, { start, end: size - 1 }), process.stdout, { end: false });
  return size;
}

/** Resolves when something has happened beside the log, or after a while. */
function changed(log: string): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      watcher.close();
      resolve();
    };
    const timer = setTimeout(done, SLOW_LOOK);
    const watcher = watch(path.dirname(log), done).on('error', done);
  });
}
