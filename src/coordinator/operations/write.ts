/** Writes what a rule wants: the job, its events and its run, in the transaction at hand. */
import type { JobRecord } from '../records.ts';
import type { Change } from '../rules/change.ts';
import { isClaimable } from '../rules/lease.ts';
import { shippedBefore } from '../rules/needs.ts';
import type { Transaction } from './transaction.ts';

export function write(transaction: Transaction, before: JobRecord, change: Change): JobRecord {
  const { job, events, ended, began } = change;
  if (job !== before) transaction.save(job, before);
  for (const event of events) transaction.addEvent(job, event);
  if (ended !== undefined) transaction.endRun(job, ended.epoch, ended.end, ended.stage);
  if (began === true && job.factoryId !== null) transaction.beginRun(job, job.factoryId);
  if (isClaimable(job, transaction.now)) transaction.announce(job);
  if (job.stage === 'shipped' && before.stage !== 'shipped') unblock(transaction, job);
  return job;
}

function unblock(transaction: Transaction, shipped: JobRecord): void {
  for (const waiting of transaction.waitingFor(shipped.productId, shipped.id)) {
    const change = shippedBefore(waiting, shipped.id, transaction.now);
    if (change !== undefined) write(transaction, waiting, change);
  }
}
