/** The work of a job as a person reviews it: two commits, the files between them, and their content. */
import { stat } from 'node:fs/promises';
import { UserError } from '../platform/errors.ts';
import type { Git } from '../platform/git/git.ts';
import type { Changes } from './factory-api.ts';
import type { Store } from './home/store.ts';
import { changedFiles } from './workspace/changes.ts';

/** @throws UserError `no-changes`, `repository-gone`, in words. */
export async function changesOf(store: Store, git: Git, id: string): Promise<Changes> {
  const state = await store.readState(id.toLowerCase());
  const { place, result } = state ?? {};
  if (place?.repository === undefined || place.base === undefined || result?.wipCommit === undefined) {
    throw new UserError(
      'no-changes',
      place?.kind === 'plain'
        ? `${id} works in a folder outside any repository, so there is no diff.`
        : `${id} has no work to show yet.`,
      place?.kind === 'plain' ? 'Look at the folder itself.' : 'Look at its log to see how far it is.',
    );
  }
  const repository = place.repository.root;
  if (!(await stat(repository).catch(() => undefined))) {
    throw new UserError(
      'repository-gone',
      `The repository ${repository} is no longer there.`,
      'Bring it back to that place.',
    );
  }
  const { base } = place;
  const commit = result.wipCommit;
  return { repository, base, commit, files: await changedFiles(git, { cwd: repository, base, commit }) };
}

/** A file's content at a commit; undefined when it isn't there. A submodule's is the commit that it points to. */
export async function fileAt(
  git: Git,
  repository: string,
  commit: string,
  file: string,
): Promise<Uint8Array | undefined> {
  const { stdout, exitCode } = await git.runBytes(['cat-file', 'blob', `${commit}:${file}`], {
    cwd: repository,
    answers: [0, 128],
  });
  return exitCode === 0 ? stdout : undefined;
}
