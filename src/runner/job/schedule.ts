/**
 * Who runs next. Pure: the queue, the machine and the time go in; what to start now, and in words what every
 * other job waits for, come out. Order: what a person wants next first, then priority (higher first), then oldest.
 */

import { DAY, HOUR, MINUTE, SECOND } from '../../platform/clock.ts';
import type { Hold } from '../budget.ts';

/** Until when a job is not run again by itself. */
export interface Later {
  /** Wall clock, ms. */
  readonly at: number;
  /** Why: an automatic retry, or a limit of the engine's model service. */
  readonly why: 'retry' | 'limit';
}

export interface QueuedJob {
  readonly id: string;
  readonly priority: number;
  /** Wall clock, ms: when it was queued. A person reorders a queue by changing it. */
  readonly queuedAt: number;
  /** Completely written (see home/inbox.ts). */
  readonly settled: boolean;
  /** Names that no two active jobs may hold at once. */
  readonly locks: readonly string[];
  readonly needs: readonly string[];
  readonly requires: readonly string[];
  /** It is not due yet. */
  readonly later?: Later | undefined;
  /** A person wants it next: ahead of the others. */
  readonly urgent?: boolean;
  /** A person wants this very one now, whatever the day's ceiling says. */
  readonly anyway?: boolean;
}

export interface Machine {
  readonly now: number;
  readonly running: number;
  readonly maxParallel: number;
  /** Lock name → id of the job that holds it. */
  readonly locks: ReadonlyMap<string, string>;
  /** Job id (lower case) → where it stands; absent: no such job. */
  readonly needed: ReadonlyMap<string, 'shipped' | 'pending' | 'failed'>;
  /** Capabilities asked for by some queued job that this machine lacks. */
  readonly lacking: ReadonlySet<string>;
  /** The day's ceiling is used up: nothing new is started. */
  readonly hold?: Hold | undefined;
}

export type Wait =
  | { readonly code: 'slot' }
  | { readonly code: 'writing' }
  | { readonly code: 'lock'; readonly lock: string; readonly holder: string }
  | { readonly code: 'needs'; readonly job: string; readonly state: 'pending' | 'failed' | 'missing' }
  | { readonly code: 'requires'; readonly capability: string }
  | { readonly code: 'retry' | 'limit'; readonly until: number }
  | { readonly code: 'budget'; readonly hold: Hold };

export interface Plan {
  readonly start: readonly string[];
  readonly waits: ReadonlyMap<string, Wait>;
}

export function runOrder(a: QueuedJob, b: QueuedJob): number {
  return (
    Number(b.urgent ?? false) - Number(a.urgent ?? false) ||
    b.priority - a.priority ||
    a.queuedAt - b.queuedAt ||
    (a.id < b.id ? -1 : Number(a.id > b.id))
  );
}

/** Plans one round. A job that has to wait never holds up the ones behind it. */
export function plan(queue: readonly QueuedJob[], machine: Machine): Plan {
  const locks = new Map(machine.locks);
  const start: string[] = [];
  const waits = new Map<string, Wait>();
  let free = machine.maxParallel - machine.running;
  for (const job of [...queue].sort(runOrder)) {
    const wait = obstacle(job, machine, locks);
    if (wait !== undefined) {
      waits.set(job.id, wait);
    } else if (free > 0) {
      free -= 1;
      for (const lock of job.locks) locks.set(lock, job.id);
      start.push(job.id);
    } else {
      waits.set(job.id, { code: 'slot' });
    }
  }
  return { start, waits };
}

function obstacle(job: QueuedJob, machine: Machine, locks: ReadonlyMap<string, string>): Wait | undefined {
  if (!job.settled) return { code: 'writing' };
  if (job.later !== undefined && !isDue(job.later, machine.now) && job.urgent !== true) {
    return { code: job.later.why, until: job.later.at };
  }
  for (const id of job.needs) {
    const state = machine.needed.get(id.toLowerCase()) ?? 'missing';
    if (state !== 'shipped') return { code: 'needs', job: id, state };
  }
  for (const capability of job.requires) {
    if (machine.lacking.has(capability)) return { code: 'requires', capability };
  }
  if (machine.hold !== undefined && job.anyway !== true) return { code: 'budget', hold: machine.hold };
  for (const lock of job.locks) {
    const holder = locks.get(lock);
    if (holder !== undefined) return { code: 'lock', lock, holder };
  }
  return undefined;
}

/** What a job waits for, in words; undefined when it only waits for its turn. */
export function waitText(wait: Wait): string | undefined {
  switch (wait.code) {
    case 'slot':
      return undefined;
    case 'writing':
      return 'is still being written';
    case 'lock':
      return `waits for the lock ${wait.lock}, held by ${wait.holder}`;
    case 'needs':
      switch (wait.state) {
        case 'pending':
          return `waits until ${wait.job} has shipped`;
        case 'failed':
          return `waits for ${wait.job}, which has failed; retry that one first`;
        case 'missing':
          return `needs ${wait.job}, and there is no such job`;
      }
    case 'requires':
      return `requires ${wait.capability}, which this machine does not have`;
    case 'retry':
      return 'waits before it is tried again';
    case 'limit':
      return `waits until ${timeText(wait.until)} for the limit of its engine to be lifted`;
    case 'budget':
      return `is held ${wait.hold.text}`;
  }
}

const FIRST_DELAY = 5 * SECOND;
const LONGEST_DELAY = 10 * MINUTE;

/** How long (ms) to wait before automatic retry number `n` (from 1): 5 s, 20 s, 80 s, … at most 10 minutes. */
export function retryDelay(n: number): number {
  return Math.min(FIRST_DELAY * 4 ** (n - 1), LONGEST_DELAY);
}

const FIRST_LIMIT_DELAY = 1 * MINUTE;
const LONGEST_LIMIT_DELAY = 1 * HOUR;
/** Limits are told for hours and weeks. */
const LONGEST_LIMIT = 8 * DAY;

/**
 * Until when (wall clock, ms) a job waits that has hit a limit for the `n`th time in a row (from 1): as the engine says,
 * else 1, 2, 4, … minutes, at most an hour. Never less than a minute, for what is told is rounded.
 */
export function limitEnd(n: number, until: number | undefined, now: number): number {
  if (until === undefined) return now + Math.min(FIRST_LIMIT_DELAY * 2 ** (n - 1), LONGEST_LIMIT_DELAY);
  return Math.min(Math.max(until, now + FIRST_LIMIT_DELAY), now + LONGEST_LIMIT);
}

/** `Thu 26 Nov 14:05`, in local time. */
export function timeText(at: number): string {
  const [day = '', month = '', date = ''] = new Date(at).toDateString().split(' ');
  const time = new Date(at).toTimeString().slice(0, 5);
  return `${day} ${Number(date)} ${month} ${time}`;
}

/** Whether it is due. Further ahead than it may ever be means that the clock was set back since. */
export function isDue({ at, why }: Later, now: number): boolean {
  return at <= now || at - now > (why === 'limit' ? LONGEST_LIMIT : LONGEST_DELAY);
}
