/** Why queued jobs are not claimed by this factory: its own reasons, and the coordinator's where it tells. */
import { SECOND } from '../platform/clock.ts';
import type { Rest } from './claim-desk.ts';
import type { FleetClient } from './client.ts';
import type { Connection } from './session.ts';

/** Of the newest queued jobs only: a person looks at them. */
const MOST = 10;

export interface Unclaimed {
  readonly jobId: string;
  /** A sentence of the coordinator's. */
  readonly why: string;
}

/** Undefined where the coordinator does not tell. */
export async function askWhy(client: FleetClient): Promise<readonly Unclaimed[] | undefined> {
  const queued = await client.queued(MOST);
  if (queued.kind !== 'accepted') return undefined;
  const found: Unclaimed[] = [];
  for (const jobId of queued.value.slice(0, MOST)) {
    const why = await client.why(jobId);
    if (why.kind === 'accepted') found.push({ jobId, why: why.value });
  }
  return found;
}

/** What keeps this factory from claiming anything at all, as the end of “nothing is claimed: …”. Pure. */
export function whyNothing(facts: {
  readonly shadow: boolean;
  readonly draining: boolean;
  readonly hasRunner: boolean;
  readonly connection: Connection;
  readonly running: number;
  readonly maxParallel: number;
  /** Today's budget is used up: until when and why. */
  readonly held?: string | undefined;
  /** Leases in doubt, or reports that have not been accepted. */
  readonly undecided: number;
  readonly rest: Rest | undefined;
}): string | undefined {
  const { connection, running, maxParallel, undecided, rest } = facts;
  if (facts.shadow) return 'shadow mode only looks';
  if (facts.draining) return 'this factory is draining';
  if (!facts.hasRunner) return 'the runner is not on in this process';
  if (connection.phase === 'unauthorized') return 'the token is turned down';
  if (connection.phase !== 'reachable') return 'the coordinator has not answered yet';
  if (undecided > 0) return 'a lease or a report is not decided yet';
  if (facts.held !== undefined) return `no new work is begun ${facts.held}`;
  if (running >= maxParallel) return `all ${maxParallel} places for jobs are taken`;
  return rest && restText(rest);
}

function restText({ ms, why }: Rest): string {
  const next = `the next try is in ${Math.ceil(ms / SECOND)} s`;
  switch (why) {
    case 'empty':
      return `nothing fitted a moment ago; ${next}`;
    case 'unanswered':
      return `the last claim has had no answer; ${next}`;
    case 'refused':
      return `the coordinator refused the last claim; ${next}`;
    case 'given-back':
      return `a job was given back a moment ago, for another factory to take; ${next}`;
  }
}
