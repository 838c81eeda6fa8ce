/**
 * What becomes of a worktree that its job no longer needs: back to the pool, removed, or kept. Somebody's work
 * is never the price: it goes only when everything in it is in a commit that a ref reaches. Ignored files may
 * go, as they do with `git worktree remove`.
 */
import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Clock } from '../../platform/clock.ts';
import { GitError } from '../../platform/git/error.ts';
import type { Git } from '../../platform/git/git.ts';
import { withIndexCopy } from './index-copy.ts';
import { linksIn } from './links.ts';
import type { Repository } from './repository.ts';
import {
  adminDirectory,
  confinedTo,
  idleCommit,
  isLocked,
  markIdle,
  ownerOf,
  readPool,
  unmarkOwner,
} from './slots.ts';
import { readStatus, type WorktreeStatus } from './status.ts';
import { lockWorktrees } from './worktrees.ts';

/** Idle worktrees of one repository that wait for the next job. */
export const POOL_SIZE = 4;

export interface ReleaseRequest {
  readonly repository: Repository;
  readonly path: string;
  /** As it was acquired. A slot that has another owner by now is not touched. */
  readonly owner?: string;
  /** The commit that is believed to hold everything in the worktree, e.g. the last checkpoint. Default: its HEAD. */
  readonly saved?: string;
  /**
   * The caller vouches that nobody but its own commands wrote here (a checkout made for `verify`): changed and
   * new files are rubbish. Commits that no ref reaches are kept even so.
   */
  readonly disposable?: boolean;
  /** How many idle worktrees may wait. Default {@link POOL_SIZE}. */
  readonly poolSize?: number;
  readonly clock: Clock;
}

export type Released =
  | { readonly outcome: 'pooled' | 'removed' }
  /** Nothing was changed. `reason` completes the sentence "The worktree is kept because …". */
  | {
      readonly outcome: 'kept';
      readonly code: 'unsaved-files' | 'unreachable-commit' | 'embedded-repository' | 'locked' | 'unreadable';
      readonly reason: string;
      /** Relative to the worktree. */
      readonly files: readonly string[];
    };

type Kept = Extract<Released, { outcome: 'kept' }>;

/** Gives a worktree back. Doing so twice is harmless. */
export async function releaseWorktree(git: Git, request: ReleaseRequest): Promise<Released> {
  if ((await idleCommit(request.path)) !== undefined) return { outcome: 'pooled' };
  const holder = (await ownerOf(request.path))?.owner;
  if (request.owner !== undefined && holder !== undefined && holder !== request.owner)
    return { outcome: 'pooled' };
  const admin = await adminDirectory(request.path, request.repository);
  if (admin === undefined) return forget(git, request);
  if (await isLocked(admin)) return kept('locked', 'somebody has locked it (git worktree lock)');
  try {
    const proof = await prove(git, request, admin);
    if ('outcome' in proof) return proof;
    await clean(git, request, proof);
    return await poolOrRemove(git, request, proof);
  } catch (error) {
    if (error instanceof GitError) return kept('unreadable', `git cannot work with it: ${error.stderr}`);
    throw error;
  }
}

/** The worktree's folder, or its link to the repository, was deleted by hand. Files in it are not ours to judge. */
async function forget(git: Git, request: ReleaseRequest): Promise<Released> {
  if (await exists(request.path)) return kept('unreadable', 'it is no longer a worktree of this repository');
  using _lock = await lockWorktrees(request.repository, request);
  // Only its registration is left, if that. Not `prune`, which would forget the person's own as well.
  const args = ['worktree', 'remove', '--force', request.path];
  await git.run(args, { cwd: request.repository.root, answers: [128] });
  return { outcome: 'removed' };
}

interface Proof {
  /** Holds all there is in the worktree. */
  readonly commit: string;
  /** Ignored files, and for a disposable checkout whatever else lies about. */
  readonly litter: boolean;
  /** Submodules are checked out, which the next job must not find. */
  readonly submodules: boolean;
}

