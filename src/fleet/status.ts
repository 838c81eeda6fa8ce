/** What is known of the fleet, in lines for people. Pure. */
import { SECOND } from '../platform/clock.ts';
import { printable } from '../platform/printable.ts';
import type { Entry, FencedEntry } from './chronicle.ts';
import { elapsed, type Stamp } from './elapsed.ts';
import type { Doubt, Standing } from './lease.ts';
import type { Connection } from './session.ts';
import type { Unclaimed } from './unclaimed.ts';

export interface LeaseStatus {
  readonly id: string;
  readonly jobId: string;
  readonly stage: string;
  readonly epoch: number;
  readonly standing: Standing;
  /** Why it is uncertain; undefined: it has not been renewed for long. */
  readonly doubt?: Doubt | undefined;
  /** Until it lapses, ms. */
  readonly leftMs: number;
  readonly renewals: number;
  /** Reports that the coordinator has not accepted. */
  readonly waiting: number;
}

export interface FleetStatus {
  /** The runner that has the leases is in this process. */
  readonly isHere: boolean;
  readonly factoryId: string;
  readonly api: string;
  readonly shadow: boolean;
  /** Nothing more is claimed, at a person's word. */
  readonly draining: boolean;
  /** Fleet mode is to end as soon as the last lease is settled. */
  readonly leaving: boolean;
  readonly connection: Connection;
  readonly capabilities: readonly string[];
  /** What this laptop is short of, in words. */
  readonly shortages: readonly string[];
  readonly now: Stamp;
  readonly lastHeartbeat?: Stamp;
  /** How long (ms) it took. */
  readonly roundTripMs?: number | undefined;
  /** How many jobs this factory could claim, where the coordinator tells. */
  readonly claimable?: number;
  readonly leases: readonly LeaseStatus[];
  /** Epochs that turned out to be stale, within the last hour. */
  readonly fenced: readonly FencedEntry[];
  /** What keeps this factory from claiming. */
  readonly notClaiming?: string | undefined;
  /** Where the coordinator tells. */
  readonly unclaimed?: readonly Unclaimed[] | undefined;
  readonly heartbeats: readonly Entry[];
  readonly transitions: readonly Entry[];
}

export function statusLines(status: FleetStatus): string[] {
  const { factoryId, api, shadow, leaving, draining, capabilities, claimable, leases, notClaiming } = status;
  const unsent = leases.reduce((sum, { waiting }) => sum + waiting, 0);
  const mode = shadow
    ? 'shadow mode: nothing is claimed'
    : leaving
      ? 'on until its leases are settled'
      : 'on';
  return [
    `Fleet        ${mode}`,
    `Coordinator  ${api}, ${connectionText(status)}`,
    `Factory      ${factoryId} (${capabilities.join(', ')})${draining ? ', draining' : ''}`,
    ...(status.shortages.length === 0 ? [] : [`Degraded     ${status.shortages.join('; ')}`]),
    ...(claimable === undefined ? [] : [`Claimable    ${claimable}`]),
    ...(notClaiming === undefined ? [] : [`Claims       nothing: ${notClaiming}`]),
    ...leases.map((each) => `Lease        ${leaseText(each)}`),
    ...status.fenced.map(({ id, text }) => `Fenced       ${id}: ${printable(text)}`),
    ...(unsent === 0
      ? []
      : [`Outbox       ${unsent} ${unsent === 1 ? 'report' : 'reports'} not accepted yet`]),
  ];
}

function connectionText({ connection, lastHeartbeat, roundTripMs, now }: FleetStatus): string {
  const since = roughly(elapsed(connection.since, now));
  switch (connection.phase) {
    case 'new':
      return 'not asked yet';
    case 'reachable':
      return lastHeartbeat === undefined
        ? 'reachable'
        : `reachable, heartbeat ${roughly(elapsed(lastHeartbeat, now))} ago, answered in ${roundTripMs} ms`;
    case 'unreachable':
      return `unreachable for ${since}: ${connection.why ?? 'no answer'}`;
    case 'unauthorized':
      return `turns the token down (for ${since}); set a valid AQ_FLEET_TOKEN`;
  }
}

function leaseText({ id, jobId, stage, epoch, standing, leftMs, doubt }: LeaseStatus): string {
  const words = {
    held: `held, ${roughly(leftMs)} left`,
    uncertain: `uncertain ${DOUBTS[doubt ?? 'age']}; nothing leaves this machine until it is renewed`,
    lapsed: 'lapsed; the job may have been given to somebody else',
    fenced: 'fenced',
    ended: 'ended',
    landing: 'shipped, and may land',
  }[standing];
  return `${id}: job ${jobId}, epoch ${epoch}, ${stage}, ${words}`;
}

const DOUBTS: Readonly<Record<Doubt | 'age', string>> = {
  sleep: 'since this laptop slept',
  restart: 'since the restart',
  outage: 'since the coordinator was away',
  age: 'because it has not been renewed for long',
};

function roughly(ms: number): string {
  const seconds = Math.round(ms / SECOND);
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}
