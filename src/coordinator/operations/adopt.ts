/** A new job made of one that a factory has had, and given to it in the same transaction (rules/adopt.ts). */
import { invalid, isRefusal, notFound, stale } from '../refusal.ts';
import { adoptable, givenInReview, isAdoptedBy } from '../rules/adopt.ts';
import type { CoordinatorSettings } from '../settings.ts';
import type { Operation, ResultOf } from '../store.ts';
import { keep, known } from './keys.ts';
import type { Transaction } from './transaction.ts';
import { write } from './write.ts';

/** A repeat under its key is answered with the same job, as long as this factory holds it. */
export function adopt(
  transaction: Transaction,
  operation: Operation<'adopt'>,
  settings: CoordinatorSettings,
): ResultOf<'adopt'> {
  const { productId, jobId, id, key } = operation;
  const { now } = transaction;
  const from = transaction.job(productId, jobId);
  if (from === undefined) return notFound(jobId);
  const before = known(transaction, key);
  if (before !== undefined && isRefusal(before)) return before;
  const there = transaction.job(productId, id);
  if (there !== undefined) {
    if (before === undefined) return invalid(`There is another job ${id} in this product.`, true);
    return isAdoptedBy(there, operation)
      ? { job: there, now }
      : stale(there.epoch, 'is no longer held as it was adopted');
  }
  const bodyMd = transaction.bodyOf(from);
  const wanted = adoptable({ job: from, bodyMd, runs: transaction.runs(from) }, operation, now);
  if (isRefusal(wanted)) return wanted;
  const job = transaction.insert(wanted, bodyMd);
  transaction.addEvent(job, {
    n: 1,
    at: now,
    kind: 'enqueued',
    epoch: 0,
    factoryId: null,
    from: null,
    to: job.stage,
  });
  const given = write(transaction, job, givenInReview(job, operation, now, settings));
  keep(transaction, key, given.id, given.epoch);
  return { job: given, now };
}
