/**
 * The epoch rule (fleet-protocol.md, "Epoch rule"; the word "leaseEpoch"). Pure. All safety of a fleet rests here.
 *
 * Only a claim raises the epoch. A fenced call needs the job's current epoch *and* a holder. A lapse keeps both, so a
 * laptop that slept is welcome back as long as nobody else has started. Cancel, requeue, release and the stages that
 * end a claim take the holder away: from then on the epoch is stale, though it is still the highest. One thing is
 * forgiven: whoever did not hear the answer to the epoch's last accepted write may say the very same again, and hears
 * what was answered; that changes nothing.
 */
import type { Checkpoint, WireStage } from '../../fleet/protocol.ts';
import type { JobRecord } from '../records.ts';
import { type Refusal, stale, unauthorized } from '../refusal.ts';

export type FencedCall =
  | { readonly what: 'renew'; readonly epoch: number }
  | { readonly what: 'release'; readonly epoch: number }
  | {
      readonly what: 'report';
      readonly epoch: number;
      readonly stage: WireStage;
      readonly checkpoint: Checkpoint | null;
    };

/** `holds`: the call may change something. `repeats`: it is answered as before, and changes nothing. */
export type Standing = 'holds' | 'repeats' | Refusal;

/** @param caller the factory that the call's token belongs to; null for an admin, who may act as any. */
export function fence(job: JobRecord, call: FencedCall, caller: string | null): Standing {
  if (call.epoch !== job.epoch) return stale(job.epoch, `is under epoch ${job.epoch} now`);
  if (job.factoryId === null) return stale(job.epoch, 'has never been claimed');
  // After the epochs: a factory whose job was taken over has to learn that it is fenced.
  if (caller !== null && caller !== job.factoryId)
    return unauthorized('This lease belongs to another factory than the token.');
  if (job.held) return repeatsLastWrite(job, call) ? 'repeats' : 'holds';
  if (repeatsLastWrite(job, call)) return 'repeats';
  return stale(job.epoch, job.reason === 'cancelled' ? 'was cancelled' : `is ${job.stage} and has no holder`);
}

function repeatsLastWrite({ lastWrite }: JobRecord, call: FencedCall): boolean {
  if (lastWrite === null || call.what !== lastWrite.what) return false;
  if (call.what !== 'report') return true;
  return call.stage === lastWrite.stage && isSameCheckpoint(call.checkpoint, lastWrite.checkpoint);
}

export function isSameCheckpoint(a: Checkpoint | null, b: Checkpoint | null): boolean {
  return a?.wipBranch === b?.wipBranch && a?.wipCommit === b?.wipCommit;
}
