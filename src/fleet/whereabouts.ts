/** Who has a coordinator's job now: what a person wants to know of one that was taken away. Only looks. */
import { printable } from '../platform/printable.ts';
import type { Whereabouts } from '../runner/hooks.ts';
import type { FleetClient } from './client.ts';
import { JOB_ID } from './protocol.ts';

/** Of a factory's name, in characters. */
const LONGEST_NAME = 128;

/** @param now this laptop's wall clock, ms: the coordinator's times are told as their age */
export async function whereaboutsOf(
  client: Pick<FleetClient, 'job' | 'runs'>,
  jobId: string,
  now: number,
): Promise<Whereabouts | undefined> {
  if (!JOB_ID.test(jobId)) return undefined;
  const job = await client.job(jobId);
  if (job.kind !== 'accepted') return undefined;
  const { stage, epoch, checkpoint, holder } = job.value;
  const runs = await client.runs(jobId);
  const run = runs.kind === 'accepted' ? runs.value.findLast((each) => each.epoch === epoch) : undefined;
  // Not every coordinator names the holder; who had it last has not got it while it is queued.
  const who = holder ?? (stage === 'queued' ? undefined : run?.factoryId);
  return {
    stage,
    ...(epoch !== undefined && { epoch }),
    ...(who !== undefined && { holder: printable(who).slice(0, LONGEST_NAME) }),
    ...(who !== undefined && run?.agoMs !== undefined && { takenAt: now - run.agoMs }),
    ...(checkpoint !== undefined && { checkpoint }),
  };
}
