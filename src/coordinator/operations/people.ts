/** What people and their tools do with jobs: enqueue, cancel, requeue. */
import type { JobRecord } from '../records.ts';
import { invalid, isRefusal, notFound, type Refusal } from '../refusal.ts';
import type { Change } from '../rules/change.ts';
import { type Enqueue, type NewJob, newJob } from '../rules/enqueue.ts';
import { isClaimable } from '../rules/lease.ts';
import { cancel as cancelJob, requeue as requeueJob } from '../rules/person.ts';
import type { JobAnswer, Operation, ResultOf } from '../store.ts';
import { keep, known } from './keys.ts';
import type { Transaction } from './transaction.ts';
import { write } from './write.ts';

/** The same job again, with or without a key, is the one that is there; another under its id is not taken. */
export function enqueue(transaction: Transaction, operation: Operation<'enqueue'>): ResultOf<'enqueue'> {
  const { job: given, key } = operation;
  const { now } = transaction;
  const before = known(transaction, key);
  if (before !== undefined && isRefusal(before)) return before;
  // Under a key the first request may have been given another id than this repeat.
  const id = before?.jobId ?? given.id;
  const wanted = newJob({ ...given, id }, now);
  if (isRefusal(wanted)) return wanted;
  const there = transaction.job(given.productId, id);
  if (there !== undefined) {
    if (before === undefined && !isSame(transaction, there, wanted, given))
      return invalid(`There is another job ${id} in this product.`, true);
    return { job: there, isNew: false, now };
  }
  const waitsFor = wanted.waitsFor.filter(
    (need) => transaction.job(given.productId, need)?.stage !== 'shipped',
  );
  const job = transaction.insert({ ...wanted, waitsFor }, given.bodyMd);
  const event = {
    n: 1,
    at: now,
    kind: 'enqueued',
    epoch: 0,
    factoryId: null,
    from: null,
    to: job.stage,
  } as const;
  transaction.addEvent(job, event);
  if (isClaimable(job, now)) transaction.announce(job);
  keep(transaction, key, job.id);
  return { job, isNew: true, now };
}

function isSame(transaction: Transaction, there: JobRecord, wanted: NewJob, { bodyMd }: Enqueue): boolean {
  return (
    there.priority === wanted.priority &&
    there.requires.join(' ') === wanted.requires.join(' ') &&
    transaction.bodyOf(there) === bodyMd
  );
}

export function cancel(transaction: Transaction, operation: Operation<'cancel'>): JobAnswer | Refusal {
  return byPerson(transaction, operation, cancelJob);
}

export function requeue(transaction: Transaction, operation: Operation<'requeue'>): JobAnswer | Refusal {
  const result = byPerson(transaction, operation, requeueJob);
  // A person wants it done: whoever turned it down is asked again.
  if (!isRefusal(result)) transaction.forgetDeclines(result.job);
  return result;
}

function byPerson(
  transaction: Transaction,
  { productId, jobId, key }: Operation<'cancel'> | Operation<'requeue'>,
  rule: (job: JobRecord, now: number) => Change | Refusal,
): JobAnswer | Refusal {
  const { now } = transaction;
  const job = transaction.job(productId, jobId);
  if (job === undefined) return notFound(jobId);
  const before = known(transaction, key);
  if (before !== undefined) return isRefusal(before) ? before : { job, now };
  const change = rule(job, now);
  if (isRefusal(change)) return change;
  const after = write(transaction, job, change);
  keep(transaction, key, jobId);
  return { job: after, now };
}
