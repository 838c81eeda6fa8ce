/**
 * What `src/runner/workspace/` does with files and worktrees, over the repository of a simulated machine. Merging,
 * landing, pushing and fetching are the product's own (they only call git).
 */

import type { Git } from '../../src/platform/git/git.ts';
import type { ChangedFile, ChangesRequest } from '../../src/runner/workspace/changes.ts';
import type { Checkpoint, CheckpointRequest } from '../../src/runner/workspace/checkpoint.ts';
import type { Released, ReleaseRequest } from '../../src/runner/workspace/release.ts';
import type { Workplace } from '../../src/runner/workspace/repository.ts';
import { markIdle, markOwner, ownerOf } from '../../src/runner/workspace/slots.ts';
import type { Worktree, WorktreeRequest } from '../../src/runner/workspace/worktrees.ts';
import { MAIN, type Repository } from '../world/repository.ts';
import { here } from '../world/world.ts';
import { mkdir, stat } from './fs-promises.ts';

export { jobBranch } from '../../src/runner/workspace/worktrees.ts';

/** Where every machine has its clone. */
export const CLONE = '/work/app';

function repositoryHere(): Repository {
  return here().machine.repository;
}

export async function resolveWorkplace(_git: Git, { cwd }: { readonly cwd: string }): Promise<Workplace> {
  await stat(cwd);
  const commit = repositoryHere().refs.get(MAIN) as string;
  return {
    kind: 'worktree',
    cwd,
    repository: { name: 'app', commonDir: `${CLONE}/.git`, root: CLONE, bare: false },
    base: { name: 'HEAD', commit },
    target: MAIN,
    subdirectory: '',
    uncommitted: 0,
  };
}

export function folderInWorktree(worktree: string): Promise<string> {
  return Promise.resolve(worktree);
}

export async function acquireWorktree(_git: Git, request: WorktreeRequest): Promise<Worktree> {
  const process = here();
  const repository = repositoryHere();
  const { chance } = process.machine.world;
  const path = `${request.home}/worktrees/app/${chance.hex(8)}`;
  await mkdir(`${request.home}/worktrees/app`, { recursive: true });
  if (request.owner !== undefined)
    await markOwner(path, { owner: request.owner, repository: request.repository });
  await mkdir(path, { recursive: true });
  return process.effect(() => {
    let branch: string | undefined;
    for (let n = 1; request.branch !== undefined && branch === undefined; n += 1) {
      const wanted = `refs/heads/${request.branch}${n === 1 ? '' : `-${n}`}`;
      if (!repository.refs.has(wanted)) branch = wanted;
    }
    if (branch !== undefined) repository.refs.set(branch, request.commit);
    const files = new Map(repository.filesOf(repository.treeOf(request.commit)));
    repository.worktrees.set(path, { files, head: request.commit, branch });
    return { path, branch, reused: false, setAside: [] };
  });
}

export async function releaseWorktree(_git: Git, request: ReleaseRequest): Promise<Released> {
  const repository = repositoryHere();
  const holder = (await ownerOf(request.path))?.owner;
  if (request.owner !== undefined && holder !== undefined && holder !== request.owner)
    return { outcome: 'pooled' };
  const released = await release(repository, request);
  if (released.outcome !== 'kept') await markIdle(request.path, repository.refs.get(MAIN) as string);
  return released;
}

function release(repository: Repository, request: ReleaseRequest): Promise<Released> {
  return here().effect(() => {
    const worktree = repository.worktrees.get(request.path);
    if (worktree === undefined) return { outcome: 'removed' };
    const tree = repository.writeTree(worktree.files);
    const reached = [request.saved, ...repository.refs.values()].some(
      (commit) => commit !== undefined && repository.treeOf(commit) === tree,
    );
    if (!reached && request.disposable !== true)
      return { outcome: 'kept', code: 'unsaved-files', reason: 'it has files that no ref holds', files: [] };
    repository.worktrees.delete(request.path);
    return { outcome: 'removed' };
  });
}

export function checkpoint(_git: Git, request: CheckpointRequest): Promise<Checkpoint> {
  const repository = repositoryHere();
  request.signal?.throwIfAborted();
  return here().effect(() => {
    const worktree = repository.worktrees.get(request.worktree);
    if (worktree === undefined) throw new Error(`${request.worktree} is no worktree`);
    const tree = repository.writeTree(worktree.files);
    const last = repository.refs.get(request.ref);
    const known = { wipBranch: request.ref, embedded: [], unreadable: [] };
    if (last !== undefined && repository.treeOf(last) === tree)
      return { ...known, wipCommit: last, changed: false };
    if (repository.treeOf(worktree.head) === tree)
      return { ...known, wipCommit: worktree.head, changed: false };
    const wipCommit = repository.commitTree(tree, [worktree.head], request.message);
    repository.refs.set(request.ref, wipCommit);
    return { ...known, wipCommit, changed: true };
  });
}

export function changedFiles(_git: Git, { base, commit }: ChangesRequest): Promise<ChangedFile[]> {
  const repository = repositoryHere();
  return here().effect(() => {
    const [before, after] = [base, commit].map((each) => repository.filesOf(repository.treeOf(each)));
    return [...(after ?? [])]
      .filter(([file, version]) => before?.get(file) !== version)
      .map(([file]) => ({ path: file, status: 'modified', binary: false, submodule: false }) as const);
  });
}

export function copyIncluded() {
  return Promise.resolve({ copied: [], skipped: [] });
}

export function checkoutOf(): Promise<undefined> {
  return Promise.resolve(undefined);
}

export function operationOn(): Promise<undefined> {
  return Promise.resolve(undefined);
}
