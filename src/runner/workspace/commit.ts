import { GitError } from '../../platform/git/error.ts';
import type { Git, GitRunOptions } from '../../platform/git/git.ts';

/** Who commits when the person has told git no name: a commit must not fail for that. */
const LAST_RESORT = {
  GIT_AUTHOR_NAME: 'Agent Queue',
  GIT_AUTHOR_EMAIL: 'agent-queue@localhost',
  GIT_COMMITTER_NAME: 'Agent Queue',
  GIT_COMMITTER_EMAIL: 'agent-queue@localhost',
};

export interface CommitRequest {
  readonly cwd: string;
  readonly tree: string;
  readonly parents: readonly string[];
  readonly message: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** Makes a commit object, which no ref reaches yet, in the person's name if there is one. Returns its id. */
export async function commitTree(git: Git, request: CommitRequest): Promise<string> {
  const { cwd, tree, parents, message, env, signal } = request;
  const parentArgs = parents.flatMap((parent) => ['-p', parent]);
  const options: GitRunOptions = { cwd, input: message, ...(signal === undefined ? {} : { signal }) };
  // Without this setting git would make up an address from the names of the user and the machine.
  const args = ['-c', 'user.useConfigOnly=true', 'commit-tree', tree, ...parentArgs, '-F', '-'];
  try {
    return (await git.run(args, { ...options, ...(env === undefined ? {} : { env }) })).stdout.trim();
  } catch (error) {
    if (
      !(error instanceof GitError) ||
      !/auto-detection is disabled|tell me who you are/i.test(error.stderr)
    ) {
      throw error;
    }
    return (await git.run(args, { ...options, env: { ...env, ...LAST_RESORT } })).stdout.trim();
  }
}
