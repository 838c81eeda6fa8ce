/** Where a job works: found out from its manifest, made ready, and put back together from what the state keeps. */
import { stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { UserError } from '../../platform/errors.ts';
import { mustBeAllowedIn, NOTHING_ALLOWED } from '../claimed/policy.ts';
import type { Place } from '../job/state.ts';
import { folderLock } from '../lock-table.ts';
import type { Manifest } from '../manifest/parse.ts';
import type { Work } from '../work.ts';
import { changedFiles } from '../workspace/changes.ts';
import { checkpoint } from '../workspace/checkpoint.ts';
import { copyIncluded } from '../workspace/include.ts';
import { forgetRefs } from '../workspace/refs.ts';
import { fetchCheckpoint } from '../workspace/remote-checkpoint.ts';
import { folderInWorktree, resolveWorkplace, type Workplace } from '../workspace/repository.ts';
import { isHeldBy } from '../workspace/slots.ts';
import { acquireWorktree, jobBranch } from '../workspace/worktrees.ts';
import type { Workshop } from './workshop.ts';

/** Another active job works in the same folder. */
export class FolderBusy extends Error {
  override readonly name = 'FolderBusy';
  readonly lock: string;

  constructor(lock: string, holder: string) {
    super(`Another job (${holder}) works in the same folder.`);
    this.lock = lock;
  }
}

/** The refs that hold a job's work beside its branch. */
export function wipRef(id: string): string {
  return `refs/${jobBranch(id)}/wip`;
}

function startRef(id: string): string {
  return `refs/${jobBranch(id)}/start`;
}

/** Finds the place and makes it ready. What was made is named in the answer and nowhere else yet. @throws UserError, FolderBusy. */
export async function findPlace(
  work: Work,
  shop: Workshop,
  manifest: Manifest,
): Promise<{ place: Place; notes: string[] }> {
  const { git, clock } = shop;
  const workplace = await resolveWorkplace(git, {
    cwd: await folderOf(work, shop, manifest),
    worktree: manifest.worktree,
    ...(manifest.base !== undefined && { base: manifest.base }),
  });
  work.signal.throwIfAborted();
  if (work.state.claim !== undefined)
    await mustBeAllowedIn(workplace.cwd, workplace.kind, shop.hooks.policy ?? NOTHING_ALLOWED);
  if (workplace.kind !== 'worktree') return inPlace(work, shop, workplace);
  const { repository, base, target, subdirectory } = workplace;
  const start = await startOf(work, shop, repository, { base: base.commit, target });
  if (start.branch !== undefined)
    // Its branch is made anew where it goes on; what it holds beyond that stays, and the new one gets another name.
    await forgetRefs(git, { cwd: repository.root, refs: [start.branch], target: start.commit });
  const worktree = await acquireWorktree(git, {
    repository,
    home: shop.layout.root,
    commit: start.commit,
    branch: jobBranch(work.id),
    owner: work.id,
    clock,
    signal: work.signal,
  });
  const cwd = await folderInWorktree(worktree.path, subdirectory);
  const included = await copyIncluded(git, { repository, worktree: worktree.path, signal: work.signal });
  return {
    place: {
      kind: 'worktree',
      cwd,
      repository,
      subdirectory,
      worktree: worktree.path,
      base: start.base,
      ...(worktree.branch !== undefined && { branch: worktree.branch }),
      ...(target !== undefined && { target }),
    },
    notes: [
      ...start.notes,
      ...uncommittedNote(workplace.uncommitted),
      ...worktree.setAside.map(({ path: kept, reason }) => `The worktree ${kept} is kept because ${reason}.`),
      ...included.skipped.map(
        ({ path: file, reason }) => `${file} was not copied into the worktree: ${reason}.`,
      ),
    ],
  };
}

interface Start {
  readonly commit: string;
  /** What the work is compared with. */
  readonly base: string;
  readonly notes: readonly string[];
  /** Full ref of the job's own branch, where it goes on with that. */
  readonly branch?: string | undefined;
}

/**
 * Where a job goes on: at its own work so far, where only the worktree of that is gone; a claimed one at the work of its
 * earlier holder, if that can be had (rule 10); else at its base. Says which.
 */
async function startOf(
  { state, signal }: Work,
  { git }: Workshop,
  { root }: NonNullable<Place['repository']>,
  { base, target }: { readonly base: string; readonly target?: string | undefined },
): Promise<Start> {
  const { startFrom, earlier = [], place, result } = state;
  if (place?.base !== undefined && result?.wipBranch !== undefined && result.wipCommit !== undefined) {
    const { wipBranch, wipCommit } = result;
    if (await fetchCheckpoint(git, { wipBranch, wipCommit }, { cwd: root, target, signal })) {
      const note = `It goes on from ${wipCommit.slice(0, 10)}, its own work so far: the worktree of that is gone.`;
      return { commit: wipCommit, base: place.base, notes: [...earlier, note], branch: place.branch };
    }
  }
  if (startFrom === undefined) return { commit: base, base, notes: earlier };
  const short = startFrom.wipCommit.slice(0, 10);
  return (await fetchCheckpoint(git, startFrom, { cwd: root, target, signal }))
    ? {
        commit: startFrom.wipCommit,
        base,
        notes: [...earlier, `It goes on from ${short}, the work of an earlier holder.`],
      }
    : {
        commit: base,
        base,
        notes: [
          ...earlier,
          `The work of an earlier holder (${short}) is neither in this clone nor on its remote; it starts from the base.`,
        ],
      };
}

async function inPlace(
  work: Work,
  shop: Workshop,
  workplace: Exclude<Workplace, { kind: 'worktree' }>,
): Promise<{ place: Place; notes: string[] }> {
  const lock = folderLock(workplace.cwd);
  const conflict = shop.locks.take([lock], work.id);
  if (conflict !== undefined) throw new FolderBusy(lock, conflict.holder);
  if (workplace.kind === 'plain') {
    return {
      place: { kind: 'plain', cwd: workplace.cwd, subdirectory: '' },
      notes: [
        `${workplace.cwd} is in no git repository: the job works in it directly, and there is no diff to review.`,
      ],
    };
  }
  const { repository, cwd } = workplace;
  const before = await checkpoint(shop.git, {
    worktree: repository.root,
    ref: startRef(work.id),
    message: `Before ${work.id}`,
    signal: work.signal,
  });
  return {
    place: {
      kind: 'in-place',
      cwd,
      repository,
      subdirectory: path.relative(repository.root, cwd),
      base: before.wipCommit,
    },
    notes: ['The job works directly in your checkout, not in a worktree of its own.'],
  };
}

function uncommittedNote(count: number): string[] {
  if (count === 0) return [];
  return [
    `${count} uncommitted ${count === 1 ? 'file' : 'files'} in your checkout ${count === 1 ? 'is' : 'are'} not part of the work.`,
  ];
}

/** Saves the work as it is now; undefined outside any repository. */
export async function saveWork(
  work: Work,
  shop: Workshop,
  place: Place,
  title: string,
): Promise<{ wipBranch: string; wipCommit: string; files: number } | undefined> {
  const top = place.worktree ?? place.repository?.root;
  if (top === undefined || place.base === undefined) return undefined;
  const { wipBranch, wipCommit, embedded, unreadable } = await checkpoint(shop.git, {
    worktree: top,
    ref: wipRef(work.id),
    message: title,
    ...(place.kind === 'in-place' && { parent: place.base }),
  });
  for (const folder of embedded)
    shop.log.warn(
      `${work.id}: ${folder} is a git repository of its own; its content is not part of the checkpoint.`,
    );
  for (const problem of unreadable) shop.log.warn(`${work.id}: not part of the checkpoint: ${problem}`);
  const files =
    wipCommit === place.base
      ? 0
      : (await changedFiles(shop.git, { cwd: top, base: place.base, commit: wipCommit })).length;
  return { wipBranch, wipCommit, files };
}

/**
 * Whether the place that an earlier attempt of the job worked in is still there, and still its own: a crash may have
 * come between giving a worktree back, for another job to have, and the record of it.
 */
export async function isThere({ cwd, worktree }: Place, id: string): Promise<boolean> {
  const isFolder = await stat(cwd).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
  return isFolder && (worktree === undefined || (await isHeldBy(worktree, id)));
}

async function folderOf(work: Work, shop: Workshop, { cwd, repo }: Manifest): Promise<string> {
  const near = work.state.folder ?? shop.workspaceFolder;
  if (repo !== undefined) return path.join(await cloneOf(shop, repo, near), cwd ?? '');
  if (cwd === undefined && near === undefined) {
    throw new UserError(
      'no-cwd',
      'The job does not say where to work, and no folder is open. Nothing was run.',
      'Write `cwd:` with the folder of the repository into its front matter.',
    );
  }
  const named = (cwd ?? '.').replace(/^~(?=$|[\\/])/, os.homedir());
  if (path.isAbsolute(named)) return named;
  if (near !== undefined) return path.resolve(near, named);
  throw new UserError(
    'relative-cwd',
    `The job works in ${named}, relative to the workspace folder, but no folder is open. Nothing was run.`,
    'Give `cwd` as an absolute path, or open the folder.',
  );
}

async function cloneOf(shop: Workshop, repo: string, near: string | undefined): Promise<string> {
  const folder = await shop.clones.find(repo, near);
  if (folder !== undefined) return folder;
  throw new UserError(
    'no-clone',
    `No clone of ${repo} was found on this machine. Nothing was run.`,
    'Clone it, and name its folder (or the folder that it lies in) in `agentQueue.repositories`.',
  );
}
