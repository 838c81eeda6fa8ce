/**
 * A lease, as a state machine (fleet-protocol.md, rules 4 to 6 and 8 to 10). Pure; all times are ms.
 *
 * A claim gives a lease of some length, counted from when the request was sent. It is **held** for the first two
 * thirds of it; then **uncertain**: nothing outward happens for the job, though its engine goes on; after the whole
 * length **lapsed**: the coordinator may have given it to somebody else, but nobody has told us so. Every accepted
 * call under its epoch makes it held again. A sleep, a clock that was set, or a restart make it uncertain at once,
 * however young it is. Three verdicts end that for good: **fenced** (our epoch is stale), **ended** (given back, or
 * its job is at its end) and **landing** (`shipped` was accepted: ours to land, for ever, with nothing to renew).
 */
import { elapsed, type Stamp } from './elapsed.ts';

export interface Lease {
  readonly jobId: string;
  readonly epoch: number;
  readonly lengthMs: number;
  /** When the last call that was accepted under the epoch was sent. */
  readonly since: Stamp;
  /** What has put it in doubt, until a call has been accepted. */
  readonly doubt?: Doubt | undefined;
  readonly verdict?: 'fenced' | 'ended' | 'landing';
  readonly renewals: number;
  /** 0 to 1, drawn once: how much earlier than it must it is renewed, so that a fleet does not call in step. */
  readonly jitter: number;
}

/** The machine slept or a clock was set; it was read from disk; the coordinator was away. */
export type Doubt = 'sleep' | 'restart' | 'outage';

export type Standing = 'held' | 'uncertain' | 'lapsed' | 'fenced' | 'ended' | 'landing';

/** From this part of its length on without a renewal a lease is uncertain (rule 6). */
const FREEZE_AT = 2 / 3;
/** A lease is renewed when so much of its length is over (rule 5). */
const RENEW_AT = 1 / 3;
const MOST_JITTER = 0.1;

export function claimed(job: {
  jobId: string;
  epoch: number;
  lengthMs: number;
  sentAt: Stamp;
  jitter: number;
}): Lease {
  const { jobId, epoch, lengthMs, sentAt, jitter } = job;
  return { jobId, epoch, lengthMs, since: sentAt, renewals: 0, jitter };
}

/** A call under the epoch has been accepted. An answer that overtook a later one does not shorten the lease. */
export function extended(lease: Lease, lengthMs: number | undefined, sentAt: Stamp): Lease {
  if (lease.verdict !== undefined) return lease;
  const isLater = lease.doubt !== undefined || sentAt.monotonic >= lease.since.monotonic;
  return {
    ...lease,
    lengthMs: lengthMs ?? lease.lengthMs,
    since: isLater ? sentAt : lease.since,
    doubt: undefined,
    renewals: lease.renewals + 1,
  };
}

/** Uncertain from now on, however young it is. The first reason stays. */
export function doubted(lease: Lease, doubt: Doubt): Lease {
  return lease.verdict === undefined ? { ...lease, doubt: lease.doubt ?? doubt } : lease;
}

/** Told that the epoch is stale. A right to land is not lost by that. */
export function fenced(lease: Lease): Lease {
  return lease.verdict === 'landing' ? lease : { ...lease, verdict: 'fenced' };
}

/** Given back, or its job is at its end. */
export function ended(lease: Lease): Lease {
  return lease.verdict === 'fenced' ? lease : { ...lease, verdict: 'ended' };
}

/** The coordinator has accepted `shipped` under this epoch. */
export function landing(lease: Lease): Lease {
  return lease.verdict === 'fenced' ? lease : { ...lease, verdict: 'landing' };
}

export function standing(lease: Lease, now: Stamp): Standing {
  if (lease.verdict !== undefined) return lease.verdict;
  const age = elapsed(lease.since, now);
  // In this form a length that is no number has lapsed as well.
  if (!(age < lease.lengthMs)) return 'lapsed';
  return lease.doubt === undefined && age < lease.lengthMs * FREEZE_AT ? 'held' : 'uncertain';
}

/** Until it lapses, by our own clocks; 0 afterwards, and for a lease that is no more. */
export function timeLeft(lease: Lease, now: Stamp): number {
  return lease.verdict === undefined ? Math.max(0, lease.lengthMs - elapsed(lease.since, now)) : 0;
}

/** Whether anything of the job may leave this machine now. */
export function mayActOutward(lease: Lease, now: Stamp): boolean {
  const now_ = standing(lease, now);
  return now_ === 'held' || now_ === 'landing';
}

/** In how many ms it is to be renewed: 0 when it is in doubt, Infinity when there is nothing to renew. */
export function renewDueIn(lease: Lease, now: Stamp, renewEveryMs: number): number {
  const state = standing(lease, now);
  if (state === 'uncertain' || state === 'lapsed') return 0;
  if (state !== 'held') return Infinity;
  const every = Math.min(renewEveryMs, lease.lengthMs * RENEW_AT) * (1 - MOST_JITTER * lease.jitter);
  return Math.max(0, every - elapsed(lease.since, now));
}
