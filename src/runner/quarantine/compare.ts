/** Base, ours and theirs: the result in quarantine beside the work of whoever has the job now. */
import type { Git } from '../../platform/git/git.ts';
import { localIdOf } from '../claimed/materialise.ts';
import type { Whereabouts } from '../hooks.ts';
import { wipRef } from '../steps/place.ts';
import type { Workshop } from '../steps/workshop.ts';
import { fetchCheckpoint } from '../workspace/remote-checkpoint.ts';
import type { QuarantineEntry } from './entries.ts';
import { mergeOnto } from './merge.ts';
import { pathChanges } from './tree-changes.ts';
import { type ComparedFile, compared, type Verdict, verdictOf, verdictText, type Winner } from './verdict.ts';
import { workAtHand } from './work.ts';

export interface Comparison {
  readonly id: string;
  readonly verdict: Verdict;
  /** The verdict as one sentence. */
  readonly text: string;
  readonly winner?: Winner;
  /** A folder of the repository that holds all three commits. */
  readonly repository: string;
  readonly base: string;
  readonly ours: string;
  /** Where the winner's work was found; absent: it cannot be had. */
  readonly theirs?: string;
  /** Where that work began; the branch may have moved on since ours did. */
  readonly theirBase?: string;
  /** Every file that one of the two has changed; without theirs those of ours. */
  readonly files: readonly ComparedFile[];
}

/** What one file became on either side, as patches without colours; absent: it was not changed there. */
export interface FileComparison {
  readonly ours?: string;
  readonly theirs?: string;
}

/** @throws UserError as `workAtHand` does */
export async function compare(shop: Workshop, entry: QuarantineEntry): Promise<Comparison> {
  const { git } = shop;
  const { repository, base, commit: ours, target } = await workAtHand(git, entry);
  const where = await whereaboutsOf(shop, entry);
  const winner: Winner | undefined = where && { holder: where.holder, stage: where.stage };
  const found = await theirWork(git, entry, where, { cwd: repository, target, ours });
  const theirBase =
    found.commit === undefined
      ? undefined
      : await baseOf(git, { cwd: repository, base, theirs: found.commit, target });
  const facts = { repository, base, ours };
  const files = await filesOf(git, { cwd: repository, base, ours, theirs: found.commit, target });
  const verdict = verdictOf({
    winner,
    files: found.commit === undefined ? undefined : files,
    missing: found.missing,
  });
  return {
    id: entry.id,
    verdict,
    text: verdictText(verdict, winner),
    ...(winner !== undefined && { winner }),
    ...facts,
    ...(found.commit !== undefined && { theirs: found.commit }),
    ...(theirBase !== undefined && { theirBase }),
    files,
  };
}

/** One file of a comparison in full. */
export async function compareFile(git: Git, comparison: Comparison, file: string): Promise<FileComparison> {
  const { repository: cwd, base, ours, theirs, theirBase = base } = comparison;
  const patch = async (from: string, to: string) => {
    const plain = ['--no-ext-diff', '--no-textconv', '--no-color', '--no-relative', '--submodule=short'];
    const { stdout } = await git.run(['diff', ...plain, from, to, '--', `:(top,literal)${file}`], { cwd });
    return stdout === '' ? undefined : stdout;
  };
  const mine = await patch(base, ours);
  const other = theirs === undefined ? undefined : await patch(theirBase, theirs);
  return { ...(mine !== undefined && { ours: mine }), ...(other !== undefined && { theirs: other }) };
}

/** As it is now, else as it was when the result came into quarantine. */
async function whereaboutsOf(
  shop: Workshop,
  { jobId, stale }: QuarantineEntry,
): Promise<Whereabouts | undefined> {
  if (jobId === undefined) return undefined;
  const now = await shop.hooks.whereabouts(jobId);
  if (now !== undefined || stale?.stage === undefined) return now;
  const { currentEpoch: epoch, holder, stage, takenAt, checkpoint } = stale;
  return { epoch, holder, stage, takenAt, checkpoint };
}

