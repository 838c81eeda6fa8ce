import { UserError } from '../../platform/errors.ts';
import { GitError } from '../../platform/git/error.ts';
import type { Git } from '../../platform/git/git.ts';

export interface PushRequest {
  /** Any folder of the repository. */
  readonly cwd: string;
  /** Name of a remote. */
  readonly remote: string;
  /** Short name of the branch on the remote. */
  readonly branch: string;
  readonly commit: string;
  /**
   * The commit that this job itself pushed there before. Only with it may the branch be rewound, and only while
   * the remote still has exactly that commit.
   */
  readonly lease?: string;
  readonly signal?: AbortSignal;
}

/**
 * Pushes a commit to a branch of a remote. Pushing what is there already is a success, so that it can be repeated
 * after a crash.
 * @throws {UserError} `push-rejected` when the branch has something else, `push-login`, `push-failed`.
 */
export async function pushBranch(git: Git, request: PushRequest): Promise<void> {
  const { cwd, remote, branch, commit, lease, signal } = request;
  const ref = `refs/heads/${branch}`;
  const force = lease === undefined ? [] : [`--force-with-lease=${ref}:${lease}`];
  const args = ['push', '--no-verify', '--quiet', ...force, '--', remote, `${commit}:${ref}`];
  try {
    await git.run(args, { cwd, ...(signal === undefined ? {} : { signal }) });
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    throw failure(request, error);
  }
}

function failure({ remote, branch }: PushRequest, error: GitError): UserError {
  const safe = 'Nothing was pushed; the work is safe on the job’s own branch.';
  const said = error.stderr;
  if (/\[rejected\]|non-fast-forward|fetch first|stale info/i.test(said)) {
    return new UserError(
      'push-rejected',
      `The branch ${branch} on ${remote} has commits that this work does not have. ${safe}`,
      `Fetch and look at ${remote}/${branch}, then retry the job or ship it under another branch.`,
      { cause: error },
    );
  }
  if (
    /could not read (Username|Password)|Authentication failed|Permission denied|terminal prompts disabled|Host key verification/i.test(
      said,
    )
  ) {
    return new UserError(
      'push-login',
      `${remote} did not accept the login, or wanted to ask for one. ${safe}`,
      `Push anything to ${remote} once in a terminal, so that git remembers the login; then ship again.`,
      { cause: error },
    );
  }
  const lines = said.split('\n').filter((line) => /^(fatal|error|remote|ssh|!)/.test(line.trim()));
  return new UserError(
    'push-failed',
    `Git could not push ${branch} to ${remote}: ${lines.at(0) ?? said}. If only the answer was lost it has arrived; the work is safe on the job’s own branch.`,
    'See the log, put it right, then ship again: what has arrived already does no harm.',
    { cause: error },
  );
}
