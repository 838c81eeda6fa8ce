/** A claimed job becomes an ordinary job in `assigned/`: never in the inbox, where anybody could take it (rule 3). */
import { createHash } from 'node:crypto';
import { errnoOf } from '../../platform/errors.ts';
import { writeDurable } from '../../platform/files.ts';
import type { Store } from '../home/store.ts';
import type { Claim, ClaimedJob, EarlierRun, Holding } from '../hooks.ts';
import { newState } from '../job/moves.ts';
import type { JobState } from '../job/state.ts';
import { jobIdFor } from '../manifest/id.ts';
import type { Stage } from '../stages.ts';

/** Stages in which a claimed job is still this factory's to go on with. */
const UNSETTLED = ['assigned', 'building', 'review', 'testing'] as const satisfies readonly Stage[];
const LONGEST_SLUG = 96;

/**
 * The local id of a claim: job and epoch are in it, so that files, runs and refs of two claims of one job, here or
 * on two laptops, are never the same. Legal as a ref and as a file name whatever the coordinator calls the job.
 */
export function localIdOf({ jobId, epoch }: Pick<Claim, 'jobId' | 'epoch'>): string {
  const slug = jobIdFor(jobId).slice(0, LONGEST_SLUG);
  const hash = createHash('sha256').update(jobId).digest('hex').slice(0, 8);
  return slug === jobId ? `${slug}-e${epoch}` : `${slug}-${hash}-e${epoch}`;
}

/**
 * Puts the job into `assigned/`. Repeating it after a crash, or when the coordinator repeats its answer, makes no
 * second one. Returns the local id, and the state of a job that is new here.
 * @param isInWork of such a job no file may be seen for a moment, because it goes from stage to stage meanwhile
 */
export async function materialise(
  store: Store,
  job: ClaimedJob,
  now: number,
  isInWork: (id: string) => boolean = () => false,
): Promise<{ readonly id: string; readonly made?: JobState }> {
  const wanted = localIdOf(job.claim);
  for (let n = 1; ; n += 1) {
    const id = n === 1 ? wanted : `${wanted}-${n}`;
    const known = await store.readState(id);
    if (known === undefined && (await store.locate(id)) !== undefined) continue; // somebody's own job
    if (known !== undefined && !isSame(known.claim, job.claim)) continue;
    if (known !== undefined && ((await store.locate(id)) !== undefined || isInWork(id))) return { id };
    const { claim, text, startFrom, earlier } = job;
    const state: JobState = {
      ...newState({ id, title: id, priority: 5, addedAt: now }),
      stage: 'assigned',
      attempt: 1,
      run: 1,
      startedAt: now,
      claim,
      ...(startFrom !== undefined && { startFrom }),
      ...(earlier !== undefined && { earlier: earlier.map(textOf) }),
    };
    await store.writeState(state);
    await writeDurable(store.layout.job('assigned', id), text);
    return { id, made: state };
  }
}

/** Every claimed job that is not at its end. Grows with the jobs in hand, not with finished ones. */
export async function holdingsOf(store: Store): Promise<Holding[]> {
  const found: Holding[] = [];
  for (const stage of UNSETTLED) {
    for (const id of await store.list(stage)) {
      const state = await store.readState(id).catch((error: unknown) => {
        if (errnoOf(error) === 'ENOENT') return undefined;
        throw error;
      });
      if (state?.claim !== undefined) found.push(holdingOf(state, state.claim, stage));
    }
  }
  return found;
}

export function holdingOf(state: JobState, claim: Claim, stage: Stage): Holding {
  const { wipBranch, wipCommit } = state.result ?? {};
  return {
    id: state.id,
    claim,
    stage,
    reasonCode: state.reason?.code,
    ...(state.landing !== undefined && { isShipping: true }),
    ...(wipBranch !== undefined && wipCommit !== undefined && { checkpoint: { wipBranch, wipCommit } }),
  };
}

/** What a person is told of an earlier holder. */
function textOf({ factoryId = 'Another factory', epoch, stage }: EarlierRun): string {
  const under = epoch === undefined ? '' : ` under epoch ${epoch}`;
  return `${factoryId} had it before${under}${stage === undefined ? '' : `, and came to ${stage}`}.`;
}

function isSame(known: Claim | undefined, claim: Claim): boolean {
  return known?.jobId === claim.jobId && known.epoch === claim.epoch;
}
