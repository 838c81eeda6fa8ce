/** The coordinator of a home as a process of its own: it outlives the window that started it. */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  coordinatorFolder,
  coordinatorLog,
  makeCoordinatorFolder,
  type RunningCoordinator,
  runningCoordinator,
} from '../../coordinator/place.ts';
import { SECOND } from '../../platform/clock.ts';
import { UserError } from '../../platform/errors.ts';
import { supervisorEnvironment } from '../../runner/supervisor/spares.ts';

/** Where factories look for a coordinator that nobody has named. */
const USUAL_PORT = 4003;
const START_LIMIT = 20 * SECOND;
const STOP_LIMIT = 15 * SECOND;
const LOOK_EVERY = 50;

/**
 * The one that runs, else one that is started: on the usual port, or where that is taken on another.
 * @param cli the bundle of `aq`
 * @throws UserError `coordinator-failed` with what it said
 */
export async function startCoordinator(home: string, cli: string): Promise<RunningCoordinator> {
  const running = await runningCoordinator(home);
  if (running !== undefined) return running;
  await makeCoordinatorFolder(home);
  try {
    return await startOn(USUAL_PORT, home, cli);
  } catch (error) {
    if (!(error instanceof UserError) || !/listens on/.test(error.message)) throw error;
    return startOn(0, home, cli);
  }
}

/** Resolves when it has ended; false when none was running. @throws UserError `coordinator-stays` */
export async function stopCoordinator(home: string): Promise<boolean> {
  const running = await runningCoordinator(home);
  if (running === undefined) return false;
  process.kill(running.pid, 'SIGTERM');
  const end = performance.now() + STOP_LIMIT;
  while ((await runningCoordinator(home)) !== undefined) {
    if (performance.now() > end)
      throw new UserError(
        'coordinator-stays',
        `The coordinator (process ${running.pid}) has not ended yet; it answers what is under way. No lease is taken.`,
        'Wait a moment and look again.',
      );
    await sleep(LOOK_EVERY);
  }
  return true;
}

async function startOn(port: number, home: string, cli: string): Promise<RunningCoordinator> {
  const log = openSync(coordinatorLog(home), 'w', 0o600);
  const args = [cli, '--home', home, 'coordinator', '--port', String(port)];
  const child = spawn(process.execPath, args, {
    cwd: coordinatorFolder(home),
    env: supervisorEnvironment(process.env),
    detached: true,
    stdio: ['ignore', log, log],
    windowsHide: true,
  });
  closeSync(log);
  child.unref();
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(`it ended with ${signal ?? `exit code ${code}`}`));
  });
  const over = new AbortController();
  try {
    const failure = await Promise.race([ended, untilRunning(home, over.signal)]);
    if (typeof failure !== 'string') return failure;
    const said = (await readFile(coordinatorLog(home), 'utf8').catch(() => '')).trim();
    throw new UserError(
      'coordinator-failed',
      `The coordinator could not be started: ${said === '' ? failure : said}`,
      `Its log is ${coordinatorLog(home)}.`,
    );
  } finally {
    over.abort();
  }
}

async function untilRunning(home: string, signal: AbortSignal): Promise<RunningCoordinator | string> {
  const end = performance.now() + START_LIMIT;
  while (!signal.aborted && performance.now() < end) {
    const running = await runningCoordinator(home);
    if (running !== undefined) return running;
    await sleep(LOOK_EVERY);
  }
  return 'it did not say in time that it listens';
}
