/** Records as they go over the wire: times as ISO text, and what is left of a lease in seconds. */
import type { FactoryRecord, JobEvent, JobRecord, RunRecord } from '../records.ts';
import type { JobAnswer } from '../store.ts';

export function jobView({ job, now }: JobAnswer) {
  const { id, productId, stage, epoch, held, factoryId, leaseExpiresAt, checkpoint, reason } = job;
  return {
    id,
    productId,
    stage,
    leaseEpoch: epoch,
    holder: held ? factoryId : null,
    leaseExpiresAt: isoOf(leaseExpiresAt),
    // Never a number that is no length: what has lapsed has none.
    ...(leaseExpiresAt !== null && leaseExpiresAt > now && { leaseTtlSec: (leaseExpiresAt - now) / 1000 }),
    checkpoint,
    ...facts(job),
    reason,
  };
}

function facts({ priority, requires, waitsFor, attempts, retries, enqueuedAt, notBefore, stage }: JobRecord) {
  return {
    priority,
    requires,
    needs: waitsFor,
    attempts,
    retries,
    enqueuedAt: isoOf(enqueuedAt),
    ...(stage === 'queued' && notBefore > enqueuedAt && { notBefore: isoOf(notBefore) }),
  };
}

/** The job inside, and what the contract names of its lease beside it. */
export function claimView(answer: JobAnswer & { readonly bodyMd: string }) {
  const view = jobView(answer);
  const { leaseEpoch, leaseExpiresAt, leaseTtlSec } = view;
  return { job: { ...view, bodyMd: answer.bodyMd }, leaseEpoch, leaseExpiresAt, leaseTtlSec };
}

export function runView({ epoch, factoryId, startedAt, endedAt, stage, end }: RunRecord) {
  return { factoryId, leaseEpoch: epoch, stage, end, startedAt: isoOf(startedAt), endedAt: isoOf(endedAt) };
}

export function eventView({ n, at, kind, epoch, factoryId, from, to }: JobEvent) {
  return { n, at: isoOf(at), kind, leaseEpoch: epoch, factoryId, from, to };
}

export function factoryView(factory: FactoryRecord & { readonly holds: number; readonly isSilent: boolean }) {
  const { factoryId, capabilities, health, load, holds, isSilent, firstSeenAt, lastSeenAt } = factory;
  return {
    factoryId,
    capabilities,
    health,
    load,
    holds,
    silent: isSilent,
    firstSeenAt: isoOf(firstSeenAt),
    lastSeenAt: isoOf(lastSeenAt),
  };
}

export function isoOf(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
