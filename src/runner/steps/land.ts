/**
 * The outward part: intent on disk, permission, then the one effect that others see. Whatever crash comes between,
 * a later runner finds the intent, asks first whether it has landed already, and finishes.
 */
import { isDiskTrouble, UserError } from '../../platform/errors.ts';
import type { Effect } from '../hooks.ts';
import { move, revoked, unverified } from '../job/moves.ts';
import type { JobState, Landed, Landing, Place } from '../job/state.ts';
import type { Manifest } from '../manifest/parse.ts';
import type { Work } from '../work.ts';
import { landMerge } from '../workspace/land.ts';
import { openPullRequest } from '../workspace/pull-request.ts';
import { pushBranch } from '../workspace/push.ts';
import { forgetRefs } from '../workspace/refs.ts';
import { releaseWorktree } from '../workspace/release.ts';
import { parseForgeUrl, remoteOf } from '../workspace/remotes.ts';
import { wipRef } from './place.ts';
import { shipMode } from './ship-mode.ts';
import type { Workshop } from './workshop.ts';

const EFFECT: Readonly<Record<Landing['kind'], Effect>> = {
  none: 'finish',
  merge: 'merge',
  push: 'push',
  pr: 'pull-request',
};

const FENCED = {
  code: 'fenced',
  text: 'The coordinator has given the job to somebody else, so nothing of it was shipped. The work is kept.',
} as const;

const NOT_PERMITTED = {
  held: {
    code: 'held',
    text: 'The coordinator has not allowed it to ship yet; nothing has left this machine.',
  },
  unanswered: {
    code: 'held',
    text: 'The coordinator was asked whether it may ship, and has not answered yet; nothing has left this machine.',
  },
  gated: {
    code: 'gated',
    text: 'The job was claimed from a fleet, and fleet mode is off: nothing of it leaves this machine.',
    action: 'Turn fleet mode on (AQ_FLEET=1), then ship the job.',
  },
} as const;

/** Lands the candidate. `moved`: the target has moved, so that it must be built and verified anew. */
export async function land(work: Work, shop: Workshop, manifest: Manifest): Promise<JobState | 'moved'> {
  const { candidate } = work.state;
  const kind = work.state.landing?.kind ?? shipMode(manifest, work.state);
  /** By an earlier run, which may have been allowed to land and not have heard of it. */
  const wasAsked = work.state.landing !== undefined;
  if (!wasAsked) {
    work.signal.throwIfAborted();
    const landing = {
      kind,
      at: shop.clock.now(),
      ...(candidate?.commit !== undefined && { candidate: candidate.commit }),
      ...(work.state.place?.target !== undefined && { target: work.state.place.target }),
    };
    if (kind === 'none' && work.state.claim === undefined) work.note({ ...work.state, landing });
    else await work.save({ landing, ...pushedAs(work.state, kind) });
  }
  const { claim } = work.state;
  if (kind !== 'none' || claim !== undefined) {
    const permission = await shop.hooks.permit({ id: work.id, claim }, EFFECT[kind]);
    if (permission === 'fenced') return revoked(work.state, FENCED, shop.clock.now());
    if (permission !== 'accepted') {
      const reason = NOT_PERMITTED[permission];
      // It may have been accepted: the intent stays, and until somebody answers nothing else is done with the job.
      const mayBeOurs = permission === 'unanswered' || (wasAsked && claim !== undefined);
      return mayBeOurs ? move(work.state, 'testing', shop.clock.now(), reason) : waiting(work, shop, reason);
    }
    // From here on it is ours to land, for ever: on disk before anything that others can see.
    if (claim !== undefined && claim.mayLand !== true) {
      await work.save({ claim: { ...claim, mayLand: true } });
    }
  }
  try {
    const landed = await effect(work, shop, manifest, kind);
    if (landed === 'moved') {
      await work.replace(unverified(work.state));
      return 'moved';
    }
    if (!('text' in landed)) return waiting(work, shop, landed.waits);
    const next: JobState = {
      ...move(work.state, 'shipped', shop.clock.now()),
      landed: { ...landed, at: shop.clock.now() },
    };
    await tidy(work, shop, landed.kind).catch((error: unknown) =>
      shop.log.warn(`${work.id}: ${String(error)}`),
    );
    return next;
  } catch (error) {
    if (!(error instanceof UserError) || isDiskTrouble(error)) throw error;
    return waiting(work, shop, { code: error.code, text: error.message, action: error.action });
  }
}

/** A push whose answer was lost may have made the branch: what goes out later goes there, or it would go out twice. */
function pushedAs({ pushedAs: known, place }: JobState, kind: Landing['kind']): Partial<JobState> {
  const branch = known ?? place?.branch;
  return branch === undefined || (kind !== 'push' && kind !== 'pr') ? {} : { pushedAs: branch };
}

type LandedNow = Omit<Landed, 'at'>;
interface Waits {
  readonly waits: { readonly code: string; readonly text: string; readonly action?: string };
}

function effect(
  work: Work,
  shop: Workshop,
  manifest: Manifest,
  kind: Landing['kind'],
): Promise<LandedNow | Waits | 'moved'> {
  switch (kind) {
    case 'none':
      return nothingToLand(work, shop);
    case 'merge':
      return merge(work, shop);
    case 'push':
      return push(work, shop);
    case 'pr':
      return pullRequest(work, shop, manifest);
  }
}

