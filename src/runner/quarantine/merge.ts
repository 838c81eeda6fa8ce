import type { Git } from '../../platform/git/git.ts';
import { type Conflict, parseConflicts } from '../workspace/candidate.ts';
import { commitTree } from '../workspace/commit.ts';

/** Objects that only a merge looks at are the same each time. */
const NO_TIME = { GIT_AUTHOR_DATE: '@0 +0000', GIT_COMMITTER_DATE: '@0 +0000' };
/** Where two kinds of thing want one name, git gives one of them a name of its own. */
const SET_ASIDE = /~[0-9a-f]{40,64}(?:_\d+)?$/;

/**
 * What `work` changed since `base`, put on top of `onto`; no checkout, index or ref is touched. The commits need not
 * descend from each other: git is given three of its own that do, so that `base` is the base whatever a history says
 * (`merge-tree --merge-base` needs a newer git than we ask for).
 */
export async function mergeOnto(
  git: Git,
  request: { readonly cwd: string; readonly base: string; readonly work: string; readonly onto: string },
): Promise<{ readonly tree: string } | { readonly conflicts: readonly Conflict[] }> {
  await git.requireFloor();
  const { cwd, base, work, onto } = request;
  const made = (tree: string, parents: readonly string[]) =>
    commitTree(git, { cwd, tree: `${tree}^{tree}`, parents, message: 'agent-queue: merge', env: NO_TIME });
  const root = await made(base, []);
  const [ours, theirs] = await Promise.all([made(onto, [root]), made(work, [root])]);
  const args = ['merge-tree', '--write-tree', '-z', '--messages', '--name-only', ours, theirs];
  const merged = await git.run(args, { cwd, answers: [1] });
  if (merged.exitCode !== 1) return { tree: merged.stdout.slice(0, merged.stdout.indexOf('\0')) };
  return { conflicts: withOwnNames(parseConflicts(merged.stdout)) };
}

function withOwnNames(conflicts: readonly Conflict[]): Conflict[] {
  const kinds = new Map<string, Set<string>>();
  for (const { path, kinds: found } of conflicts) {
    const name = path.replace(SET_ASIDE, '');
    kinds.set(name, new Set([...(kinds.get(name) ?? []), ...found]));
  }
  return [...kinds].map(([path, found]) => ({ path, kinds: [...found] }));
}

/** `a.txt (contents), b (modify/delete)`. */
export function conflictsText(conflicts: readonly Conflict[]): string {
  return conflicts
    .map(({ path, kinds }) => (kinds.length === 0 ? path : `${path} (${kinds.join(', ')})`))
    .join(', ');
}
