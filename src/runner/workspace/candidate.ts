import { UserError } from '../../platform/errors.ts';
import type { Git, GitRunOptions } from '../../platform/git/git.ts';
import { commitTree } from './commit.ts';

export interface CandidateRequest {
  /** Any folder of the repository. */
  readonly cwd: string;
  /** The commit that the target branch is at. */
  readonly targetTip: string;
  readonly wipCommit: string;
  /** Of the merge commit, if one is needed. */
  readonly message: string;
  readonly signal?: AbortSignal;
}

export interface Candidate {
  /** What the target branch will be at once it has landed. Not reached by any ref yet. */
  readonly commit: string;
  readonly tree: string;
  /** True when the target has nothing that the work does not have: no merge commit is needed. */
  readonly fastForward: boolean;
}

export interface Conflict {
  readonly path: string;
  /** Git's stable short names, e.g. `contents`, `modify/delete`, `rename/delete`, `binary`, `submodule`. */
  readonly kinds: readonly string[];
}

/**
 * Merges the work into the tip of the target branch without touching any checkout, index or ref.
 * @throws {UserError} `unrelated-histories`, `git-too-old`.
 */
export async function buildCandidate(
  git: Git,
  request: CandidateRequest,
): Promise<Candidate | { readonly conflicts: readonly Conflict[] }> {
  await git.requireFloor();
  const { cwd, targetTip, wipCommit, message, signal } = request;
  const options: GitRunOptions = { cwd, ...(signal === undefined ? {} : { signal }) };
  const common = await git.run(['merge-base', '--all', targetTip, wipCommit], {
    ...options,
    answers: [1],
  });
  const bases = common.stdout.split('\n').filter((line) => line !== '');
  if (bases.length === 0) throw unrelated();
  // One of them contains the other: the work is ahead, or has been merged before.
  const ahead = bases.includes(targetTip) ? wipCommit : bases.includes(wipCommit) ? targetTip : undefined;
  if (ahead !== undefined) {
    const { stdout } = await git.run(['rev-parse', '--verify', `${ahead}^{tree}`], options);
    return { commit: ahead, tree: stdout.trim(), fastForward: true };
  }
  const args = ['merge-tree', '--write-tree', '-z', '--messages', '--name-only', targetTip, wipCommit];
  const merged = await git.run(args, { ...options, answers: [1] });
  const tree = merged.stdout.slice(0, merged.stdout.indexOf('\0'));
  if (merged.exitCode === 1) return { conflicts: parseConflicts(merged.stdout) };
  const commit = await commitTree(git, { ...options, tree, parents: [targetTip, wipCommit], message });
  return { commit, tree, fastForward: false };
}

/**
 * Reads what `git merge-tree --write-tree -z --messages --name-only` says of conflicts: the tree, the conflicted
 * files up to an empty record, then messages of (number of paths, paths, type, text); git-merge-tree(1), OUTPUT.
 */
export function parseConflicts(output: string): Conflict[] {
  const fields = output.split('\0');
  const filesEnd = fields.indexOf('', 1);
  const kinds = new Map<string, Set<string>>();
  for (const path of fields.slice(1, filesEnd)) kinds.set(path, new Set());
  for (let at = filesEnd + 1; at + 1 < fields.length; ) {
    const count = Number(fields[at]);
    const paths = fields.slice(at + 1, at + 1 + count);
    const kind = /^CONFLICT \((.+)\)$/.exec(fields[at + 1 + count] ?? '')?.[1];
    if (kind !== undefined) {
      for (const path of paths) kinds.set(path, (kinds.get(path) ?? new Set()).add(kind));
    }
    at += count + 3;
  }
  return [...kinds].map(([path, found]) => ({ path, kinds: [...found] }));
}

function unrelated(): UserError {
  return new UserError(
    'unrelated-histories',
    'The work and the target branch have no commit in common, so they cannot be merged. Nothing has been changed.',
    'Look at the job’s branch; take over what you need by hand, or ship it by push.',
  );
}