async function nothingToLand(work: Work, shop: Workshop): Promise<LandedNow> {
  const { place, result } = work.state;
  if ((result?.files ?? 0) === 0) return { kind: 'none', text: 'done; no file was changed' };
  if (place?.kind !== 'worktree' || result?.wipCommit === undefined)
    return { kind: 'none', text: 'done in place' };
  const ref = await giveBack(work, shop);
  return {
    kind: 'none',
    text: `done; the work is on ${ref.replace('refs/heads/', '')}`,
    commit: result.wipCommit,
  };
}

async function merge(work: Work, shop: Workshop): Promise<LandedNow | Waits | 'moved'> {
  const { place, landing, candidate } = work.state;
  const { repository } = place as Place;
  const { target, candidate: commit } = landing ?? {};
  if (
    repository === undefined ||
    target === undefined ||
    commit === undefined ||
    candidate?.onto === undefined
  ) {
    return 'moved';
  }
  const branch = target.replace('refs/heads/', '');
  const landed = await landMerge(shop.git, {
    repository,
    target,
    expected: candidate.onto,
    candidate: commit,
    clock: shop.clock,
  });
  if (landed === 'landed') return { kind: 'merge', commit, text: `merged into ${branch}` };
  if ('moved' in landed) return 'moved';
  const files = landed.files.length > 0 ? ` (${landed.files.join(', ')})` : '';
  return {
    waits: {
      code: 'checkout-busy',
      text: `${landed.blocked}${files}`,
      action: 'See to that, then ship the job.',
    },
  };
}

async function push(work: Work, shop: Workshop): Promise<LandedNow> {
  const { branch, commit, remote } = await pushOwnBranch(work, shop);
  return { kind: 'push', commit, text: `pushed to ${remote.name} as ${branch}` };
}

async function pullRequest(work: Work, shop: Workshop, manifest: Manifest): Promise<LandedNow> {
  const place = work.state.place as Place;
  if (place.target === undefined) {
    throw new UserError(
      'no-target',
      'A pull request needs a branch to go into, and the work did not start from one.',
      'Set `base:` to a branch, or ship by push.',
    );
  }
  const { branch, commit, remote } = await pushOwnBranch(work, shop);
  const forge = parseForgeUrl(remote.url);
  if (forge === undefined) {
    throw new UserError(
      'no-forge',
      `The remote ${remote.name} is no address of a forge, so no pull request can be opened. The branch ${branch} is pushed.`,
      'Ship by push, or point the remote at the forge.',
    );
  }
  const request = await openPullRequest({
    repository: forge,
    head: branch,
    base: place.target.replace('refs/heads/', ''),
    title: manifest.title,
    body: `Made by the job \`${work.id}\`.`,
    cwd: place.cwd,
    env: shop.env,
  });
  return { kind: 'pr', commit, url: request.url, text: `pull request #${request.number} opened` };
}

/** Pushes the work to a branch of the job's own name. */
async function pushOwnBranch(work: Work, shop: Workshop) {
  const { repository, target } = work.state.place as Place;
  const branch = work.state.pushedAs ?? work.state.place?.branch;
  const commit = work.state.landing?.candidate;
  if (repository === undefined || branch === undefined || commit === undefined) {
    throw new UserError(
      'nothing-to-push',
      'The job has no branch of its own to push. Its work is kept.',
      'Ship it by `none`.',
    );
  }
  const remote = await remoteOf(shop.git, {
    cwd: repository.root,
    ...(target !== undefined && { branch: target }),
  });
  const short = branch.replace('refs/heads/', '');
  await pushBranch(shop.git, { cwd: repository.root, remote: remote.name, branch: short, commit });
  return { branch: short, commit, remote };
}

/** Stays in testing for a person (or a coordinator), with the intent taken back. */
function waiting(work: Work, shop: Workshop, reason: Waits['waits']): JobState {
  const { landing: _landing, ...rest } = move(work.state, 'testing', shop.clock.now(), reason);
  return rest;
}

/** Gives the worktree back and drops the refs that are no longer needed. What can't be proven to be safe stays. */
async function tidy(work: Work, shop: Workshop, kind: Landing['kind']): Promise<void> {
  const { repository, worktree, branch, target } = work.state.place ?? {};
  if (repository === undefined || worktree === undefined) return;
  await giveBack(work, shop);
  if (kind !== 'merge' || target === undefined) return;
  const refs = [wipRef(work.id), ...(branch === undefined ? [] : [branch])];
  await forgetRefs(shop.git, { cwd: repository.root, refs, target });
}

/**
 * Gives the worktree back. The job's own branch, which then is checked out nowhere, takes the work in, because
 * that is where a person looks for it. Returns the full ref that has the work.
 */
async function giveBack(work: Work, shop: Workshop): Promise<string> {
  const { repository, worktree, branch } = work.state.place as Place;
  const saved = work.state.result?.wipCommit;
  const wip = wipRef(work.id);
  if (repository === undefined || worktree === undefined) return wip;
  const released = await releaseWorktree(shop.git, {
    repository,
    path: worktree,
    owner: work.id,
    clock: shop.clock,
    ...(saved !== undefined && { saved }),
  });
  if (released.outcome === 'kept') {
    shop.log.info(`${work.id}: the worktree is kept because ${released.reason}.`);
    return wip;
  }
  if (branch === undefined || saved === undefined) return wip;
  const options = { cwd: repository.root, answers: [1, 128] };
  const ancestor = await shop.git.run(['merge-base', '--is-ancestor', branch, saved], options);
  if (ancestor.exitCode !== 0) return wip; // it has commits that the work has not
  const moved = await shop.git.run(['update-ref', '-m', 'agent-queue: work', branch, saved], options);
  return moved.exitCode === 0 ? branch : wip;
}
