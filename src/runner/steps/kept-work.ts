/** What an earlier attempt left: made safe on a ref before something new begins, or looked at once more before it ships. */
import { canResume } from '../engines/command.ts';
import type { JobState } from '../job/state.ts';
import { changedFiles } from '../workspace/changes.ts';
import { checkpoint } from '../workspace/checkpoint.ts';
import { writeOwnRef } from '../workspace/own-ref.ts';
import { forgetRefs } from '../workspace/refs.ts';
import { releaseWorktree } from '../workspace/release.ts';
import { jobBranch } from '../workspace/worktrees.ts';
import { isThere, wipRef } from './place.ts';
import type { Workshop } from './workshop.ts';

/**
 * The result as it is now, if the worktree has changed since the job came into review: a person may have mended
 * something by hand. What ships is what was looked at, so it has to be looked at again. Undefined: unchanged.
 */
export async function changedSince(shop: Workshop, state: JobState): Promise<JobState['result'] | undefined> {
  const { place, result } = state;
  if (place?.kind !== 'worktree' || place.worktree === undefined || place.base === undefined)
    return undefined;
  if (result?.wipCommit === undefined || !(await isThere(place, state.id))) return undefined;
  const now = await checkpoint(shop.git, {
    worktree: place.worktree,
    ref: wipRef(state.id),
    message: state.title,
  });
  if (now.wipCommit === result.wipCommit) return undefined;
  const changes = await changedFiles(shop.git, {
    cwd: place.worktree,
    base: place.base,
    commit: now.wipCommit,
  });
  return { ...result, wipBranch: now.wipBranch, wipCommit: now.wipCommit, files: changes.length };
}

/** Whether the engine can go on with what an earlier attempt began: its session is known and its place is still there. */
export async function isResumable(shop: Workshop, state: JobState): Promise<boolean> {
  const name = state.engine ?? shop.settings.engine;
  const descriptor = name === undefined ? undefined : shop.catalog.descriptors.get(name);
  if (descriptor === undefined || !canResume(descriptor, state.session)) return false;
  return state.place !== undefined && isThere(state.place, state.id);
}

/** Keeps an attempt's work on a ref of its own, and gives its worktree and branch back where nothing else is in them. */
export async function setAside(shop: Workshop, state: JobState): Promise<void> {
  const { place, result } = state;
  if (place?.repository === undefined || place.worktree === undefined) return;
  const { repository, branch } = place;
  const kept = `refs/${jobBranch(state.id)}/attempt-${state.run}`;
  const commit = result?.wipCommit ?? place.base;
  if (commit === undefined) return;
  await writeOwnRef(() => shop.git.run(['update-ref', kept, commit], { cwd: repository.root }));
  const released = await releaseWorktree(shop.git, {
    repository,
    path: place.worktree,
    owner: state.id,
    saved: commit,
    clock: shop.clock,
  });
  if (released.outcome === 'kept') {
    shop.log.info(`${state.id}: the worktree ${place.worktree} is kept because ${released.reason}.`);
  } else if (branch !== undefined) {
    await forgetRefs(shop.git, { cwd: repository.root, refs: [branch], target: kept });
  }
}
