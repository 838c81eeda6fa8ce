/** What a later process does with a run that it finds: awaits its end, asks for it, clears away what a dead supervisor left. */
import { type Clock, SECOND, systemClock } from '../../platform/clock.ts';
import { messageOf } from '../../platform/errors.ts';
import type { Log } from '../../platform/log.ts';
import { endTree } from '../../platform/processes/end-tree.ts';
import { isAlive } from '../../platform/processes/table.ts';
import {
  BEGUN_FILE,
  END_FILE,
  MARK_VARIABLE,
  type RunBegun,
  type RunEnd,
  type StopRequest,
} from './contract.ts';
import { lookUntil } from './look.ts';
import { readBegun, readEnd, requestStop } from './records.ts';

export { requestStop } from './records.ts';

/** The supervisor has gone and has not said how the run ended. */
export interface LostRun {
  readonly lost: true;
  /** Absent when the run was lost before it began, or begun.json cannot be read (see `reason`). */
  readonly begun?: RunBegun;
  /** For the log. */
  readonly reason: string;
}

export type RunOutcome = { readonly lost: false; readonly end: RunEnd } | LostRun;

/** Whether the supervisor lives is asked this often (ms): outside Linux it costs a process each time. */
const LOOK = process.platform === 'linux' ? SECOND : 5 * SECOND;
/** A run that has not begun after this long (ms) never will: the order did not arrive. */
const BEGIN_WITHIN = 5 * SECOND;
/** What a lost run left behind gets this long (ms) to go by itself: nobody reads its output any more. */
const GRACE = 2_500;

/**
 * Resolves when the run in `dir` has ended, or is found to be lost. Any number of processes may watch; it makes no
 * difference to the run. Rejects with the signal's reason when it is aborted.
 */
export async function watchRun(dir: string, signal?: AbortSignal, clock = systemClock): Promise<RunOutcome> {
  const beginBy = clock.monotonic() + BEGIN_WITHIN;
  return lookUntil(
    dir,
    async () => {
      const lost = await findLost(dir, () => clock.monotonic() > beginBy);
      // Read after the supervisor was seen dead: what it wrote last is then there.
      const end = await readEnd(dir);
      if (end.state === 'read') return { lost: false, end: end.value };
      if (lost === undefined || end.state === 'absent') return lost;
      return { ...lost, reason: `${lost.reason}; ${end.reason}` };
    },
    { names: [BEGUN_FILE, END_FILE], everyMs: LOOK, clock, signal },
  );
}

async function findLost(dir: string, isLate: () => boolean): Promise<LostRun | undefined> {
  const begun = await readBegun(dir);
  if (begun.state === 'read') {
    if (await isAlive(begun.value.supervisor)) return undefined;
    return { lost: true, begun: begun.value, reason: 'the supervisor has gone without a word' };
  }
  if (!isLate()) return undefined;
  // A supervisor that is only slow finds this before it starts the command, or has written begun.json by now.
  await requestStop(dir, 'shutdown').catch(() => undefined);
  const again = await readBegun(dir);
  if (again.state === 'read') return undefined;
  return { lost: true, reason: again.state === 'malformed' ? again.reason : 'the run never began' };
}

/**
 * Ends the run in `dir`; resolves when nothing of it is left. One that never began will not begin any more. A full disk,
 * which may be the reason for it, is no obstacle.
 */
export async function endRun(
  dir: string,
  reason: StopRequest['reason'],
  { clock, log }: { readonly clock: Clock; readonly log: Pick<Log, 'warn'> },
): Promise<void> {
  await requestStop(dir, reason).catch(async (error: unknown) => {
    log.warn(`${dir}: ${messageOf(error)}; its supervisor is told by a signal.`);
    await signalStop(dir);
  });
  const outcome = await watchRun(dir, undefined, clock);
  if (outcome.lost && outcome.begun !== undefined) await cleanUpLost(outcome.begun, clock);
}

/** Asks the supervisor of the run in `dir` to end it (as a shutdown does), where a disk that takes no file leaves no other way. */
async function signalStop(dir: string): Promise<void> {
  const begun = await readBegun(dir);
  if (begun.state === 'read' && (await isAlive(begun.value.supervisor))) {
    process.kill(begun.value.supervisor.pid, 'SIGTERM');
  }
}

/**
 * Ends what a lost run left behind: its command, if that still is the same process, and all that bear its mark.
 * Returns how many could not be ended.
 */
export async function cleanUpLost(
  { mark, child }: Pick<RunBegun, 'mark' | 'child'>,
  clock: Clock = systemClock,
): Promise<number> {
  const survivors = await endTree({
    root: child ?? { pid: 0, startTime: '' },
    groupIsOurs: false,
    mark: { name: MARK_VARIABLE, value: mark },
    steps: [{ signal: 'SIGTERM', waitMs: GRACE }],
    clock,
  });
  return survivors.length;
}