async function theirWork(
  git: Git,
  { jobId, epoch }: QuarantineEntry,
  where: Whereabouts | undefined,
  at: { readonly cwd: string; readonly target: string | undefined; readonly ours: string },
): Promise<{ readonly commit?: string; readonly missing?: string }> {
  const { cwd, target } = at;
  if (where === undefined || jobId === undefined) return { missing: 'nobody tells who has the job now' };
  const { checkpoint } = where;
  if (checkpoint !== undefined && (where.epoch === epoch || !isOurs(checkpoint, jobId, epoch))) {
    return (await fetchCheckpoint(git, checkpoint, { cwd, target }))
      ? { commit: checkpoint.wipCommit }
      : {
          missing: `the winner’s work (${checkpoint.wipCommit.slice(0, 10)}) is neither in this clone nor on its remote`,
        };
  }
  // Another factory on this laptop, or a fetch by hand: work is kept under job and epoch.
  const ref = where.epoch === undefined ? undefined : wipRef(localIdOf({ jobId, epoch: where.epoch }));
  if (ref !== undefined && where.epoch !== epoch) {
    const found = await git.run(['rev-parse', '--verify', '--quiet', `${ref}^{commit}`], {
      cwd,
      answers: [1, 128],
    });
    if (found.exitCode === 0) return { commit: found.stdout.trim() };
  }
  return { missing: 'the winner has not saved any work that could be looked at' };
}

/** The coordinator still names the work that this laptop saved last: whoever has the job now has saved none. */
function isOurs({ wipBranch }: { wipBranch: string }, jobId: string, epoch: number | undefined): boolean {
  return epoch !== undefined && wipBranch === wipRef(localIdOf({ jobId, epoch }));
}

async function filesOf(
  git: Git,
  request: {
    readonly cwd: string;
    readonly base: string;
    readonly ours: string;
    readonly theirs: string | undefined;
    readonly target: string | undefined;
  },
): Promise<ComparedFile[]> {
  const { cwd, base, ours, theirs, target } = request;
  const mine = await pathChanges(git, { cwd, base, commit: ours });
  if (theirs === undefined)
    return compared(
      mine.map((change) => ({ path: change.path, ours: change })),
      new Set(),
    );
  const moved = await ontoOurBase(git, { cwd, base, theirs, target });
  const others = await pathChanges(git, { cwd, base, commit: moved });
  const byPath = new Map(mine.map((change) => [change.path, change]));
  const theirsByPath = new Map(others.map((change) => [change.path, change]));
  const merged = await mergeOnto(git, { cwd, base, work: ours, onto: moved });
  const conflicts = new Set('conflicts' in merged ? merged.conflicts.map(({ path }) => path) : []);
  const paths = [...new Set([...byPath.keys(), ...theirsByPath.keys()])].sort();
  const sides = paths.map((path) => ({ path, ours: byPath.get(path), theirs: theirsByPath.get(path) }));
  return compared(sides, conflicts);
}

/** The tree of what the winner did, as if they had begun where we did: what came to the branch in between is none of theirs. */
async function ontoOurBase(
  git: Git,
  request: {
    readonly cwd: string;
    readonly base: string;
    readonly theirs: string;
    readonly target: string | undefined;
  },
): Promise<string> {
  const { cwd, base, theirs } = request;
  const theirBase = await baseOf(git, request);
  if (theirBase === base) return theirs;
  const moved = await mergeOnto(git, { cwd, base: theirBase, work: theirs, onto: base });
  return 'tree' in moved ? moved.tree : theirs;
}

/** Where the winner's work began, as far as the branch that it goes to tells. */
async function baseOf(
  git: Git,
  request: {
    readonly cwd: string;
    readonly base: string;
    readonly theirs: string;
    readonly target: string | undefined;
  },
): Promise<string> {
  const { cwd, base, theirs, target } = request;
  const common = async (a: string, b: string) => {
    const { stdout, exitCode } = await git.run(['merge-base', a, b], { cwd, answers: [1, 128] });
    return exitCode === 0 ? stdout.trim() : undefined;
  };
  const began = target === undefined ? undefined : await common(target, theirs);
  if (began !== undefined && began !== theirs) return began;
  if (target !== undefined && began !== undefined) {
    // It has landed: what the branch had right before.
    const range = ['--first-parent', '--ancestry-path', `${theirs}..${target}`];
    const { stdout } = await git.run(['rev-list', ...range], { cwd });
    const landed = stdout.trim().split('\n').at(-1);
    const before = landed ? await common(`${landed}^1`, theirs) : undefined;
    if (before !== undefined && before !== theirs) return before;
  }
  return (await common(base, theirs)) ?? base;
}
