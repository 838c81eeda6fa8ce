import type { Fleet } from '../fleet/fleet.ts';
import type { JobRow } from '../runner/board.ts';
import type { FactoryApi } from '../runner/factory-api.ts';
import { EXIT } from './exit.ts';

/** Sends a heartbeat, then prints what is known: the coordinator, this factory, and the claimed jobs of this home. */
export async function fleetStatus(
  factory: Pick<FactoryApi, 'board'>,
  fleet: Fleet | undefined,
  options: { readonly json?: boolean },
): Promise<number> {
  if (fleet === undefined) {
    if (options.json) console.log(JSON.stringify({ fleet: 'off' }));
    else console.log('Fleet mode is off. Set AQ_FLEET=1 and AQ_FLEET_API to join a coordinator.');
    return EXIT.ok;
  }
  await Promise.all([fleet.heartbeat(), fleet.lookElsewhere()]);
  const { factoryId, api, shadow, connection, capabilities, claimable, leases } = fleet.facts();
  const jobs = claimedJobs((await factory.board()).stages.flatMap(({ rows }) => rows));
  const { phase, why } = connection;
  if (options.json) {
    const mode = shadow ? 'shadow' : 'on';
    const known = { api, coordinator: phase, why, factoryId, capabilities, claimable, leases, jobs };
    console.log(JSON.stringify({ fleet: mode, ...known }));
  } else {
    console.log([...fleet.status(), ...jobs.map(jobLine)].join('\n'));
  }
  return phase === 'reachable' ? EXIT.ok : EXIT.unreachable;
}

interface ClaimedRow {
  readonly id: string;
  readonly jobId: string;
  readonly epoch: number;
  readonly stage: string;
}

/** Whoever runs the jobs has their leases; what this home knows of them is on disk. */
function claimedJobs(rows: readonly JobRow[]): ClaimedRow[] {
  return rows.flatMap(({ id, stage, claim }) =>
    claim === undefined ? [] : [{ id, jobId: claim.jobId, epoch: claim.epoch, stage }],
  );
}

function jobLine({ id, jobId, epoch, stage }: ClaimedRow): string {
  return `Claimed      ${id}: job ${jobId}, epoch ${epoch}, ${stage}`;
}
