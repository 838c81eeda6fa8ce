/** testing → shipped (or back to review): the candidate built, verified in a clean checkout, and landed. */
import { move, unverified } from '../job/moves.ts';
import type { JobState, Place, Verifying } from '../job/state.ts';
import type { Manifest } from '../manifest/parse.ts';
import { Stopped, type Work } from '../work.ts';
import { buildCandidate, type Conflict } from '../workspace/candidate.ts';
import { releaseWorktree } from '../workspace/release.ts';
import { folderInWorktree } from '../workspace/repository.ts';
import { acquireWorktree } from '../workspace/worktrees.ts';
import { land } from './land.ts';
import { verifyOwner } from './orphans.ts';
import { shellOrder } from './prepare.ts';
import { logOf, runCommand } from './run-command.ts';
import { shipMode } from './ship-mode.ts';
import type { Workshop } from './workshop.ts';

/** A target that keeps moving is chased this often before a person is asked. */
const MAX_ROUNDS = 5;
/** How often (ms) a lock is asked for that a job of this or another home holds. */
const LOCK_LOOK = 250;

export async function test(work: Work, shop: Workshop): Promise<JobState> {
  const { manifest } = await shop.read(work);
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    if (work.state.landing === undefined) {
      if (work.state.candidate === undefined) {
        const failed = await verify(work, shop, manifest);
        if (failed !== undefined) return failed;
      }
      if (manifest.review !== 'skip' && !work.shipAsked) return move(work.state, 'testing', shop.clock.now());
    }
    const landed = await land(work, shop, manifest);
    if (landed !== 'moved') return landed;
  }
  return move(work.state, 'review', shop.clock.now(), {
    code: 'target-moves',
    text: `The target branch has moved ${MAX_ROUNDS} times while the work was being verified. Nothing was merged.`,
    action: 'Approve it again when the branch has come to rest.',
  });
}

/** Builds and verifies what would be shipped; keeps it as the state's candidate, or returns where the job goes instead. */
async function verify(work: Work, shop: Workshop, manifest: Manifest): Promise<JobState | undefined> {
  if (work.state.verifying === undefined) {
    const built = await begin(work, shop, manifest);
    if ('conflicts' in built) return conflicted(work, shop, built.conflicts);
    work.note({ ...work.state, verifying: built, rounds: (work.state.rounds ?? 0) + 1 });
    // With a checkout there is something to take up after a crash; the first command's own record comes after it.
    if (built.checkout !== undefined) await work.replace(work.state);
  }
  const { commit, onto } = work.state.verifying as Verifying;
  if (manifest.lock !== undefined && manifest.verify.length > 0) await waitForLock(work, shop, manifest.lock);
  const failed = await verifyAll(work, shop, manifest).catch(async (error: unknown) => {
    // A runner that only lets go leaves the checkout to the commands that go on in it, and to its successor.
    if (!work.signal.aborted || work.signal.reason instanceof Stopped) await endRound(work, shop);
    throw error;
  });
  if (failed !== undefined) {
    await endRound(work, shop);
    return unverified(failed);
  }
  const candidate = {
    passedAt: shop.clock.now(),
    ...(commit !== undefined && { commit }),
    ...(onto !== undefined && { onto }),
  };
  await endRound(work, shop, { candidate });
  return undefined;
}

/** What `verify` runs is work of the job too: it keeps to the job's lock (runner.md, `lock`). */
async function waitForLock(work: Work, shop: Workshop, lock: string): Promise<void> {
  while (shop.locks.take([lock], work.id) !== undefined) await shop.clock.sleep(LOCK_LOOK, work.signal);
}

/** Ends the round. Its checkout goes only when it is on record as nobody's: whoever gets it next must never find us in it. */
async function endRound(work: Work, shop: Workshop, patch: Partial<JobState> = {}): Promise<void> {
  const { checkout, commit } = work.state.verifying ?? {};
  const next = { ...unverified(work.state), ...patch };
  if (checkout === undefined) return work.note(next);
  await work.replace(next);
  await giveBack(work, shop, checkout, commit);
}

