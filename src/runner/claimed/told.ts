import type { Transition } from '../hooks.ts';
import type { JobState } from '../job/state.ts';
import type { Stage } from '../stages.ts';

/** What the stage reporter is told of a move that is on disk. */
export function transitionOf(
  { id, stage, run, tracker, claim, reason, result }: JobState,
  from: Stage,
): Transition {
  const { wipBranch, wipCommit } = result ?? {};
  return {
    id,
    from,
    to: stage,
    run,
    ...(tracker !== undefined && { tracker }),
    ...(claim !== undefined && { claim }),
    ...(reason !== undefined && { reasonCode: reason.code }),
    ...(wipBranch !== undefined && wipCommit !== undefined && { checkpoint: { wipBranch, wipCommit } }),
  };
}
