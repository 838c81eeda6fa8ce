/** building → review (or testing, or wherever a failure leads): the engine runs, its work is saved, its end is judged. */
import { open } from 'node:fs/promises';
import { MINUTE } from '../../platform/clock.ts';
import { messageOf } from '../../platform/errors.ts';
import { transitionOf } from '../claimed/told.ts';
import { canResume } from '../engines/command.ts';
import { judge } from '../engines/verdict.ts';
import { afterFailure, afterInterruption, move } from '../job/moves.ts';
import type { JobState, Place } from '../job/state.ts';
import { Stopped, type Work } from '../work.ts';
import { countRun, countStopped } from './count.ts';
import { saveWork } from './place.ts';
import { engineOrder } from './prompt.ts';
import { type CommandOutcome, logOf, runCommand } from './run-command.ts';
import { sessionSaid } from './said.ts';
import type { Workshop } from './workshop.ts';

/** The work is saved at most this far apart, ms (runner.md, "Life of a job", 2). */
const CHECKPOINT_EVERY = 1 * MINUTE;
/** Of the log's end, for the verdict, in bytes. */
const LOG_TAIL = 8192;

export async function build(work: Work, shop: Workshop): Promise<JobState> {
  const { place } = work.state;
  // Its file was put into building/ by hand: what comes before has not been done.
  if (place === undefined) return move(work.state, 'queued', shop.clock.now());
  const job = await shop.read(work);
  const descriptor = shop.engine(job.manifest.engine);
  const dir = shop.layout.command(work.id, work.state.run, 'engine');
  const resume = canResume(descriptor, work.state.session) && work.state.result !== undefined;

  const checkpoints = saveNowAndThen(work, shop, place, job.manifest.title);
  let outcome: CommandOutcome;
  try {
    outcome = await runCommand(work, shop, {
      kind: 'engine',
      dir,
      order: async () => {
        const run = await engineOrder({ shop, state: work.state, place, job, descriptor, resume, dir });
        if (run.session !== undefined) work.note({ ...work.state, session: run.session });
        return run.order;
      },
    });
  } catch (error) {
    await checkpoints.stop();
    if (error instanceof Stopped) {
      work.note({ ...work.state, ...(await sessionSaid(dir, descriptor.events)) });
      await keepWhatThereIs(work, shop, place, job.manifest.title);
      await countStopped(work, shop, descriptor);
    }
    throw error;
  }
  await checkpoints.stop();

  const saved = await saveWork(work, shop, place, job.manifest.title);
  const result = {
    files: saved?.files ?? 0,
    ...(saved && { wipBranch: saved.wipBranch, wipCommit: saved.wipCommit }),
  };
  const usage = await countRun(work, shop, descriptor, outcome.lost ? undefined : outcome.end);
  if (outcome.lost) {
    const said = await sessionSaid(outcome.dir, descriptor.events);
    const state = { ...work.state, ...said, ...(usage && { usage }), result };
    return afterInterruption(state, canResume(descriptor, state.session), shop.clock.now());
  }
  const { end } = outcome;
  const verdict = judge({
    descriptor,
    end,
    result: { changed: result.files > 0 },
    logTail: await tailOf(logOf(outcome.dir)),
  });
  if (verdict.ok) shop.loggedOut.delete(descriptor.name);
  else if (verdict.code === 'login') shop.loggedOut.add(descriptor.name);
  const isUnheard = resume && !verdict.ok && verdict.code === 'no-session';
  const state: JobState = {
    ...work.state,
    interruptions: 0,
    ...(usage && { usage }),
    ...(!isUnheard &&
      work.state.comments && { comments: work.state.comments.map((each) => ({ ...each, done: true })) }),
    result: { ...result, ...(verdict.ok && { summary: verdict.summary }) },
    ...(end.digest.sessionId !== undefined && { session: end.digest.sessionId }),
  };
  if (!verdict.ok) {
    const { reason: text, action, retryAfter } = verdict;
    const failure = {
      // Of a session that was not asked for it can only be told by chance.
      code: verdict.code === 'no-session' && !isUnheard ? ('failed' as const) : verdict.code,
      text,
      action,
      ...(retryAfter !== undefined && { until: end.endedAt + retryAfter }),
    };
    const resumable = canResume(descriptor, state.session);
    return afterFailure(state, failure, { retries: job.manifest.retries, resumable }, shop.clock.now());
  }
  const { limits: _limits, ...done } = state;
  return move(done, job.manifest.review === 'skip' ? 'testing' : 'review', shop.clock.now());
}

/** The work of a job that was ended by a person, for the case that it is wanted after all. */
async function keepWhatThereIs(work: Work, shop: Workshop, place: Place, title: string): Promise<void> {
  try {
    const result = await saveWork(work, shop, place, title);
    if (result !== undefined) await work.save({ result });
  } catch (error) {
    shop.log.warn(`${work.id}: its work is only in ${place.cwd}: ${messageOf(error)}`);
  }
}

/** Saves the work every minute while the engine goes on; what can't be saved now is saved the next time. */
function saveNowAndThen(work: Work, shop: Workshop, place: Place, title: string): { stop(): Promise<void> } {
  const over = new AbortController();
  const loop = (async () => {
    for (;;) {
      await shop.clock.sleep(CHECKPOINT_EVERY, over.signal);
      try {
        const saved = await saveWork(work, shop, place, title);
        if (saved !== undefined && saved.wipCommit !== work.state.result?.wipCommit)
          await keepCheckpoint(work, shop, saved);
      } catch (error) {
        shop.log.warn(`${work.id}: no checkpoint this time: ${messageOf(error)}`);
      }
    }
  })().catch(() => undefined);
  return {
    stop: async () => {
      over.abort();
      await loop;
    },
  };
}

/** A claimed job's checkpoint is told to the fleet, so that whoever has it next need not begin anew (rule 10). */
async function keepCheckpoint(
  work: Work,
  shop: Workshop,
  result: NonNullable<JobState['result']>,
): Promise<void> {
  await work.save({ result });
  if (work.state.claim !== undefined) await shop.hooks.transition(transitionOf(work.state, 'building'));
}

async function tailOf(file: string): Promise<string> {
  const handle = await open(file, 'r').catch(() => undefined);
  if (handle === undefined) return '';
  try {
    const { size } = await handle.stat();
    const length = Math.min(size, LOG_TAIL);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await handle.close();
  }
}
