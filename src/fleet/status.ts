/** What is known of the fleet, in lines for people. Pure. */
import { SECOND } from '../platform/clock.ts';
import { elapsed, type Stamp } from './elapsed.ts';
import type { Standing } from './lease.ts';
import type { Connection } from './session.ts';

export interface LeaseStatus {
  readonly id: string;
  readonly jobId: string;
  readonly stage: string;
  readonly epoch: number;
  readonly standing: Standing;
  /** Until it lapses, ms. */
  readonly leftMs: number;
  readonly renewals: number;
  /** Reports that the coordinator has not accepted. */
  readonly waiting: number;
}

export interface FleetStatus {
  readonly factoryId: string;
  readonly api: string;
  readonly shadow: boolean;
  /** Nothing more is claimed, at a person's word. */
  readonly draining: boolean;
  readonly connection: Connection;
  readonly capabilities: readonly string[];
  /** What this laptop is short of, in words. */
  readonly shortages: readonly string[];
  readonly now: Stamp;
  readonly lastHeartbeat?: Stamp;
  /** How many jobs this factory could claim, where the coordinator tells. */
  readonly claimable?: number;
  readonly leases: readonly LeaseStatus[];
}

export function statusLines(status: FleetStatus): string[] {
  const { factoryId, api, shadow, draining, capabilities, claimable, leases } = status;
  const unsent = leases.reduce((sum, { waiting }) => sum + waiting, 0);
  return [
    `Fleet        ${shadow ? 'shadow mode: nothing is claimed' : 'on'}`,
    `Coordinator  ${api}, ${connectionText(status)}`,
    `Factory      ${factoryId} (${capabilities.join(', ')})${draining ? ', draining' : ''}`,
    ...(claimable === undefined ? [] : [`Claimable    ${claimable}`]),
    ...leases.map((each) => `Lease        ${leaseText(each)}`),
    ...(unsent === 0
      ? []
      : [`Outbox       ${unsent} ${unsent === 1 ? 'report' : 'reports'} not accepted yet`]),
  ];
}

function connectionText({ connection, lastHeartbeat, now }: FleetStatus): string {
  const since = roughly(elapsed(connection.since, now));
  switch (connection.phase) {
    case 'new':
      return 'not asked yet';
    case 'reachable':
      return lastHeartbeat === undefined
        ? 'reachable'
        : `reachable, heartbeat ${roughly(elapsed(lastHeartbeat, now))} ago`;
    case 'unreachable':
      return `unreachable for ${since}: ${connection.why ?? 'no answer'}`;
    case 'unauthorized':
      return `turns the token down (for ${since}); set a valid AQ_FLEET_TOKEN`;
  }
}

function leaseText({ id, jobId, stage, epoch, standing, leftMs }: LeaseStatus): string {
  const words = {
    held: `held, ${roughly(leftMs)} left`,
    uncertain: 'uncertain until it is renewed; nothing leaves this machine',
    lapsed: 'lapsed; the job may have been given to somebody else',
    fenced: 'fenced',
    ended: 'ended',
    landing: 'shipped, and may land',
  }[standing];
  return `${id}: job ${jobId}, epoch ${epoch}, ${stage}, ${words}`;
}

function roughly(ms: number): string {
  const seconds = Math.round(ms / SECOND);
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}
