/**
 * Stages, and who may move a job between them (fleet-protocol.md, "The contract" and rule 13). Pure.
 *
 * A job is **queued** until a claim makes it **assigned**. From there its holder reports: **building**, then
 * **review** (a person looks), **testing**, **shipped**. A person may send it back from review to building, and a
 * failed test from testing to review. From every stage that is held it may end as **blocked** (something in the job
 * itself is in the way), **failed** or **dead_letter**. `queued` and `assigned` are nobody's to report: the first is
 * a release or a person's requeue, the second a claim.
 */
import type { WireStage } from '../../fleet/protocol.ts';

const ENDS = ['blocked', 'failed', 'dead_letter'] as const;

const REPORTS: Readonly<Record<WireStage, readonly WireStage[]>> = {
  queued: [],
  assigned: ['building', ...ENDS],
  building: ['review', 'testing', ...ENDS],
  review: ['building', 'testing', ...ENDS],
  testing: ['building', 'review', 'shipped', ...ENDS],
  shipped: [],
  blocked: [],
  failed: [],
  dead_letter: [],
};

/** Whether a holder may report `to`. The same stage again is a new checkpoint, or a repeat. */
export function mayReport(from: WireStage, to: WireStage): boolean {
  return (from === to && REPORTS[from].length > 0 && from !== 'assigned') || REPORTS[from].includes(to);
}

/** Stages that end the claim: nobody holds the job any more. */
export function endsClaim(stage: WireStage): stage is 'shipped' | 'blocked' | 'failed' | 'dead_letter' {
  return stage === 'shipped' || stage === 'blocked' || stage === 'failed' || stage === 'dead_letter';
}

/** Stages whose lease is taken back when it lapses. `review` waits for a person, for days if need be, and is not. */
export function lapses(stage: WireStage): boolean {
  return stage === 'assigned' || stage === 'building' || stage === 'testing';
}

/** Whether a person may still cancel or requeue the job: an accepted `shipped` is for ever (rule 10). */
export function isOpenToPeople(stage: WireStage): boolean {
  return stage !== 'shipped';
}
