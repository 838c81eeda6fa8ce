/**
 * The connection to a coordinator, and what is done next, as pure functions (fleet-protocol.md, rules 2 and 8).
 *
 * A connection is **new** until its first heartbeat has been answered, **reachable** while calls are, **unreachable**
 * from the first that is not, and **unauthorized** when the token was turned down. Whatever it was, the way back
 * begins with a heartbeat, which is also the probe; then every lease in doubt is renewed; then what its jobs have to
 * tell is told, in order; only then is anything claimed. While any lease is in doubt or any report waits, nothing is.
 */
import { elapsed, type Stamp } from './elapsed.ts';
import { type Lease, renewDueIn, standing } from './lease.ts';

export interface Connection {
  readonly phase: 'new' | 'reachable' | 'unreachable' | 'unauthorized';
  /** When the phase began. */
  readonly since: Stamp;
  /** Why it is unreachable, in words. */
  readonly why?: string;
  /** Calls that failed in a row. */
  readonly failures: number;
  /** When a heartbeat was last tried or a call last failed, and how long (ms) to leave it at that. */
  readonly tried?: Stamp;
  readonly pauseMs: number;
}

export function newConnection(now: Stamp): Connection {
  return { phase: 'new', since: now, failures: 0, pauseMs: 0 };
}

/**
 * A heartbeat was accepted; the next is due after `pauseMs`. The first after a loss does not end the backoff: where
 * heartbeats pass and every other call fails, it would be tried for ever as fast as the network is.
 */
export function answered(connection: Connection, now: Stamp, pauseMs: number): Connection {
  const isSteady = connection.phase === 'reachable';
  const since = isSteady ? connection.since : now;
  const failures = isSteady ? 0 : connection.failures;
  return { phase: 'reachable', since, failures, tried: now, pauseMs };
}

/** Another call than a heartbeat was answered: all is well again. */
export function served(connection: Connection): Connection {
  return connection.phase === 'reachable' ? { ...connection, failures: 0 } : connection;
}

/** Any call was not answered as a coordinator answers; it is tried again after `pauseMs`. */
export function lost(connection: Connection, now: Stamp, why: string, pauseMs: number): Connection {
  const since = connection.phase === 'unreachable' ? connection.since : now;
  return { phase: 'unreachable', since, why, failures: connection.failures + 1, tried: now, pauseMs };
}

/** The token was turned down. A new one may come at any time, so it is tried again after `pauseMs`. */
export function turnedDown(connection: Connection, now: Stamp, pauseMs: number): Connection {
  const since = connection.phase === 'unauthorized' ? connection.since : now;
  const failures = connection.failures + 1;
  return { phase: 'unauthorized', since, failures, tried: now, pauseMs };
}

/** The machine slept or a clock was set: nothing that was known of the network holds, and it is tried at once. */
export function woke(connection: Connection): Connection {
  return { ...connection, pauseMs: 0 };
}

/** In how many ms the next heartbeat is due. */
export function heartbeatDueIn({ tried, pauseMs }: Connection, now: Stamp): number {
  return tried === undefined ? 0 : Math.max(0, pauseMs - elapsed(tried, now));
}

export interface JobInSession {
  readonly key: string;
  readonly lease: Lease;
  /** Reports that the coordinator has not accepted. */
  readonly waiting: number;
  /** Of the work that the oldest of them names. */
  readonly push: PushPhase;
}

export interface Session {
  readonly connection: Connection;
  readonly jobs: readonly JobInSession[];
  /** Request ids of claims whose outcome is not known. */
  readonly unfinishedClaims: readonly string[];
  /** The runner has nothing to run, and claiming is allowed (not draining, not shadow mode). */
  readonly wantsJob: boolean;
  /** A job would still be welcome, though nobody waits for it. */
  readonly welcomesJob: boolean;
  /** The coordinator lets a claim wait until a job fits. */
  readonly offersPolls: boolean;
  readonly poll: PollPhase;
  /** How long (ms) claiming rests after it came to nothing. */
  readonly claimRestMs: number;
  readonly renewEveryMs: number;
}

/** Whether a checkpoint is on its way to the remote; `due`: it has to be before its report is sent (rule 10). */
export type PushPhase = 'none' | 'due' | 'under way';

/** Whether a claim waits at the coordinator; `answered`: what came of it has not been dealt with. */
export type PollPhase = 'none' | 'waiting' | 'answered';

export type Action =
  | { readonly do: 'heartbeat' }
  | { readonly do: 'renew'; readonly key: string }
  | { readonly do: 'push'; readonly key: string }
  | { readonly do: 'replay'; readonly key: string }
  | { readonly do: 'claim'; readonly requestId?: string }
  /** Begin a claim that waits; deal with its answer; wait no longer. */
  | { readonly do: 'poll' | 'settle-poll' | 'give-up-poll' }
  | { readonly do: 'wait'; readonly ms: number };

export function nextAction(session: Session, now: Stamp): Action {
  const { connection, claimRestMs, renewEveryMs, unfinishedClaims } = session;
  // First: the lease of a job that it brings is running already.
  if (session.poll === 'answered') return { do: 'settle-poll' };
  if (session.poll === 'waiting' && (!session.welcomesJob || connection.phase !== 'reachable'))
    return { do: 'give-up-poll' };
  const heartbeatIn = heartbeatDueIn(connection, now);
  if (heartbeatIn === 0) return { do: 'heartbeat' };
  if (connection.phase !== 'reachable') return { do: 'wait', ms: Math.ceil(heartbeatIn) };

  const open = session.jobs.filter(({ lease }) => lease.verdict === undefined);
  const due = open.map(({ key, lease }) => ({ key, ms: renewDueIn(lease, now, renewEveryMs) }));
  const renew = due.find(({ ms }) => ms === 0);
  if (renew !== undefined) return { do: 'renew', key: renew.key };
  const held = open.filter(({ waiting, lease }) => waiting > 0 && standing(lease, now) === 'held');
  const next = held.find(({ push }) => push !== 'under way');
  if (next !== undefined) return { do: next.push === 'due' ? 'push' : 'replay', key: next.key };

  // A repeat may be the first that arrives: it is made only where a job would be welcome.
  const [unfinished] = unfinishedClaims;
  const isDecided = held.length === 0;
  const mayClaim = isDecided && (unfinished === undefined ? session.wantsJob : session.welcomesJob);
  const mayPoll = isDecided && session.offersPolls && session.welcomesJob;
  if (session.poll === 'none' && claimRestMs <= 0) {
    if (mayClaim) return { do: 'claim', ...(unfinished !== undefined && { requestId: unfinished }) };
    if (mayPoll) return { do: 'poll' };
  }
  const claimIn = session.poll === 'none' && (mayClaim || mayPoll) ? claimRestMs : Infinity;
  return { do: 'wait', ms: Math.ceil(Math.min(heartbeatIn, claimIn, ...due.map(({ ms }) => ms))) };
}
