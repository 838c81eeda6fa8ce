/**
 * Lands a merge candidate on its target branch: by compare-and-swap where no checkout has the branch, else as a
 * fast-forward in that checkout, and then only if none of the person's uncommitted files is disturbed
 * (runner.md, "Life of a job", 6). Calling it again after a crash is safe: it asks first whether it has landed.
 */
import type { Clock } from '../../platform/clock.ts';
import { UserError } from '../../platform/errors.ts';
import { GitError } from '../../platform/git/error.ts';
import type { Git } from '../../platform/git/git.ts';
import { checkoutOf, operationOn } from './checkouts.ts';
import type { Repository } from './repository.ts';
import { readStatus } from './status.ts';

export interface LandRequest {
  readonly repository: Repository;
  /** Full ref, `refs/heads/…`. */
  readonly target: string;
  /** Where the target was when the candidate was built. */
  readonly expected: string;
  readonly candidate: string;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
}

export type Landing =
  | 'landed'
  /** Somebody has moved the branch: build and verify again on top of it. */
  | { readonly moved: string }
  /** A person must act first; nothing was changed. `blocked` is a sentence. */
  | { readonly blocked: string; readonly files: readonly string[] };

/** Another program's git holds the checkout's index for a moment again and again, an editor's status for one. */
const BUSY_PAUSES_MS = [50, 100, 200, 400, 800];

/** @throws {UserError} `target-missing` when the branch is gone. */
export async function landMerge(git: Git, request: LandRequest): Promise<Landing> {
  const before = await whereIs(git, request);
  if (before !== 'expected') return before;
  const operation = await operationOn(request.repository, request.target);
  if (operation !== undefined) return blockedBy(operation.kind, operation.folder, request);
  const checkout = await checkoutOf(git, request.repository, request.target);
  const landing =
    checkout === undefined ? await swap(git, request) : await fastForward(git, request, checkout);
  if (landing !== undefined) return landing;
  // Never trust the command: look.
  const after = await whereIs(git, request);
  if (after !== 'expected') return after;
  return {
    blocked: `${shortName(request.target)} did not move, although git reported success: the checkout may have changed its branch at that moment.`,
    files: [],
  };
}

async function whereIs(git: Git, request: LandRequest): Promise<'expected' | 'landed' | { moved: string }> {
  const { target, expected, candidate } = request;
  const options = inRepository(request);
  const parse = ['rev-parse', '--verify', '--quiet', `${target}^{commit}`];
  const tip = (await git.run(parse, { ...options, answers: [1] })).stdout.trim();
  if (tip === '') throw targetMissing(target);
  if (tip === candidate) return 'landed';
  if (tip === expected) return 'expected';
  const ancestor = ['merge-base', '--is-ancestor', candidate, tip];
  const { exitCode } = await git.run(ancestor, { ...options, answers: [1] });
  return exitCode === 0 ? 'landed' : { moved: tip };
}

/** Undefined when git says that it is done, or that the branch was not where it was expected. */
async function swap(git: Git, request: LandRequest): Promise<Landing | undefined> {
  const { target, candidate, expected } = request;
  const args = ['update-ref', '-m', 'agent-queue: land', target, candidate, expected];
  try {
    await git.run(args, inRepository(request));
    return undefined;
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    const now = await whereIs(git, request);
    return now === 'expected'
      ? { blocked: `Git could not move ${shortName(target)}: ${error.stderr}`, files: [] }
      : now;
  }
}

/** The same for the person's checkout of the branch. Git itself makes sure that it changes all or nothing. */
async function fastForward(git: Git, request: LandRequest, checkout: string): Promise<Landing | undefined> {
  // Ignored files would be overwritten silently without the third.
  const careful = ['--ff-only', '--no-autostash', '--no-overwrite-ignore', '--no-stat', '--quiet'];
  const args = ['merge', ...careful, request.candidate];
  const options = { cwd: checkout, ...(request.signal === undefined ? {} : { signal: request.signal }) };
  for (const pause of [...BUSY_PAUSES_MS, undefined]) {
    try {
      await git.run(args, options);
      return undefined;
    } catch (error) {
      if (!(error instanceof GitError)) throw error;
      const busy = /index\.lock': File exists/.test(error.stderr);
      if (busy && pause !== undefined) {
        await request.clock.sleep(pause, request.signal);
        continue;
      }
      const now = await whereIs(git, request);
      if (now !== 'expected') return now;
      if (busy) return blockedBy('git command', checkout, request);
      return inTheWay(git, request, checkout, error);
    }
  }
  return undefined;
}

/** Names the person's files that the refused fast-forward would have disturbed. */
async function inTheWay(
  git: Git,
  request: LandRequest,
  checkout: string,
  refusal: GitError,
): Promise<Landing> {
  const [status, changed] = await Promise.all([
    readStatus(git, { cwd: checkout, everyFile: true }),
    git.run(
      ['diff-tree', '-r', '-z', '--name-only', '--no-renames', request.expected, request.candidate, '--'],
      inRepository(request),
    ),
  ]);
  const arriving = changed.stdout.split('\0').filter((path) => path !== '');
  const persons = [
    ...new Set([...status.staged, ...status.unstaged, ...status.untracked, ...status.ignored]),
  ];
  const files = persons.filter((path) => arriving.some((other) => overlap(path, other)));
  if (files.length === 0) {
    return {
      blocked: `Git refused to move ${shortName(request.target)} in ${checkout}: ${refusal.stderr}`,
      files,
    };
  }
  return {
    blocked: `${shortName(request.target)} is checked out in ${checkout} with uncommitted files that the work would overwrite. They have not been touched.`,
    files,
  };
}

/** Equal, or one is a folder in which the other lies. */
function overlap(one: string, other: string): boolean {
  const folder = (path: string) => (path.endsWith('/') ? path : `${path}/`);
  return folder(one).startsWith(folder(other)) || folder(other).startsWith(folder(one));
}

function blockedBy(kind: string, folder: string, { target }: LandRequest): Landing {
  return {
    blocked: `A ${kind} is going on in ${folder}, which has ${shortName(target)} checked out. It has not been touched; finish or abort it first.`,
    files: [],
  };
}

function targetMissing(target: string): UserError {
  return new UserError(
    'target-missing',
    `The branch ${shortName(target)}, on which the work was to land, does not exist any more. The work is safe on the job’s own branch.`,
    'Make the branch again, or ship the job by push.',
  );
}

function shortName(ref: string): string {
  return ref.replace(/^refs\/heads\//, '');
}

function inRepository({ repository, signal }: LandRequest) {
  return { cwd: repository.root, ...(signal === undefined ? {} : { signal }) };
}
