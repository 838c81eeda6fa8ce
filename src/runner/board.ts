/**
 * What a person is shown of a home: pure data, made by readBoard (home/read-board.ts) and turned into rows by the
 * views and into lines by `aq status`.
 */
import type { Hold } from './budget.ts';
import type { Landed, Reason } from './job/state.ts';
import type { Usage } from './job/usage.ts';
import type { Settled } from './quarantine/marks.ts';
import type { Stage } from './stages.ts';

/** What the runner does for an active job at this moment. */
export type Activity = 'preparing' | 'setup' | 'engine' | 'verify' | 'shipping';

export interface JobRow {
  readonly id: string;
  readonly stage: Stage;
  readonly title: string;
  /** Absolute path of the job file. */
  readonly file: string;
  readonly engine?: string;
  readonly priority: number;
  /** Wall clock, ms. When it was put into the inbox; when it came into this stage; when its attempt began. */
  readonly addedAt: number;
  readonly changedAt: number;
  readonly startedAt?: number;
  readonly attempt: number;
  readonly activity?: Activity;
  /** Why it stands here: why it failed or is blocked, or was sent back. */
  readonly reason?: Reason;
  /** A queued job that can't be run yet: what it waits for, in words. */
  readonly waitsFor?: string;
  /** In `testing`: passed, and waits for Ship. */
  readonly readyToShip?: boolean;
  /** Named locks that it holds. */
  readonly locks?: readonly string[];
  /** How many files its result changes; absent before there is a result. */
  readonly files?: number;
  readonly summary?: string;
  readonly landed?: Landed;
  /** What its engine's runs have used, all attempts together. */
  readonly usage?: Usage;
  /** Claimed from a fleet: as which job, under which epoch. */
  readonly claim?: { readonly jobId: string; readonly epoch: number };
  /** In quarantine: a person, or the same work from elsewhere, has settled it. */
  readonly settled?: Settled;
  /** The folder that the engine works in. */
  readonly folder?: string;
  /** The newest log, if there is one. */
  readonly log?: string;
}

export interface StageRows {
  readonly stage: Stage;
  /** How many jobs are in the stage; `rows` may hold fewer (finished stages: the newest). */
  readonly count: number;
  readonly rows: readonly JobRow[];
}

export type RunnerPlace =
  /** No runner has this home. */
  | { readonly kind: 'stopped' }
  /** This process runs the jobs. */
  | { readonly kind: 'here' }
  /** Another process does. */
  | { readonly kind: 'elsewhere'; readonly pid: number; readonly what: string };

/** What engines have used today in this home, and whether that holds new work. */
export interface Today {
  /** `2026-11-26`, by the calendar of this time zone. */
  readonly day: string;
  readonly timeZone: string;
  /** When the next day begins, wall clock, ms. */
  readonly endsAt: number;
  /** Absent: no run has ended today. */
  readonly usage?: Usage;
  /** Those that are set. */
  readonly ceilings: { readonly costUsd?: number; readonly tokens?: number };
  /** Nothing new is started. */
  readonly hold?: Hold;
  /** A person has said that more may be run today. */
  readonly lifted?: boolean;
}

export interface Board {
  readonly stages: readonly StageRows[];
  readonly runner: RunnerPlace;
  readonly today: Today;
}

/** What a person can ask for; the answer says in words what happened. */
export type JobVerb =
  | 'run'
  | 'cancel'
  | 'retry'
  | 'sendBack'
  | 'approve'
  | 'reject'
  | 'ship'
  | QuarantineVerb;

/** What can be asked for a result in quarantine. */
export type QuarantineVerb = 'adopt' | 'requeue' | 'discard' | 'restore';

export interface JobCommand {
  readonly verb: JobVerb;
  readonly id: string;
  /** The comment of `sendBack`, the reason of `reject` and `discard`. */
  readonly text?: string;
  /** Of `adopt`: only these changed files; absent: all. */
  readonly files?: readonly string[];
}

/** What can be asked of the fleet that the runner is attached to. `leave`: it drains, and fleet mode ends with the last lease. */
export type FleetVerb = 'drain' | 'leave' | 'resume' | 'release' | 'claim';

export interface FleetCommand {
  readonly fleet: FleetVerb;
  /** Of `release`: the local id of the job whose lease is given back. */
  readonly id?: string;
}

export type Command = JobCommand | FleetCommand;

export interface CommandAnswer {
  readonly ok: boolean;
  /** In words; for a refusal what is safe, too. */
  readonly message: string;
  /** One next action, for a refusal. */
  readonly action?: string;
  readonly code?: string;
}
