/**
 * A result that came too late becomes a job of its own (rule 9 leaves it in quarantine, where a person adopts it). Pure.
 *
 * The new job is in **review**, held by the factory that has the result, under an epoch of its own: nothing of it is
 * ever said under the old one. It has the old job's text, as this coordinator knows it, so that a factory's token, which
 * cannot enqueue, brings no prompt of its own into the fleet this way either. What the old job waited for was there when
 * it was given out. A job in review is not taken back when its lease lapses: a factory that never hears the answer
 * leaves a job that somebody sees, not one that somebody does again.
 */
import type { JobRecord, RunRecord } from '../records.ts';
import { invalid, type Refusal } from '../refusal.ts';
import type { CoordinatorSettings } from '../settings.ts';
import { type Change, told } from './change.ts';
import { type NewJob, newJob } from './enqueue.ts';

export interface Adopt {
  /** Of the new job. */
  readonly id: string;
  readonly factoryId: string;
}

/** The new job before it is given out, or why there is none: it is only for factories that have had the old one. */
export function adoptable(
  from: { readonly job: JobRecord; readonly bodyMd: string; readonly runs: readonly RunRecord[] },
  { id, factoryId }: Adopt,
  now: number,
): NewJob | Refusal {
  const { job, bodyMd, runs } = from;
  if (id === job.id)
    return invalid('id: expected another one than that of the job that it is made from.', true);
  if (!runs.some((run) => run.factoryId === factoryId))
    return invalid(`factoryId: ${factoryId} has never had the job ${job.id}.`);
  const made = newJob({ productId: job.productId, id, bodyMd, priority: job.priority }, now);
  return 'detail' in made ? made : { ...made, requires: job.requires, waitsFor: [] };
}

/** Gives it out: as a claim does, but in review. */
export function givenInReview(
  job: JobRecord,
  { factoryId }: Adopt,
  now: number,
  settings: CoordinatorSettings,
): Change {
  const after: JobRecord = {
    ...job,
    stage: 'review',
    epoch: job.epoch + 1,
    factoryId,
    held: true,
    leaseExpiresAt: now + settings.leaseMs,
  };
  return { ...told('claimed', job, after, now), began: true };
}

/** Whether what is there under the new id is what an earlier request of this factory has made, and still is its own. */
export function isAdoptedBy(job: JobRecord, { factoryId }: Adopt): boolean {
  return job.held && job.factoryId === factoryId && job.epoch === 1;
}
