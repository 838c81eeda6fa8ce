/**
 * The whole state of somebody's work as a commit on a ref beside the branch (runner.md, "Life of a job", 2):
 * tracked, new and deleted files, but none that is ignored. The worktree's index, files, HEAD, branch and the
 * stash stay as they are, and it does not matter what the engine's own git is doing meanwhile.
 *
 * For a job in place (`worktree: false`) the same is done before it starts; the later checkpoints then get that
 * first one as their `parent`, and a diff shows only what the job did.
 */
import { join } from 'node:path';
import type { Git, GitRunOptions } from '../../platform/git/git.ts';
import { commitTree } from './commit.ts';
import { withIndexCopy } from './index-copy.ts';
import { linksIn } from './links.ts';
import { writeOwnRef } from './own-ref.ts';
import { confinedTo } from './slots.ts';

export interface CheckpointRequest {
  /** The top of the worktree. */
  readonly worktree: string;
  /** Full name of the ref that takes the commit, e.g. `refs/agent-queue/<id>/wip`. */
  readonly ref: string;
  /** What the work is compared with and the commit's parent. Default: the worktree's HEAD. */
  readonly parent?: string;
  readonly message: string;
  readonly signal?: AbortSignal;
}

export interface Checkpoint {
  readonly wipBranch: string;
  readonly wipCommit: string;
  /** False when the work is exactly what the parent has; `wipCommit` is then the parent. */
  readonly changed: boolean;
  /** Git repositories inside the worktree, relative to it: their content is not part of the checkpoint. */
  readonly embedded: readonly string[];
  /** What git could not read, in its own words; everything else is in the checkpoint. */
  readonly unreadable: readonly string[];
}

const EMPTY_TREE = '4b825dc642cb6eb9a060e54bf8d69288fbee4904';
/** Files come and go while the engine works; another look finds them settled. */
const ATTEMPTS = 5;

/**
 * Saves the work. The ref is moved only when there is something new.
 * @throws {UserError} for a full disk and the like, a GitError when the worktree cannot be read at all; the
 *   ref then still has the last checkpoint.
 */
export async function checkpoint(git: Git, request: CheckpointRequest): Promise<Checkpoint> {
  const { worktree, ref, message, signal } = request;
  const options = { cwd: worktree, env: confinedTo(worktree), ...(signal === undefined ? {} : { signal }) };
  const parentName = request.parent ?? 'HEAD';
  const asked = [parentName, `${parentName}^{tree}`, ref, `${ref}^{tree}`, `${ref}^`];
  const [known, gitDir] = await Promise.all([
    objectIds(git, asked, options),
    git.run(['rev-parse', '--absolute-git-dir'], options),
  ]);
  const [parent, parentTree = EMPTY_TREE, last, lastTree, lastParent] = known;

  const work = await withIndexCopy(join(gitDir.stdout.replace(/\n$/, ''), 'index'), (indexFile) =>
    recordWork(git, { ...options, indexFile }),
  );
  const result = { wipBranch: ref, embedded: work.embedded, unreadable: work.unreadable };
  const changed = work.tree !== parentTree;
  if (last !== undefined && lastTree === work.tree && lastParent === parent) {
    return { ...result, wipCommit: last, changed };
  }
  const wipCommit =
    parent !== undefined && !changed
      ? parent
      : await commitTree(git, {
          ...options,
          tree: work.tree,
          parents: parent === undefined ? [] : [parent],
          message,
        });
  if (wipCommit !== last) {
    const was = last ?? '0'.repeat(wipCommit.length);
    const update = ['update-ref', '-m', 'agent-queue: checkpoint', ref, wipCommit, was];
    await writeOwnRef(() => git.run(update, options));
  }
  return { ...result, wipCommit, changed };
}

/** The id of each object, undefined for those that do not exist, in one process. */
async function objectIds(
  git: Git,
  names: readonly string[],
  options: GitRunOptions,
): Promise<(string | undefined)[]> {
  const args = ['cat-file', '--batch-check=%(objectname)'];
  const { stdout } = await git.run(args, { ...options, input: names.map((name) => `${name}\n`).join('') });
  return stdout.split('\n').map((line) => (/^[0-9a-f]{40,64}$/.test(line) ? line : undefined));
}

interface Work {
  readonly tree: string;
  readonly embedded: readonly string[];
  readonly unreadable: readonly string[];
}

async function recordWork(git: Git, options: GitRunOptions & { indexFile: string }): Promise<Work> {
  for (let attempt = 1; ; attempt++) {
    // One file that cannot be read must not keep all others out: exit code 1 then, and the rest is recorded.
    // A file that vanishes between two looks is fatal all the same (128), and nothing is recorded.
    const args = ['-c', 'advice.addEmbeddedRepo=false', 'add', '--all', '--ignore-errors', '--', '.'];
    const answers = attempt < ATTEMPTS ? [1, 128] : [1];
    const { exitCode, stderr } = await git.run(args, { ...options, answers });
    const { withoutCommit, unreadable } = readComplaints(stderr);
    if ((exitCode === 128 || unreadable.length > 0) && attempt < ATTEMPTS) continue;
    const linked = stderr.includes('adding embedded git repository') ? await dropNewLinks(git, options) : [];
    const tree = (await git.run(['write-tree'], options)).stdout.trim();
    return { tree, embedded: [...linked, ...withoutCommit], unreadable };
  }
}

function readComplaints(stderr: string): { withoutCommit: string[]; unreadable: string[] } {
  const withoutCommit: string[] = [];
  const unreadable: string[] = [];
  for (const line of stderr.split('\n')) {
    const path = /^error: '(.+)\/' does not have a commit checked out$/.exec(line)?.[1];
    if (path !== undefined) withoutCommit.push(path);
    else if (line.startsWith('error: ') && !line.includes('unable to index file')) unreadable.push(line);
  }
  return { withoutCommit, unreadable };
}

/**
 * `git add` records a repository inside the worktree as a link to a commit that only exists in there, which would
 * break every clone of the result. Links that were there already (a submodule that the engine has added) stay.
 */
async function dropNewLinks(git: Git, options: GitRunOptions & { indexFile: string }): Promise<string[]> {
  const list = ['ls-files', '--stage', '-z'];
  const { indexFile, ...own } = options;
  const [now, before] = await Promise.all([git.run(list, { ...own, indexFile }), git.run(list, own)]);
  const known = new Set(linksIn(before.stdout));
  const fresh = linksIn(now.stdout).filter((path) => !known.has(path));
  const remove = ['update-index', '-z', '--force-remove', '--stdin'];
  await git.run(remove, { ...options, input: fresh.map((path) => `${path}\0`).join('') });
  return fresh;
}
