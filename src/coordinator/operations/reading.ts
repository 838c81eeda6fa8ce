/** Looking, which changes nothing. */
import { notFound, type Refusal } from '../refusal.ts';
import { silentAfterMs } from '../rules/pace.ts';
import { type Why, why as whyNot } from '../rules/why.ts';
import type { Operation, ResultOf } from '../store.ts';
import type { Transaction } from './transaction.ts';

/** Beyond so many nobody counts. */
export const MOST_COUNTED = 100;

export function job(transaction: Transaction, { productId, jobId }: Operation<'job'>): ResultOf<'job'> {
  const found = transaction.job(productId, jobId);
  if (found === undefined) return notFound(jobId);
  return { job: found, bodyMd: transaction.bodyOf(found), now: transaction.now };
}

export function jobs(
  transaction: Transaction,
  { productId, stage, limit, before }: Operation<'jobs'>,
): ResultOf<'jobs'> {
  const list = transaction.list(productId, stage, limit, before ?? Number.MAX_SAFE_INTEGER);
  return { jobs: list, now: transaction.now };
}

export function runs(transaction: Transaction, { productId, jobId }: Operation<'runs'>): ResultOf<'runs'> {
  const found = transaction.job(productId, jobId);
  if (found === undefined) return notFound(jobId);
  const list = transaction.runs(found);
  return { runs: list.map((run) => (run.end === null ? { ...run, stage: found.stage } : run)) };
}

export function events(
  transaction: Transaction,
  { productId, jobId, after, limit }: Operation<'events'>,
): ResultOf<'events'> {
  const found = transaction.job(productId, jobId);
  return found === undefined ? notFound(jobId) : { events: transaction.events(found, after, limit) };
}

export function factories(
  transaction: Transaction,
  { productId, limit }: Operation<'factories'>,
): ResultOf<'factories'> {
  const { now } = transaction;
  const silentBefore = now - silentAfterMs(transaction.fleetSize());
  const list = transaction.factories(productId, limit);
  return { factories: list.map((each) => ({ ...each, isSilent: each.lastSeenAt < silentBefore })), now };
}

export function why(
  transaction: Transaction,
  { productId, jobId, factoryId }: Operation<'why'>,
): Why | Refusal {
  const found = transaction.job(productId, jobId);
  if (found === undefined) return notFound(jobId);
  const factory = transaction.factory(productId, factoryId);
  return whyNot(
    found,
    {
      factoryId,
      factory,
      releasedUntil: transaction.declinedUntil(found, factoryId),
      ahead: factory === undefined ? 0 : transaction.countFor(factory, MOST_COUNTED, found),
      silentAfterMs: silentAfterMs(transaction.fleetSize()),
    },
    transaction.now,
  );
}
