/**
 * Whether an adopted result becomes a job of the fleet as well, under a claim of its own. What it is to be called is
 * written down before the fleet is asked, so that whoever asks again, also after a crash, gets the same job.
 */
import { randomUUID } from 'node:crypto';
import { localIdOf } from '../claimed/materialise.ts';
import type { Adoption } from '../hooks.ts';
import { jobIdFor } from '../manifest/id.ts';
import type { Runner } from '../runner.ts';
import type { QuarantineEntry } from './entries.ts';
import { type Intent, intend } from './new-job.ts';

/** Leaves room for what makes it unique, and for what is local ids' own. */
const LONGEST_NAME = 80;

/**
 * Asks the fleet that this runner is attached to.
 * @param pending what an earlier process, or an earlier try, was making of the same result
 * @returns the intent with its claim, or why there is none
 */
export async function asFleetJob(
  runner: Runner,
  entry: QuarantineEntry,
  work: Pick<Intent, 'commit' | 'onto'>,
  pending: Intent | undefined,
): Promise<Intent | Exclude<Adoption, { kind: 'claimed' }>> {
  const { hooks, clock } = runner.options;
  const { id, jobId: fromJobId } = entry;
  if (fromJobId === undefined) return { kind: 'local' };
  const isAsked = pending?.fleet !== undefined;
  const jobId = pending?.fleet?.jobId ?? newName(fromJobId);
  const job = localIdOf({ jobId, epoch: 1 });
  const intent: Intent = { id, as: 'adopted', job, at: clock.now(), ...work, fleet: { jobId } };
  await intend(runner, intent);
  const answer = await hooks.adopt({ fromJobId, jobId, id: job, isAsked });
  return answer.kind === 'claimed' ? { ...intent, fleet: { jobId, claim: answer.claim } } : answer;
}

/** Of the coordinator's job: like the old one's, and nobody else's. */
function newName(fromJobId: string): string {
  return `${jobIdFor(fromJobId).slice(0, LONGEST_NAME)}-adopted-${randomUUID().slice(0, 8)}`;
}