/** The commit that would be shipped, in a clean checkout if there is something to run in it. */
async function begin(
  work: Work,
  shop: Workshop,
  manifest: Manifest,
): Promise<Verifying | { conflicts: readonly Conflict[] }> {
  const { place, result } = work.state;
  if (place?.repository === undefined || place.kind !== 'worktree' || result?.wipCommit === undefined)
    return {};
  const { repository, target } = place;
  const built =
    shipMode(manifest, work.state) === 'merge' && target !== undefined
      ? await mergeCandidate(work, shop, manifest, {
          root: repository.root,
          target,
          wipCommit: result.wipCommit,
        })
      : { commit: result.wipCommit };
  if ('conflicts' in built || manifest.verify.length === 0) return built;
  const { git, clock, layout } = shop;
  const checkout = await acquireWorktree(git, {
    repository,
    home: layout.root,
    commit: built.commit,
    owner: verifyOwner(work.id),
    clock,
    signal: work.signal,
  });
  return { ...built, checkout: checkout.path };
}

async function mergeCandidate(
  work: Work,
  shop: Workshop,
  manifest: Manifest,
  { root, target, wipCommit }: { root: string; target: string; wipCommit: string },
): Promise<{ commit: string; onto: string } | { conflicts: readonly Conflict[] }> {
  const { stdout } = await shop.git.run(['rev-parse', '--verify', `${target}^{commit}`], { cwd: root });
  const onto = stdout.trim();
  const built = await buildCandidate(shop.git, {
    cwd: root,
    targetTip: onto,
    wipCommit,
    message: `Merge ${work.id}: ${manifest.title}`,
    signal: work.signal,
  });
  return 'conflicts' in built ? built : { commit: built.commit, onto };
}

async function giveBack(
  work: Work,
  shop: Workshop,
  checkout: string | undefined,
  commit: string | undefined,
): Promise<void> {
  const repository = work.state.place?.repository;
  if (repository === undefined || checkout === undefined || commit === undefined) return;
  const { git, clock } = shop;
  await releaseWorktree(git, {
    repository,
    path: checkout,
    owner: verifyOwner(work.id),
    disposable: true,
    saved: commit,
    clock,
  });
}

/** Runs the job's `verify` commands one after the other, in the clean checkout or in place. */
async function verifyAll(work: Work, shop: Workshop, manifest: Manifest): Promise<JobState | undefined> {
  const { rounds = 1, verifying } = work.state;
  const place = work.state.place as Place;
  const { checkout } = verifying ?? {};
  const cwd = checkout === undefined ? place.cwd : await folderInWorktree(checkout, place.subdirectory);
  for (const [index, line] of manifest.verify.entries()) {
    const dir = shop.layout.command(work.id, work.state.run, `verify-${rounds}-${index + 1}`);
    const outcome = await runCommand(work, shop, {
      kind: 'verify',
      dir,
      order: () => Promise.resolve(shellOrder(shop, line, cwd, manifest.timeoutMs)),
    });
    if (!outcome.lost && outcome.end.exitCode === 0) continue;
    const how = outcome.lost
      ? 'was cut off'
      : outcome.end.endedBy === 'timeout'
        ? 'reached the time limit'
        : `ended with exit status ${outcome.end.exitCode ?? outcome.end.signal}`;
    return move(work.state, 'review', shop.clock.now(), {
      code: 'verify',
      text: `\`verify\` command ${index + 1} of ${manifest.verify.length} ${how}. Nothing was shipped. Its output is in ${logOf(outcome.dir)}.`,
      action: 'Look at the log, then send the job back with a comment, or approve it again.',
    });
  }
  return undefined;
}

function conflicted(work: Work, shop: Workshop, conflicts: readonly Conflict[]): JobState {
  const files = conflicts.map(({ path, kinds }) => `${path} (${kinds.join(', ')})`).join(', ');
  const branch = work.state.place?.target?.replace('refs/heads/', '') ?? 'the target branch';
  return move(work.state, 'review', shop.clock.now(), {
    code: 'conflict',
    text: `The work conflicts with ${branch} in ${files}. Nothing was merged.`,
    action: `Send the job back with a comment such as “merge ${branch} and resolve the conflicts”.`,
  });
}
