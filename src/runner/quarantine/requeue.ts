/** The prompt of a result goes back into the inbox as a job of this laptop; where its engine can, it goes on with its session. */
import { messageOf } from '../../platform/errors.ts';
import { putIntoInbox } from '../enqueue.ts';
import { newState } from '../job/moves.ts';
import type { JobState, Place } from '../job/state.ts';
import { withoutFrontMatterKey } from '../manifest/edit.ts';
import { readHeader } from '../manifest/header.ts';
import type { Runner } from '../runner.ts';
import { isResumable } from '../steps/kept-work.ts';
import { markOwner } from '../workspace/slots.ts';
import { jobBranch } from '../workspace/worktrees.ts';
import type { Intent } from './new-job.ts';

/** The job file comes last, and with it the job is there. */
export async function makeRequeued(runner: Runner, { id, job, at }: Intent): Promise<void> {
  const { store } = runner.options;
  const from = await store.readState(id);
  const original = await store.readJob('quarantine', id);
  // What a claimed job needs its coordinator has judged; here nobody knows jobs of those names.
  const text = from?.claim === undefined ? original : withoutFrontMatterKey(original, 'needs');
  if ((await store.readState(job)) === undefined) {
    const header = readHeader(text, { fileName: job });
    const folder = from?.folder ?? from?.place?.repository?.root;
    await store.writeState({
      ...newState({ ...header, id: job, title: header.title || job, addedAt: at }),
      madeFrom: id,
      notes: [`Requeued from ${id}, which is in quarantine.`],
      ...(folder !== undefined && { folder }),
      ...(from !== undefined && (await takenOver(runner, from, job))),
    });
  }
  await putIntoInbox(store, job, text, at);
}

/** The session and the worktree that it is about, which is the new job's from now on. */
async function takenOver(runner: Runner, from: JobState, job: string): Promise<Partial<JobState>> {
  const { workshop } = runner.options;
  const { place, session, result, engine } = from;
  if (place?.kind !== 'worktree' || place.worktree === undefined || place.repository === undefined) return {};
  if (result === undefined || !(await isResumable(workshop, from))) return {};
  try {
    const branch = await onOwnBranch(runner, place.worktree, job);
    await markOwner(place.worktree, { owner: job, repository: place.repository });
    const own: Place = { ...place, branch };
    return {
      place: own,
      result,
      ...(session !== undefined && { session }),
      ...(engine !== undefined && { engine }),
    };
  } catch (error) {
    workshop.log.warn(
      `${job}: it begins anew, because ${place.worktree} cannot be taken over: ${messageOf(error)}`,
    );
    return {};
  }
}

/** The old branch carries the old epoch in its name: nothing more is written to it. No file changes. */
async function onOwnBranch(runner: Runner, worktree: string, job: string): Promise<string> {
  const { git } = runner.options.workshop;
  const branch = `refs/heads/${jobBranch(job)}`;
  const head = await git.run(['symbolic-ref', '--quiet', 'HEAD'], { cwd: worktree, answers: [1] });
  if (head.stdout.trim() === branch) return branch;
  await git.run(['update-ref', '-m', 'agent-queue: requeued', branch, 'HEAD'], { cwd: worktree });
  await git.run(['symbolic-ref', '-m', 'agent-queue: requeued', 'HEAD', branch], { cwd: worktree });
  return branch;
}
