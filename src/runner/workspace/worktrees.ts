/**
 * A worktree for a job. A finished one of the same repository that was proven clean is used again, because that
 * costs what changed between two commits, while a fresh one costs the whole tree (20,000 files: 0.6 s against
 * 12 s). What cannot be proven is left alone, for the person.
 */
import { join } from 'node:path';
import type { Clock } from '../../platform/clock.ts';
import { messageOf, UserError } from '../../platform/errors.ts';
import { GitError } from '../../platform/git/error.ts';
import type { Git } from '../../platform/git/git.ts';
import { acquireLock, type Lock } from '../../platform/lock.ts';
import { writeOwnRef } from './own-ref.ts';
import type { Repository } from './repository.ts';
import {
  adminDirectory,
  confinedTo,
  isLocked,
  markOwner,
  nextSlot,
  openPool,
  readPool,
  unmarkIdle,
} from './slots.ts';
import { readStatus } from './status.ts';

export interface WorktreeRequest {
  readonly repository: Repository;
  /** AQ_HOME. */
  readonly home: string;
  /** The commit to check out. */
  readonly commit: string;
  /** Short name of the branch to make, e.g. from {@link jobBranch}; without it the checkout is detached. */
  readonly branch?: string;
  /** Who it is for (slots.ts); whoever gives it back says so again. */
  readonly owner?: string;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
}

export interface Worktree {
  readonly path: string;
  /** Full ref of the branch that was made: the wanted name, or with `-2`, `-3` … if that was taken. */
  readonly branch: string | undefined;
  readonly reused: boolean;
  /** Pooled worktrees that were not clean after all and are now kept for the person, with the reason. */
  readonly setAside: readonly { readonly path: string; readonly reason: string }[];
}

