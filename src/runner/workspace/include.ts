/**
 * `.worktreeinclude`: a file at the top of the person's checkout with patterns in the style of .gitignore. What
 * git ignores and one of them matches (`.env`, a local certificate) is copied into a job's new worktree.
 */
import { constants } from 'node:fs';
import { chmod, copyFile, lstat, mkdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errnoOf } from '../../platform/errors.ts';
import type { Git } from '../../platform/git/git.ts';
import type { Repository } from './repository.ts';

export const INCLUDE_FILE = '.worktreeinclude';

export interface Included {
  readonly copied: readonly string[];
  /** Matching files that were not copied, each with the reason. */
  readonly skipped: readonly { readonly path: string; readonly reason: string }[];
}

/** Copies what the person's `.worktreeinclude` names; nothing when there is none. Never overwrites, never leaves the worktree. */
export async function copyIncluded(
  git: Git,
  { repository, worktree, signal }: { repository: Repository; worktree: string; signal?: AbortSignal },
): Promise<Included> {
  const copied: string[] = [];
  const skipped: { path: string; reason: string }[] = [];
  if (repository.bare || !(await isFile(join(repository.root, INCLUDE_FILE)))) return { copied, skipped };
  const abort = signal === undefined ? {} : { signal };
  const matches = await git.run(
    ['ls-files', '--others', '--ignored', '-z', `--exclude-from=${INCLUDE_FILE}`],
    { cwd: repository.root, ...abort },
  );
  const ignoredIn = async (cwd: string, paths: readonly string[]) => {
    if (paths.length === 0) return [];
    const input = paths.map((path) => `${path}\0`).join('');
    const { stdout } = await git.run(['check-ignore', '-z', '--stdin'], {
      cwd,
      input,
      answers: [1],
      ...abort,
    });
    return splitPaths(stdout);
  };
  const skip = (path: string, reason: string) => void skipped.push({ path, reason });

  const reachable: string[] = [];
  for (const path of await ignoredIn(repository.root, splitPaths(matches.stdout))) {
    if (await leadsThroughLink(worktree, path)) skip(path, 'its folder is a symbolic link in the worktree');
    else reachable.push(path);
  }
  const safe = new Set(await ignoredIn(worktree, reachable));
  for (const path of reachable) {
    signal?.throwIfAborted();
    // It would be committed with the work, and it may well be a secret.
    if (!safe.has(path)) {
      skip(path, 'the work starts from a commit that does not ignore it');
      continue;
    }
    const problem = await copyFromTo(repository.root, worktree, path);
    if (problem === undefined) copied.push(path);
    else skip(path, problem);
  }
  return { copied, skipped };
}

/** Undefined when the file was copied, else the reason why not. */
async function copyFromTo(from: string, to: string, path: string): Promise<string | undefined> {
  const source = join(from, path);
  const destination = join(to, path);
  try {
    const about = await lstat(source);
    if (about.isSymbolicLink()) return 'it is a symbolic link';
    if (!about.isFile()) return 'it is not a file';
    await mkdir(dirname(destination), { recursive: true });
    await copyFile(source, destination, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    await chmod(destination, about.mode & 0o777);
    return undefined;
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'EEXIST') return 'the worktree has a file of that name';
    if (code === 'ENOTDIR') return 'the worktree has a file where its folder would be';
    if (code === 'ENOENT') return 'it has just been removed';
    if (code === 'EACCES') return 'it cannot be read';
    throw error;
  }
}

/** Whether one of the folders on the way is a link, which may lead anywhere. */
async function leadsThroughLink(top: string, path: string): Promise<boolean> {
  const folders = path.split('/').slice(0, -1);
  for (let depth = 1; depth <= folders.length; depth++) {
    const about = await lstat(join(top, ...folders.slice(0, depth))).catch(() => undefined);
    if (about === undefined) return false;
    if (about.isSymbolicLink()) return true;
  }
  return false;
}

function splitPaths(output: string): string[] {
  return output.split('\0').filter((path) => path !== '');
}

function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (about) => about.isFile(),
    () => false,
  );
}
