/** A result becomes a job in review, on top of what its target branch has now. */
import { UserError } from '../../platform/errors.ts';
import { writeDurable } from '../../platform/files.ts';
import { newState } from '../job/moves.ts';
import type { JobState, Place } from '../job/state.ts';
import { setFrontMatterValue, withoutFrontMatterKey } from '../manifest/edit.ts';
import { readHeader } from '../manifest/header.ts';
import type { Runner } from '../runner.ts';
import { isThere, wipRef } from '../steps/place.ts';
import { changedFiles } from '../workspace/changes.ts';
import { commitTree } from '../workspace/commit.ts';
import { acquireWorktree, jobBranch } from '../workspace/worktrees.ts';
import { conflictsText, mergeOnto } from './merge.ts';
import type { Intent } from './new-job.ts';
import type { QuarantineRecord } from './record.ts';
import { treeOfChosen } from './tree-changes.ts';
import { authorOf, workAtHand } from './work.ts';

/**
 * The commit that a new job would have as its work. No ref reaches it yet.
 * @param files only these; undefined: all
 * @throws UserError `conflict` with the files and their kinds, `nothing-new`, `target-gone`, and as `workAtHand` does
 */
export async function adoptable(
  runner: Runner,
  record: QuarantineRecord,
  files: readonly string[] | undefined,
): Promise<{ readonly commit: string; readonly onto: string }> {
  const { git } = runner.options.workshop;
  const { repository: cwd, base, commit, target } = await workAtHand(git, record);
  const onto = target === undefined ? base : await tipOf(runner, cwd, target);
  const branch = target?.replace('refs/heads/', '') ?? 'its base';
  const changed = await changedFiles(git, { cwd, base, commit });
  const work = files === undefined ? commit : await treeOfChosen(git, { cwd, base, commit, changed, files });
  const merged = await mergeOnto(git, { cwd, base, work, onto });
  if ('conflicts' in merged) {
    const inConflict = new Set(merged.conflicts.map(({ path }) => path));
    const clean = changed.filter(
      ({ path, oldPath }) => !inConflict.has(path) && (oldPath === undefined || !inConflict.has(oldPath)),
    );
    throw new UserError(
      'conflict',
      `The work conflicts with ${branch} in ${conflictsText(merged.conflicts)}. Nothing was adopted.`,
      clean.length === 0
        ? 'Requeue it, or export it and resolve the conflicts by hand.'
        : `Adopt only files without a conflict (${named(clean.map(({ path }) => path))}), requeue it, or export it.`,
    );
  }
  const before = await git.run(['rev-parse', `${onto}^{tree}`], { cwd });
  if (before.stdout.trim() === merged.tree) {
    throw new UserError(
      'nothing-new',
      `All that was chosen of ${record.id} is on ${branch} already. Nothing was adopted.`,
      'Discard it.',
    );
  }
  const adopted = await commitTree(git, {
    cwd,
    tree: merged.tree,
    parents: [onto],
    message: record.title,
    env: await authorOf(git, { cwd, commit }),
  });
  return { commit: adopted, onto };
}

/** Puts the new job into review; the job file comes last, and with it the job is there. */
export async function makeAdopted(
  runner: Runner,
  { id, job, commit, onto, at, fleet }: Intent,
): Promise<void> {
  const { store, workshop } = runner.options;
  const from = await store.readState(id);
  const { repository, target, subdirectory = '' } = from?.place ?? {};
  if (from === undefined || repository === undefined || commit === undefined || onto === undefined) {
    throw new UserError('no-state', `What is known of ${id} is missing.`, 'Recover its work with git.');
  }
  const text = ownText(await store.readJob('quarantine', id), from.claim !== undefined);
  const cwd = repository.root;
  const ref = wipRef(job);
  await workshop.git.run(['update-ref', '-m', 'agent-queue: adopted', ref, commit], { cwd });
  const known = (await store.readState(job))?.place;
  const place: Place =
    known !== undefined && (await isThere(known, job))
      ? known
      : await newPlace(runner, job, { repository, commit, subdirectory, onto, target });
  const { files, title, priority, engine, tracker } = {
    ...readHeader(text, { fileName: job }),
    title: from.title,
    files: (await changedFiles(workshop.git, { cwd, base: onto, commit })).length,
  };
  const { summary } = from.result ?? {};
  const state: JobState = {
    ...newState({ id: job, title, engine: engine ?? from.engine, priority, tracker, addedAt: at }),
    stage: 'review',
    attempt: 1,
    run: 1,
    madeFrom: id,
    place,
    notes: [`Adopted from ${id}, which is in quarantine.`],
    ...(fleet?.claim !== undefined && { claim: fleet.claim }),
    ...(from.folder !== undefined && { folder: from.folder }),
    result: { wipBranch: ref, wipCommit: commit, files, ...(summary !== undefined && { summary }) },
  };
  await store.writeState(state);
  await writeDurable(store.layout.job('review', job), text);
}

async function newPlace(
  runner: Runner,
  job: string,
  from: Pick<Place, 'subdirectory' | 'target'> & {
    readonly repository: NonNullable<Place['repository']>;
    readonly commit: string;
    readonly onto: string;
  },
): Promise<Place> {
  const { workshop, store, clock } = runner.options;
  const { repository, commit, subdirectory, onto, target } = from;
  const { path: worktree, branch } = await acquireWorktree(workshop.git, {
    repository,
    home: store.layout.root,
    commit,
    branch: jobBranch(job),
    owner: job,
    clock,
  });
  return {
    kind: 'worktree',
    cwd: subdirectory === '' ? worktree : `${worktree}/${subdirectory}`,
    repository,
    subdirectory,
    worktree,
    base: onto,
    ready: true,
    ...(branch !== undefined && { branch }),
    ...(target !== undefined && { target }),
  };
}

async function tipOf(runner: Runner, cwd: string, target: string): Promise<string> {
  const args = ['rev-parse', '--verify', '--quiet', `${target}^{commit}`];
  const { stdout, exitCode } = await runner.options.workshop.git.run(args, { cwd, answers: [1, 128] });
  if (exitCode === 0) return stdout.trim();
  throw new UserError(
    'target-gone',
    `The branch ${target.replace('refs/heads/', '')}, which the work was to land on, is no longer there. Nothing was adopted.`,
    'Make it again, or export the work as a patch.',
  );
}

/**
 * What a person adopts they also approve: nothing of it ships by itself. What a claimed job needs its coordinator has
 * judged; sent back, it would wait here for jobs that nobody knows.
 */
function ownText(text: string, isClaimed: boolean): string {
  try {
    const own = isClaimed ? withoutFrontMatterKey(text, 'needs') : text;
    return setFrontMatterValue(own, 'review', 'person');
  } catch {
    return text; // it cannot be read as a job, and then does not ship either
  }
}

function named(paths: readonly string[]): string {
  return paths.length > 10
    ? `${paths.slice(0, 10).join(', ')} and ${paths.length - 10} more`
    : paths.join(', ');
}
