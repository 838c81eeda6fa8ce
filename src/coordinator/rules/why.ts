/**
 * Why a job is not claimed by a factory (fleet-protocol.md, `GET /fleet/jobs/:id/why`). Pure. The first obstacle that
 * no other one hides: those of the job, then what the factory lacks, then what the factory is doing.
 */
import type { FactoryRecord, JobRecord } from '../records.ts';
import { isLapsed } from './lease.ts';
import { missing, offers } from './matching.ts';

export interface Why {
  readonly code:
    | 'held'
    | 'not_queued'
    | 'needs_unshipped'
    | 'not_yet'
    | 'factory_unknown'
    | 'missing_capabilities'
    | 'released_recently'
    | 'factory_silent'
    | 'factory_draining'
    | 'behind_others'
    | 'claimable';
  /** A sentence. */
  readonly text: string;
  readonly missing?: readonly string[];
  /** ms on the store's clock. */
  readonly until?: number;
}

export interface Circumstances {
  readonly factoryId: string;
  /** Undefined: it has never sent a heartbeat. */
  readonly factory: FactoryRecord | undefined;
  /** Until when the job is not offered to it, because it released it. */
  readonly releasedUntil: number | undefined;
  /** Jobs that the factory would get first; counted no further than a hundred. */
  readonly ahead: number;
  readonly silentAfterMs: number;
}

export function why(job: JobRecord, circumstances: Circumstances, now: number): Why {
  return whyJob(job, now) ?? whyFactory(job, circumstances, now);
}

function whyJob(job: JobRecord, now: number): Why | undefined {
  const until = job.leaseExpiresAt ?? undefined;
  if (job.held && !isLapsed(job, now))
    return {
      code: 'held',
      text: `${job.factoryId} has it (${job.stage}) for another ${inWords((until ?? now) - now)}.`,
      ...(until !== undefined && { until }),
    };
  if (job.held && job.stage === 'review')
    return {
      code: 'held',
      text: `It waits in review at ${job.factoryId}; a person can requeue it.`,
    };
  if (!job.held && job.stage !== 'queued')
    return {
      code: 'not_queued',
      text: `It is ${job.stage}${job.reason === null ? '' : ` (${job.reason})`}, not queued.`,
    };
  if (job.waitsFor.length > 0)
    return { code: 'needs_unshipped', text: `It waits until these are shipped: ${job.waitsFor.join(', ')}.` };
  if (!job.held && job.notBefore > now)
    return {
      code: 'not_yet',
      text: `It failed, and is tried again in ${inWords(job.notBefore - now)}.`,
      until: job.notBefore,
    };
  return undefined;
}

function whyFactory(job: JobRecord, circumstances: Circumstances, now: number): Why {
  const { factory, factoryId, releasedUntil, ahead, silentAfterMs } = circumstances;
  if (factory === undefined)
    return { code: 'factory_unknown', text: `No heartbeat of a factory ${factoryId} has ever come.` };
  const lacking = missing(job.requires, offers(factory.capabilities));
  if (lacking.length > 0)
    return {
      code: 'missing_capabilities',
      text: `${factoryId} does not offer ${lacking.join(', ')}.`,
      missing: lacking,
    };
  if (releasedUntil !== undefined && releasedUntil > now)
    return {
      code: 'released_recently',
      text: `${factoryId} released it, and is not offered it again for ${inWords(releasedUntil - now)}.`,
      until: releasedUntil,
    };
  if (now - factory.lastSeenAt > silentAfterMs)
    return {
      code: 'factory_silent',
      text: `${factoryId} has not been heard of for ${inWords(now - factory.lastSeenAt)}.`,
    };
  if (factory.health === 'draining')
    return { code: 'factory_draining', text: `${factoryId} is draining: it claims nothing new.` };
  if (ahead > 0) return { code: 'behind_others', text: `${ahead} other jobs come first for ${factoryId}.` };
  return { code: 'claimable', text: `Nothing is in the way: ${factoryId} gets it with its next claim.` };
}

function inWords(ms: number): string {
  const seconds = Math.max(1, Math.ceil(ms / 1000));
  return seconds < 120 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`;
}
