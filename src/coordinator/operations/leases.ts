/** Claiming, and every call under an epoch. */
import type { JobRecord } from '../records.ts';
import { isRefusal, notFound, type Refusal } from '../refusal.ts';
import { give, isStillGiven } from '../rules/claim.ts';
import { type FencedCall, fence } from '../rules/fence.ts';
import { release, renew, report } from '../rules/report.ts';
import type { CoordinatorSettings } from '../settings.ts';
import type { JobAnswer, Operation, ResultOf } from '../store.ts';
import { keep, known } from './keys.ts';
import type { Transaction } from './transaction.ts';
import { write } from './write.ts';

/**
 * A claim under a key that gave a job before gives the same one, with a whole lease, or nothing if it is no longer
 * this factory's: a repeat must not take a second job. A claim that came back empty leaves no key.
 */
export function claim(
  transaction: Transaction,
  operation: Operation<'claim'>,
  settings: CoordinatorSettings,
): ResultOf<'claim'> {
  const { productId, factoryId, key } = operation;
  const { now } = transaction;
  const before = known(transaction, key);
  if (before !== undefined && isRefusal(before)) return before;
  if (before !== undefined) {
    const job = before.jobId === null ? undefined : transaction.job(productId, before.jobId);
    if (job === undefined || !isStillGiven(job, factoryId, before.epoch ?? -1)) return 'empty';
    return { job: again(transaction, job, settings), bodyMd: transaction.bodyOf(job), now };
  }
  for (;;) {
    const first = transaction.firstFor(operation);
    if (first === undefined) return 'empty';
    const { kind, change } = give(first, factoryId, now, settings);
    const job = write(transaction, first, change);
    if (kind === 'buried') continue;
    keep(transaction, key, job.id, job.epoch);
    return { job, bodyMd: transaction.bodyOf(job), now };
  }
}

/** The epoch check, the write and its event: here they are one. */
export function fenced(
  transaction: Transaction,
  operation: Operation<'fenced'>,
  settings: CoordinatorSettings,
): JobAnswer | Refusal {
  const { productId, jobId, call, caller, key } = operation;
  const { now } = transaction;
  const job = transaction.job(productId, jobId);
  if (job === undefined) return notFound(jobId);
  const before = known(transaction, key);
  if (before !== undefined && isRefusal(before)) return before;
  const standing = fence(job, call, caller);
  if (typeof standing === 'object') return standing;
  if (standing === 'repeats' || (before !== undefined && call.what !== 'renew'))
    return { job: asAnswered(again(transaction, job, settings), call), now };
  const change = asked(job, call, now, settings);
  if (isRefusal(change)) return change;
  const after = write(transaction, job, change);
  if (call.what === 'release' && job.factoryId !== null)
    transaction.decline(job, job.factoryId, now + settings.releasedForMs);
  keep(transaction, key, jobId, call.epoch);
  return { job: after, now };
}

function asked(job: JobRecord, call: FencedCall, now: number, settings: CoordinatorSettings) {
  switch (call.what) {
    case 'renew':
      return renew(job, now, settings);
    case 'release':
      return release(job, now);
    case 'report':
      return report(job, call, now, settings);
  }
}

/** A repeat is a call under the epoch like any other: while the job is held, it gives the whole lease. */
function again(transaction: Transaction, job: JobRecord, settings: CoordinatorSettings): JobRecord {
  return job.held ? write(transaction, job, renew(job, transaction.now, settings)) : job;
}

/** With the stage that was answered the first time, whatever has been reported since. */
function asAnswered(job: JobRecord, call: FencedCall): JobRecord {
  if (call.what === 'report' && job.held) return { ...job, stage: call.stage };
  return job.lastWrite === null ? job : { ...job, stage: job.lastWrite.answered };
}
