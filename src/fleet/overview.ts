/** All that this process knows of its fleet, as one value for whoever shows it. */
import { HOUR } from '../platform/clock.ts';
import { type Stamp, stampOf } from './elapsed.ts';
import type { Exchange } from './exchange.ts';
import type { Held } from './held.ts';
import { standing, timeLeft } from './lease.ts';
import type { FleetStatus, LeaseStatus } from './status.ts';
import { type Unclaimed, whyNothing } from './unclaimed.ts';

/** How long (ms) a fenced lease is still shown. */
const FENCED_LATELY = 1 * HOUR;

export function overviewOf(exchange: Exchange, unclaimed: readonly Unclaimed[] | undefined): FleetStatus {
  const { options, chronicle, connection, lastHeartbeat, claimable } = exchange;
  const now = stampOf(options.clock);
  return {
    isHere: exchange.runner !== undefined,
    factoryId: options.factoryId,
    api: options.config.api,
    shadow: options.shadow,
    draining: options.claims.isDraining,
    leaving: options.claims.isLeaving,
    connection,
    capabilities: exchange.offers,
    shortages: exchange.shortages,
    now,
    roundTripMs: exchange.roundTripMs,
    ...(lastHeartbeat !== undefined && { lastHeartbeat }),
    ...(claimable !== undefined && { claimable }),
    leases: [...exchange.held.values()].map((held) => leaseStatus(exchange, held, now)),
    fenced: chronicle.fencedLately.filter(({ at }) => now.wall - at < FENCED_LATELY),
    notClaiming: notClaiming(exchange, now),
    unclaimed,
    heartbeats: chronicle.heartbeats,
    transitions: chronicle.transitions,
  };
}

function leaseStatus({ options }: Exchange, held: Held, now: Stamp): LeaseStatus {
  const { id, jobId, stage, epoch, lease } = held;
  return {
    id,
    jobId,
    stage,
    epoch,
    standing: standing(lease, now),
    doubt: lease.doubt,
    leftMs: timeLeft(lease, now),
    renewals: lease.renewals,
    waiting: options.outbox.waiting(id),
  };
}

function notClaiming(exchange: Exchange, now: Stamp): string | undefined {
  const { options, claiming, connection, runner } = exchange;
  const open = [...exchange.held.values()].filter(({ lease }) => lease.verdict === undefined);
  const isUndecided = ({ id, lease }: Held) =>
    options.outbox.waiting(id) > 0 || standing(lease, now) !== 'held';
  return whyNothing({
    shadow: options.shadow,
    draining: options.claims.isDraining,
    hasRunner: runner !== undefined,
    connection,
    ...(runner?.capacity() ?? { running: 0, maxParallel: 1 }),
    undecided: open.filter(isUndecided).length,
    rest: claiming.desk.rest,
  });
}
