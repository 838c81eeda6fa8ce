/** Which checkout has a branch, and whether something is half done there. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errnoOf } from '../../platform/errors.ts';
import type { Git } from '../../platform/git/git.ts';
import type { Repository } from './repository.ts';

/** The worktree that has the branch (a full ref) checked out; undefined when none has, or its folder is gone. */
export async function checkoutOf(
  git: Git,
  repository: Repository,
  branch: string,
): Promise<string | undefined> {
  const { stdout } = await git.run(['worktree', 'list', '--porcelain', '-z'], { cwd: repository.root });
  // Records of `label value`, an empty one after each worktree (git-worktree(1), "Porcelain Format").
  for (const worktree of stdout.split('\0\0')) {
    const fields = worktree.split('\0');
    if (!fields.includes(`branch ${branch}`)) continue;
    if (fields.some((field) => field === 'prunable' || field.startsWith('prunable '))) continue;
    return fields.find((field) => field.startsWith('worktree '))?.slice('worktree '.length);
  }
  return undefined;
}

export interface Operation {
  readonly kind: 'merge' | 'rebase' | 'cherry-pick' | 'revert' | 'bisect';
  readonly folder: string;
}

/**
 * An unfinished merge, rebase, cherry-pick, revert or bisect in a checkout of the branch (a full ref). During a
 * rebase or bisect git itself shows the checkout as detached, and yet it comes back to the branch.
 */
export async function operationOn(repository: Repository, branch: string): Promise<Operation | undefined> {
  for (const { gitDir, folder } of await gitDirs(repository)) {
    const head = (await contentOf(join(gitDir, 'HEAD')))?.replace(/^ref: /, '');
    for (const [file, kind] of MARKS) {
      const content = await contentOf(join(gitDir, file));
      if (content === undefined) continue;
      if (head === branch || content === branch || `refs/heads/${content}` === branch)
        return { kind, folder };
    }
  }
  return undefined;
}

/** Files that exist while an operation goes on; for a rebase and a bisect they hold the branch. */
const MARKS: readonly (readonly [file: string, kind: Operation['kind']])[] = [
  ['rebase-merge/head-name', 'rebase'],
  ['rebase-apply/head-name', 'rebase'],
  ['BISECT_START', 'bisect'],
  ['MERGE_HEAD', 'merge'],
  ['CHERRY_PICK_HEAD', 'cherry-pick'],
  ['REVERT_HEAD', 'revert'],
];

async function gitDirs({ commonDir }: Repository): Promise<{ gitDir: string; folder: string }[]> {
  const linked = join(commonDir, 'worktrees');
  const names = await readdir(linked).catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  });
  const dirs = [{ gitDir: commonDir, folder: dirname(commonDir) }];
  for (const name of names) {
    const gitDir = join(linked, name);
    const link = await contentOf(join(gitDir, 'gitdir')); // path of the worktree's `.git` file
    if (link !== undefined && (await isThere(link))) dirs.push({ gitDir, folder: dirname(link) });
  }
  return dirs;
}

async function contentOf(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').then(
    (text) => text.trim(),
    () => undefined,
  );
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
