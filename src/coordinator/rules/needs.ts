/** Jobs that wait for others (fleet-protocol.md, rule 13: the coordinator alone judges `needs`). Pure. */
import type { JobRecord } from '../records.ts';
import { type Change, told } from './change.ts';

/** Another job has shipped. Undefined: this one did not wait for it. An event is written when it waits no more. */
export function shippedBefore(job: JobRecord, shippedId: string, now: number): Change | undefined {
  if (!job.waitsFor.includes(shippedId)) return undefined;
  const after = { ...job, waitsFor: job.waitsFor.filter((need) => need !== shippedId) };
  return after.waitsFor.length > 0 ? { job: after, events: [] } : told('unblocked', job, after, now);
}
