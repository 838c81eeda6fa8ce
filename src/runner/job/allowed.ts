/** What can be asked for a job as it stands: the rule behind menus, `when` clauses and the refusals of `aq`. */
import type { JobRow, JobVerb } from '../board.ts';
import type { Stage } from '../stages.ts';

/** What can be asked in a stage at all, by what the stage is alone. */
export function verbsAllowedIn(stage: Stage): readonly JobVerb[] {
  switch (stage) {
    case 'queued':
      return ['run', 'cancel'];
    case 'assigned':
    case 'building':
      return ['cancel'];
    case 'review':
      return ['approve', 'sendBack', 'reject'];
    case 'testing':
      return ['ship', 'sendBack', 'reject', 'cancel'];
    case 'blocked':
    case 'failed':
    case 'dead_letter':
      return ['retry'];
    case 'quarantine':
      return ['adopt', 'requeue', 'discard', 'restore'];
    case 'shipped':
      return [];
  }
}

/** The same for one job: in testing it depends on whether it is being verified, waits, or is on its way out. */
export function allowedVerbs(
  job: Pick<JobRow, 'stage' | 'readyToShip' | 'activity' | 'claim' | 'settled'>,
): readonly JobVerb[] {
  // Only the coordinator gives a claimed job out again (fleet-protocol.md, rule 13).
  if (job.claim !== undefined && verbsAllowedIn(job.stage).includes('retry')) return [];
  if (job.stage === 'quarantine')
    return verbsAllowedIn(job.stage).filter((verb) => (verb === 'restore') === (job.settled !== undefined));
  if (job.stage !== 'testing') return verbsAllowedIn(job.stage);
  if (job.activity === 'shipping') return [];
  return job.readyToShip === true ? ['ship', 'sendBack', 'reject'] : ['cancel'];
}
