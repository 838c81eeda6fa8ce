/**
 * Checkpoints on the remote: the work of a claimed job under the job's own ref, which carries its epoch, so that
 * another laptop can go on from it (fleet-protocol.md, rule 10). Outside `refs/heads/`: no branch appears, and
 * nothing that watches branches is set going.
 */
import { MINUTE } from '../../platform/clock.ts';
import type { Git } from '../../platform/git/git.ts';
import { remoteOf } from './remotes.ts';

/** A remote that does not answer holds nothing up longer, ms. */
const PATIENCE = 1 * MINUTE;
/** Refs of claimed jobs, ours and other coordinators' branches for work in progress; nothing that git could read as an option. */
const WIP_REF = /^refs\/(?:agent-queue|heads)\/[A-Za-z0-9][A-Za-z0-9._/-]*$/;

export interface RemoteCheckpoint {
  /** Full name of the ref. */
  readonly wipBranch: string;
  readonly wipCommit: string;
}

interface Where {
  /** Any folder of the repository. */
  readonly cwd: string;
  /** Full ref of the branch that the job will land on, which decides on the remote. */
  readonly target?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Writes the commit to the ref of the same name on the remote, whatever was there: nobody else writes that ref.
 * @throws UserError `no-remote`; GitError for whatever git could not do
 */
export async function pushCheckpoint(
  git: Git,
  { wipBranch, wipCommit }: RemoteCheckpoint,
  where: Where,
): Promise<void> {
  const { name } = await remote(git, where);
  const args = ['push', '--no-verify', '--quiet', '--', name, `+${wipCommit}:${wipBranch}`];
  await git.run(args, { cwd: where.cwd, signal: limited(where.signal) });
}

/** Brings the commit into this clone; false when it cannot be had, or is not what the ref holds. */
export async function fetchCheckpoint(
  git: Git,
  { wipBranch, wipCommit }: RemoteCheckpoint,
  where: Where,
): Promise<boolean> {
  const { cwd } = where;
  const has = async () =>
    (await git.run(['cat-file', '-e', `${wipCommit}^{commit}`], { cwd, answers: [0, 1, 128] })).exitCode ===
    0;
  if (await has()) return true;
  if (!WIP_REF.test(wipBranch) || wipBranch.includes('..')) return false;
  try {
    const { name } = await remote(git, where);
    const args = ['fetch', '--no-tags', '--no-write-fetch-head', '--quiet', '--', name, wipBranch];
    await git.run(args, { cwd, signal: limited(where.signal) });
  } catch {
    // Whatever the reason: the job can begin at its base.
    where.signal?.throwIfAborted();
    return false;
  }
  return has();
}

function remote(git: Git, { cwd, target }: Where): Promise<{ readonly name: string }> {
  return remoteOf(git, { cwd, ...(target !== undefined && { branch: target }) });
}

function limited(signal: AbortSignal | undefined): AbortSignal {
  const limit = AbortSignal.timeout(PATIENCE);
  return signal === undefined ? limit : AbortSignal.any([limit, signal]);
}
