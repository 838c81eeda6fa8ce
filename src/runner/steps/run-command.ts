/** One command of a job under a supervisor: started once, whoever watches it, however often the watcher dies. */
import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { SECOND } from '../../platform/clock.ts';
import type { CommandRun } from '../job/state.ts';
import { LOG_FILE, type RunEnd, type RunOrder } from '../supervisor/contract.ts';
import { readEnd } from '../supervisor/records.ts';
import { cleanUpLost, endRun, watchRun } from '../supervisor/watch.ts';
import { Stopped, type Work } from '../work.ts';
import type { Workshop } from './workshop.ts';

/** The way out (runner.md, "Life of a job", 2): SIGINT, 7.5 s, SIGTERM, 2.5 s, then the whole tree. */
const GRACE = { interruptMs: 7.5 * SECOND, terminateMs: 2.5 * SECOND };

export type CommandOrder = Pick<
  RunOrder,
  'command' | 'args' | 'cwd' | 'env' | 'stdin' | 'timeoutMs' | 'events' | 'lingerMs' | 'secrets'
>;

export interface CommandRequest {
  readonly kind: CommandRun['kind'];
  /** The run directory; its name is the command's identity: a second call with it watches instead of starting. */
  readonly dir: string;
  /** Made only when the command is to be started. */
  readonly order: () => Promise<CommandOrder>;
}

/** How a command ended, and where its log is; `lost`: its supervisor has gone without a word, and what it left running has been ended. */
export type CommandOutcome = { readonly dir: string } & (
  | { readonly lost: false; readonly end: RunEnd }
  | { readonly lost: true }
);

/** Added to the directory of a start that came to nothing, for the next one. */
const AGAIN = '-again';

/**
 * Runs the command to its end, or takes up the one that an earlier runner started. Rejects with the signal's
 * reason: for a Stopped when nothing of the command is left running, else at once, and the command goes on.
 */
export async function runCommand(
  work: Work,
  shop: Workshop,
  request: CommandRequest,
): Promise<CommandOutcome> {
  const dir = repetitionOf(request.dir, work.state.command?.dir) ?? request.dir;
  if (!(await isKnown(work, dir))) await start(work, shop, { ...request, dir });
  try {
    const outcome = await watchRun(dir, work.signal, shop.clock);
    if (!outcome.lost) return { ...outcome, dir };
    shop.log.warn(`${dir}: ${outcome.reason}`);
    // Never begun: nothing ran, and watchRun has seen to it that nothing will.
    if (outcome.begun === undefined) return await runCommand(work, shop, { ...request, dir: dir + AGAIN });
    await cleanUpLost(outcome.begun, shop.clock);
    return { lost: true, dir };
  } catch (error) {
    if (error instanceof Stopped) await endRun(dir, error.reason, shop);
    throw error;
  }
}

/** The directory that the command went on in after a start that came to nothing. */
function repetitionOf(dir: string, current: string | undefined): string | undefined {
  return current?.startsWith(dir) && current.slice(dir.length).replaceAll(AGAIN, '') === ''
    ? current
    : undefined;
}

/** Whether it has been started: by what is on record, or, for one of several that came before it, by how it ended. */
async function isKnown({ state }: Work, dir: string): Promise<boolean> {
  return state.command?.dir === dir || (await readEnd(dir)).state === 'read';
}

export function logOf(dir: string): string {
  return path.join(dir, LOG_FILE);
}

/** The command is on record before anything runs, so that no later runner can start it a second time. */
async function start(work: Work, shop: Workshop, { kind, dir, order }: CommandRequest): Promise<void> {
  const launcher = await shop.launcher();
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const rest = await order();
  work.signal.throwIfAborted();
  const mark = randomUUID();
  await work.save({ command: { kind, dir, mark, startedAt: shop.clock.now() } });
  await launcher.start({ ...rest, dir, mark, grace: GRACE });
}