/** The branch for a job, `agent-queue/<id>`, with what git forbids in a name replaced (git-check-ref-format(1)). */
export function jobBranch(id: string): string {
  const safe = id
    // oxlint-disable-next-line no-control-regex -- control characters are what must go
    .replace(/[\x00-\x20\x7f~^:?*[\]\\/]+|\.{2,}|@\{/g, '-')
    .replace(/^[.-]+|[.-]+$|\.lock$/g, '');
  return `agent-queue/${safe || 'job'}`;
}

/**
 * Waits for the repository's lock: git fails when two processes add or remove worktrees at the same time
 * (measured: 7 of 200 at four at a time), so all of them pass here.
 */
export function lockWorktrees(
  repository: Repository,
  { clock, signal }: { clock: Clock; signal?: AbortSignal },
): Promise<Lock> {
  const file = join(repository.commonDir, 'agent-queue', 'worktrees.lock');
  return acquireLock(file, { clock, ...(signal === undefined ? {} : { signal }) });
}

/**
 * Makes a worktree ready for a job. Nothing of the person's checkout or branches changes.
 * @throws {UserError} `branch-name-blocked` when a branch of the person's makes ours impossible; see {@link Git}
 *   for a full disk and the like. What was begun is then taken back as far as git can.
 */
export async function acquireWorktree(git: Git, request: WorktreeRequest): Promise<Worktree> {
  const pool = await openPool(request.home, request.repository);
  const setAside: { path: string; reason: string }[] = [];
  for (;;) {
    const slot = await claimSlot(git, request, pool);
    if (slot.idleAt === undefined) {
      await fill(git, request, slot);
      return { path: slot.path, branch: slot.branch, reused: false, setAside };
    }
    const reason = await whyNotReusable(git, request, slot);
    if (reason === undefined) {
      return { path: slot.path, branch: await switchTo(git, request, slot.path), reused: true, setAside };
    }
    setAside.push({ path: slot.path, reason });
  }
}

interface Claim {
  readonly path: string;
  /** What an idle slot was left as; undefined for a fresh one, registered on its branch but not filled. */
  readonly idleAt: string | undefined;
  readonly branch?: string | undefined;
}

/** Finds an idle slot, or makes a fresh one. Nobody else can have it then. */
async function claimSlot(git: Git, request: WorktreeRequest, pool: string): Promise<Claim> {
  using _lock = await lockWorktrees(request.repository, request);
  const slots = await readPool(pool);
  const idle = slots.filter((slot) => slot.idleAt !== undefined);
  const claimed = idle.find((slot) => slot.idleAt === request.commit) ?? idle[0];
  if (claimed !== undefined) {
    await own(request, claimed.path);
    await unmarkIdle(claimed.path);
    return claimed;
  }
  const path = nextSlot(pool, request.repository, slots);
  await own(request, path);
  await unmarkIdle(path); // left by a folder that somebody has deleted, which may also be registered still: -f
  const branch = await onNewBranch(request.branch, async (name) => {
    const head = name === undefined ? ['--detach'] : ['--no-track', '-b', name];
    // Without the files: filling a large worktree takes seconds, and needs no lock.
    const add = ['worktree', 'add', '-f', '--no-checkout', ...head, path, request.commit];
    await git.run(add, { cwd: request.repository.root, ...withSignal(request) });
  });
  return { path, idleAt: undefined, branch };
}

async function own({ owner, repository }: WorktreeRequest, path: string): Promise<void> {
  if (owner !== undefined) await markOwner(path, { owner, repository });
}

/** Writing many small files mostly waits for the disk (5,000 files: half the time of one worker). */
const PARALLEL_CHECKOUT = ['-c', 'checkout.workers=4', '-c', 'checkout.thresholdForParallelism=500'];

async function fill(git: Git, request: WorktreeRequest, { path, branch }: Claim): Promise<void> {
  try {
    await git.run([...PARALLEL_CHECKOUT, 'reset', '--hard', '-q'], inWorktree(request, path));
  } catch (error) {
    await takeBack(git, request, path, branch);
    throw error;
  }
}

/** Removes what never held anything but our own unfinished checkout. */
async function takeBack(git: Git, request: WorktreeRequest, path: string, branch: string | undefined) {
  using _lock = await lockWorktrees(request.repository, { clock: request.clock });
  const cwd = request.repository.root;
  await git.run(['worktree', 'remove', '--force', path], { cwd, answers: [128, 255] });
  if (branch !== undefined) {
    await git.run(['update-ref', '-d', branch, request.commit], { cwd, answers: [1, 128] });
  }
}

/** Undefined when the idle slot is still the clean checkout that it was left as. */
async function whyNotReusable(git: Git, request: WorktreeRequest, slot: Claim): Promise<string | undefined> {
  const admin = await adminDirectory(slot.path, request.repository);
  if (admin === undefined) return 'it is no longer a worktree of this repository';
  if (await isLocked(admin)) return 'somebody has locked it (git worktree lock)';
  try {
    const status = await readStatus(git, inWorktree(request, slot.path));
    if (status.branch !== undefined || status.head !== slot.idleAt) return 'somebody has used it since';
    const { staged, unstaged, untracked, ignored } = status;
    const files = [...staged, ...unstaged, ...untracked, ...ignored];
    return files.length === 0 ? undefined : `it holds files of somebody: ${files.slice(0, 3).join(', ')}`;
  } catch (error) {
    if (error instanceof GitError) return `git cannot read it: ${messageOf(error)}`;
    throw error;
  }
}

/** Takes a clean detached checkout to the wanted commit and branch. Returns the branch's full ref. */
function switchTo(git: Git, request: WorktreeRequest, path: string): Promise<string | undefined> {
  return onNewBranch(request.branch, async (name) => {
    const head = name === undefined ? ['--detach'] : ['--no-track', '-c', name];
    await git.run(['switch', '-q', ...head, request.commit], inWorktree(request, path));
  });
}

/** Calls `make` with the wanted name, then with `-2`, `-3` …, until git finds one that is free. */
async function onNewBranch(
  wanted: string | undefined,
  make: (name: string | undefined) => Promise<void>,
): Promise<string | undefined> {
  for (let n = 1; ; n++) {
    const name = wanted === undefined || n === 1 ? wanted : `${wanted}-${n}`;
    try {
      await writeOwnRef(() => make(name));
      return name === undefined ? undefined : `refs/heads/${name}`;
    } catch (error) {
      const said = error instanceof GitError ? error.stderr : '';
      if (/a branch named .* already exists/.test(said)) continue;
      if (name !== undefined && /cannot lock ref .* exists; cannot create/.test(said)) {
        throw nameBlocked(name, error);
      }
      throw error;
    }
  }
}

function nameBlocked(name: string, cause: unknown): UserError {
  const prefix = name.split('/')[0] ?? name;
  return new UserError(
    'branch-name-blocked',
    `The branch ${name} cannot be made, because a branch called ${prefix} stands in its way. Nothing has been changed.`,
    `Rename it, for example: git branch -m ${prefix} ${prefix}-old`,
    { cause },
  );
}

function inWorktree(request: WorktreeRequest, path: string) {
  return { cwd: path, env: confinedTo(path), ...withSignal(request) };
}

function withSignal({ signal }: WorktreeRequest) {
  return signal === undefined ? {} : { signal };
}
