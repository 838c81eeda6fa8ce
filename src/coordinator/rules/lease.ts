/**
 * From when on a job may be given out, and how long a lease lasts (fleet-protocol.md, "Epoch rule" and the two
 * paragraphs after it). Pure.
 *
 * A queued job may be given out once its backoff is over and all that it waits for has shipped. A held one may when
 * its lease has lapsed, if its stage lapses at all; it keeps holder and stage until somebody takes it, and is nobody
 * else's again if the holder speaks first.
 */
import type { JobRecord } from '../records.ts';
import type { CoordinatorSettings } from '../settings.ts';
import { lapses } from './stages.ts';

type Lease = Pick<JobRecord, 'stage' | 'held' | 'leaseExpiresAt' | 'notBefore' | 'waitsFor'>;

/** From this time on it may be given out, if nothing is written in between; undefined: not by itself. */
export function claimableFrom(job: Lease): number | undefined {
  if (job.held) return lapses(job.stage) ? (job.leaseExpiresAt ?? undefined) : undefined;
  return job.stage === 'queued' && job.waitsFor.length === 0 ? job.notBefore : undefined;
}

export function isClaimable(job: Lease, now: number): boolean {
  const from = claimableFrom(job);
  return from !== undefined && from <= now;
}

/** Held by somebody who has not been heard of for a whole lease. */
export function isLapsed(job: Lease, now: number): boolean {
  return job.held && job.leaseExpiresAt !== null && job.leaseExpiresAt <= now;
}

/**
 * Every accepted call under the epoch gives the whole length anew, counted from now: what a clock that ran ahead has
 * promised does not last for years.
 */
export function extended(job: JobRecord, now: number, { leaseMs }: CoordinatorSettings): JobRecord {
  return { ...job, leaseExpiresAt: now + leaseMs };
}

/**
 * After a restart of the coordinator every holder gets one full lease length before anything is taken away: while it
 * was gone nobody could renew. What stood ready to be taken over no longer does, so every held job is written anew.
 */
export function restarted(job: JobRecord, now: number, settings: CoordinatorSettings): JobRecord {
  return job.held ? extended(job, now, settings) : job;
}