async function prove(git: Git, request: ReleaseRequest, admin: string): Promise<Proof | Kept> {
  const options = { cwd: request.path, env: confinedTo(request.path) };
  const own = await readStatus(git, options);
  const commit = request.saved ?? own.head;
  if (commit === undefined) return kept('unsaved-files', 'it has no commit yet');
  // A branch keeps its own commits.
  if (own.branch === undefined && own.head !== undefined && !(await isKnown(git, request, own.head))) {
    return kept('unreachable-commit', `no branch or tag reaches its commit ${own.head.slice(0, 10)}`);
  }
  if (commit !== own.head && !(await isReachable(git, request, commit))) {
    return kept('unreachable-commit', `no branch or tag reaches its commit ${commit.slice(0, 10)}`);
  }
  const submodules = await exists(join(admin, 'modules'));
  if (submodules && request.disposable !== true) {
    return kept(
      'embedded-repository',
      'submodules are checked out in it, which may hold commits of their own',
    );
  }
  const against = commit === own.head ? own : await compare(git, request, admin, commit);
  const litter = own.ignored.length > 0 || against.untracked.length > 0;
  if (request.disposable === true) return { commit, litter, submodules };
  const embedded = litter ? await embeddedRepositories(git, request.path) : [];
  if (embedded.length > 0) return kept('embedded-repository', 'another git repository lies in it', embedded);
  const unsaved = [...new Set([...against.staged, ...against.unstaged, ...against.untracked])];
  if (unsaved.length > 0) return kept('unsaved-files', 'it holds changes that no commit has', unsaved);
  return { commit, litter, submodules };
}

/** The commit of a verify checkout is known to the caller, who can build it again. */
async function isKnown(git: Git, request: ReleaseRequest, commit: string): Promise<boolean> {
  return (request.disposable === true && commit === request.saved) || isReachable(git, request, commit);
}

async function isReachable(git: Git, { repository }: ReleaseRequest, commit: string): Promise<boolean> {
  const { stdout } = await git.run(['for-each-ref', '--count=1', `--contains=${commit}`], {
    cwd: repository.root,
  });
  return stdout !== '';
}

/** How the files differ from `commit`, whatever the worktree's own index and HEAD say. */
function compare(git: Git, { path }: ReleaseRequest, admin: string, commit: string): Promise<WorktreeStatus> {
  const options = { cwd: path, env: confinedTo(path) };
  return withIndexCopy(join(admin, 'index'), async (indexFile) => {
    await git.run(['read-tree', '--reset', commit], { ...options, indexFile });
    const status = await readStatus(git, { ...options, indexFile });
    return { ...status, staged: [] }; // that HEAD is elsewhere is no change
  });
}

async function embeddedRepositories(git: Git, path: string): Promise<string[]> {
  // Git lists every untracked file, but of another repository only the folder.
  const { stdout } = await git.run(['ls-files', '--others', '-z'], { cwd: path, env: confinedTo(path) });
  return stdout.split('\0').filter((entry) => entry.endsWith('/'));
}

/** Leaves a detached checkout of exactly the commit. Everything that goes here has been proven to be elsewhere. */
async function clean(git: Git, { path }: ReleaseRequest, { commit, litter }: Proof): Promise<void> {
  const options = { cwd: path, env: confinedTo(path) };
  await git.run(['checkout', '-q', '-f', '--detach', commit], options);
  if (litter) await git.run(['clean', '-q', '-ffdx'], options);
}

async function poolOrRemove(git: Git, request: ReleaseRequest, proof: Proof): Promise<Released> {
  using _lock = await lockWorktrees(request.repository, request);
  const slots = await readPool(dirname(request.path));
  const idle = slots.filter((slot) => slot.idleAt !== undefined).length;
  if (!proof.submodules && idle < (request.poolSize ?? POOL_SIZE)) {
    await markIdle(request.path, proof.commit);
    return { outcome: 'pooled' };
  }
  return remove(git, request, proof.submodules);
}

async function remove(git: Git, { path, repository }: ReleaseRequest, force: boolean): Promise<Released> {
  const args = (forced: boolean) => ['worktree', 'remove', ...(forced ? ['--force'] : []), path];
  try {
    await git.run(args(force), { cwd: repository.root }); // without --force git looks once more for changes
  } catch (error) {
    // It refuses whenever the commit has submodules, even if none is checked out.
    if (!(error instanceof GitError) || !error.stderr.includes('containing submodules')) throw error;
    const listing = await git.run(['ls-files', '--stage', '-z'], { cwd: path, env: confinedTo(path) });
    const links = linksIn(listing.stdout);
    const filled = await Promise.all(links.map((link) => exists(join(path, link, '.git'))));
    const embedded = links.filter((_, n) => filled[n]);
    if (embedded.length > 0)
      return kept('embedded-repository', 'another git repository lies in it', embedded);
    await git.run(args(true), { cwd: repository.root });
  }
  await unmarkOwner(path);
  return { outcome: 'removed' };
}

function kept(code: Kept['code'], reason: string, files: readonly string[] = []): Kept {
  return { outcome: 'kept', code, reason, files };
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
