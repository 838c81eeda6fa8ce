/** One claimed job in this factory's hands. */
import type { Checkpoint, Revocation, StaleFacts } from '../runner/hooks.ts';
import { elapsed, type Stamp } from './elapsed.ts';
import { claimed, doubted, type Lease } from './lease.ts';

/** One claimed job, from its claim until the coordinator has nothing more to say of it. */
export interface Held {
  /** The local id. */
  readonly id: string;
  readonly jobId: string;
  readonly epoch: number;
  lease: Lease;
  stage: string;
  checkpoint: Checkpoint | undefined;
  /** Of a renewal whose answer has not come: a repeat carries it. */
  renewKey?: string | undefined;
  /** Wants to ship, and could not be allowed to. */
  shipHeld: boolean;
  /** The last time that the machine slept under the lease. */
  slept?: Sleep | undefined;
  /** A person is giving its lease back: it is not asked any more whether it may ship. */
  givenBack?: boolean;
  /** `shipped` was reported once, so a stale epoch may only mean that it was accepted. */
  shipAsked: boolean;
}

/** The machine slept, or a clock was set: how long (ms), and until when (wall clock, ms). */
export interface Sleep {
  readonly ms: number;
  readonly wokeAt: number;
}

/** A claim: job and epoch together, never one of them alone. */
export interface ClaimKey {
  readonly jobId: string;
  readonly epoch: number;
}

/** A job that has just been claimed; the lease of one that was found on disk is to be doubted. */
export function newHeld(known: {
  readonly id: string;
  readonly jobId: string;
  readonly epoch: number;
  readonly leaseMs: number;
  readonly stage: string;
  readonly sentAt: Stamp;
  /** 0 to 1, see Lease. */
  readonly jitter: number;
  readonly checkpoint?: Checkpoint | undefined;
  /** The last sleep of the machine. */
  readonly slept?: Sleep | undefined;
}): Held {
  const { id, jobId, epoch, leaseMs, stage, sentAt, jitter, checkpoint, slept } = known;
  const lease = claimed({ jobId, epoch, lengthMs: leaseMs, sentAt, jitter });
  const held: Held = { id, jobId, epoch, lease, stage, checkpoint, shipHeld: false, shipAsked: false };
  return isBefore(sentAt, slept) ? { ...held, lease: doubted(lease, 'sleep'), slept } : held;
}

/** The answer to what was sent before a sleep says nothing of what has become of the job since (rule 4). */
export function isBefore(sentAt: Stamp, slept: Sleep | undefined): boolean {
  return slept !== undefined && slept.wokeAt > sentAt.wall;
}

/** The same for two claims only if job and epoch are. */
export function keyFor({ jobId, epoch }: ClaimKey): string {
  return `${epoch} ${jobId}`;
}

/** What is known of how its epoch went stale. Nothing is said of a sleep that a renewal has outlived. */
export function staleFacts({ lease, slept }: Held, current: number | undefined, now: Stamp): StaleFacts {
  const lapsed = elapsed(lease.since, now) >= lease.lengthMs;
  return {
    ...(current !== undefined && { currentEpoch: current }),
    ...(slept !== undefined &&
      slept.wokeAt >= lease.since.wall && { sleptMs: slept.ms, wokeAt: slept.wokeAt }),
    ...(lapsed && { lapsedAt: lease.since.wall + lease.lengthMs }),
  };
}

/** Why a job whose epoch is stale is taken away, for a person. */
export function staleText({ jobId, epoch }: ClaimKey, current: number | undefined): Revocation {
  const now =
    current === undefined
      ? 'has been given out again or ended'
      : current === epoch
        ? 'has been ended or taken back at the coordinator'
        : `is now under epoch ${current}`;
  return {
    code: 'fenced',
    text: `The coordinator's job ${jobId} ${now}, and this laptop had it under epoch ${epoch}. Nothing of it was shipped; the work is kept.`,
  };
}
