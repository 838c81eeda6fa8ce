/** Takes one job from step to step, and puts each step's outcome on disk. */
import { type Clock, SECOND } from '../platform/clock.ts';
import { errnoOf, isDiskTrouble, messageOf } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';
import { transitionOf } from './claimed/told.ts';
import type { Hooks } from './hooks.ts';
import { withAPerson } from './job/moves.ts';
import type { JobState } from './job/state.ts';
import { admitted } from './quarantine/admit.ts';
import { mayFollow, type Stage } from './stages.ts';
import { type Step, stepFor } from './steps/steps.ts';
import type { Workshop } from './steps/workshop.ts';
import { Stopped, type Work } from './work.ts';

/** How long to wait before a disk that refused a write is tried again, ms. */
export const DISK_RETRY = 2 * SECOND;

interface Driver {
  readonly clock: Clock;
  readonly log: Log;
  readonly hooks: Hooks;
  readonly workshop: Workshop;
  /** Aborted when the runner is to stop. */
  readonly stopped: AbortSignal;
}

/** Until the job waits for a person, is finished, or the runner lets go of it. Never rejects: what fails is said in the job or the log. */
export async function drive(work: Work, driver: Driver): Promise<void> {
  try {
    for (;;) {
      const from = work.state.stage;
      const step = stepFor(from);
      if (step === undefined) return;
      const outcome = await outcomeOf(step, work, driver);
      if (outcome === undefined) return;
      const next = withAPerson(outcome);
      if (next.stage !== from && !mayFollow(from, next.stage)) {
        throw new Error(`${work.id}: ${next.stage} may not follow ${from}`);
      }
      if (!(await commit(work, next, from, driver)) || next.stage === from) return;
    }
  } catch (error) {
    driver.log.error(error instanceof Error ? error : messageOf(error));
  }
}

/** What the step makes of the job; undefined when the runner lets go of it. */
async function outcomeOf(step: Step, work: Work, driver: Driver): Promise<JobState | undefined> {
  const { log, workshop } = driver;
  for (;;) {
    try {
      return await step(work, workshop);
    } catch (error) {
      const stop: unknown = work.signal.aborted ? work.signal.reason : undefined;
      if (stop instanceof Stopped) return workshop.stopped(work.state, stop);
      if (stop !== undefined) return undefined;
      if (isDiskTrouble(error)) {
        await diskPause(work.id, error, driver, work.signal);
        continue;
      }
      log.error(error instanceof Error ? error : messageOf(error));
      return workshop.broken(work.state, error);
    }
  }
}

/** What has to be done before a job may come into its next stage. */
function readied(next: JobState, from: Stage, { workshop }: Driver): Promise<JobState> {
  const enters = next.stage === 'quarantine' && from !== 'quarantine';
  return enters ? admitted(workshop, next) : Promise.resolve(next);
}

/** Puts the next state on disk, waiting for a disk that is full; false when the job's file is gone or the runner lets go. */
async function commit(work: Work, decided: JobState, from: Stage, driver: Driver): Promise<boolean> {
  const { log, hooks, stopped } = driver;
  for (;;) {
    try {
      const next = await readied(decided, from, driver);
      await work.transition(next);
      if (next.stage !== from) await hooks.transition(transitionOf(next, from));
      return true;
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') {
        log.warn(
          `${work.id}: its file is no longer in ${from}; a person has moved or deleted it. Its work is kept.`,
        );
        return false;
      }
      if (!isDiskTrouble(error)) throw error;
      // A runner that stops leaves the job where it is; the next one comes to the same outcome again.
      if (stopped.aborted) return false;
      // Not on the job's own signal: of one that was cancelled or taken away it is aborted for good, and ends no wait.
      await diskPause(work.id, error, driver, stopped);
    }
  }
}

async function diskPause(
  id: string,
  error: unknown,
  { clock, log }: Driver,
  until: AbortSignal,
): Promise<void> {
  log.warn(`${id}: the disk takes no writes (${messageOf(error)}); waiting for it. Nothing is lost.`);
  await clock.sleep(DISK_RETRY, until).catch(() => undefined);
}
