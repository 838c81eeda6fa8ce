/**
 * The only places where the runner knows of a fleet (runner.md, "Hook points"). With the fleet off they are
 * `offline`, and no code of the fleet is loaded.
 */
import type { CommandAnswer, FleetCommand } from './board.ts';
import type { FleetSettings } from './settings.ts';
import type { Stage } from './stages.ts';

export type { CommandAnswer, FleetCommand, FleetSettings };

/** Which claim of which coordinator's job a local job is; kept in its state. A job that has one is gated. */
export interface Claim {
  readonly jobId: string;
  /** The fencing token: everything outward carries it. */
  readonly epoch: number;
  /** How long the lease was when it was claimed, ms. */
  readonly leaseMs: number;
  /** The coordinator has accepted `shipped` under this epoch: a permanent, exclusive right to land (rule 10). */
  readonly mayLand?: boolean | undefined;
}

/** A job that the coordinator has given to this factory. */
export interface ClaimedJob {
  readonly claim: Claim;
  /** The whole Markdown job, front matter included. */
  readonly text: string;
  /** The work of an earlier holder, to go on from where it can be had. */
  readonly startFrom?: Checkpoint;
  /** What earlier holders came to, for people (rule 14). */
  readonly earlier?: readonly EarlierRun[];
}

/** A job's time with an earlier holder, as far as the coordinator tells. */
export interface EarlierRun {
  readonly factoryId?: string | undefined;
  readonly epoch?: number | undefined;
  readonly stage?: string | undefined;
}

/** A job of this home that was claimed, as the fleet needs to know it. */
export interface Holding {
  /** The local id: of the file, the run and the refs. */
  readonly id: string;
  readonly claim: Claim;
  readonly stage: Stage;
  readonly reasonCode?: string | undefined;
  readonly checkpoint?: Checkpoint | undefined;
  /** Its intent to land is on disk: `shipped` may have been reported. */
  readonly isShipping?: boolean | undefined;
}

export interface Checkpoint {
  readonly wipBranch: string;
  readonly wipCommit: string;
}

/** What leaves this machine, or changes something that others share. `finish`: a claimed job with nothing to land. */
export type Effect = 'push' | 'pull-request' | 'merge' | 'finish';

/**
 * `held`: not now, ask again later; `unanswered`: the coordinator was asked and may have said yes; `fenced`: never again for
 * this job; `gated`: it was claimed, and no fleet is attached.
 */
export type Permission = 'accepted' | 'held' | 'unanswered' | 'fenced' | 'gated';

export interface Transition {
  readonly id: string;
  readonly from: Stage;
  readonly to: Stage;
  /** Only of a job that was claimed. */
  readonly claim?: Claim | undefined;
  /** The number of the job's run. */
  readonly run: number;
  /** The issue that its front matter names. */
  readonly tracker?: string | undefined;
  /** Why, for programs: the code of the job's reason. */
  readonly reasonCode?: string | undefined;
  /** Present once there is work: the ref that holds it and its commit. */
  readonly checkpoint?: Checkpoint | undefined;
}

/** What the laptop's owner allows claimed jobs (fleet-protocol.md, rule 12). */
export interface ClaimPolicy {
  /** The engines that may be used; undefined: every one but `shell`. */
  readonly engines?: readonly string[] | undefined;
  /** Folders in which `cwd` must lie, links resolved. */
  readonly roots: readonly string[];
  readonly yolo: boolean;
  /** The job's own shell commands, `review: skip`, `worktree: false`, and work outside any repository. */
  readonly commands: boolean;
}

/** Why a job is taken away: for people, with a code for programs. */
export interface Revocation {
  readonly code: 'fenced' | 'refused' | 'released';
  readonly text: string;
  /** What is known of how the epoch went stale. */
  readonly facts?: StaleFacts | undefined;
}

/** How a claimed job's epoch went stale, as far as it is known. Times are ms since 1970 by this laptop's own clock. */
export interface StaleFacts {
  readonly currentEpoch?: number | undefined;
  /** How long (ms) this laptop slept under the lease, and when it woke. */
  readonly sleptMs?: number | undefined;
  readonly wokeAt?: number | undefined;
  /** When the lease ran out by our own clocks; absent: it had not. */
  readonly lapsedAt?: number | undefined;
}

/** How a coordinator's job stands now, whoever has it. */
export interface Whereabouts {
  readonly epoch?: number | undefined;
  readonly stage?: string | undefined;
  /** The factory that has it. */
  readonly holder?: string | undefined;
  /** When that factory took it, by this laptop's clock. */
  readonly takenAt?: number | undefined;
  readonly checkpoint?: Checkpoint | undefined;
}

/** A result of a claimed job that a person wants to make a job of the fleet anew. */
export interface AdoptionWish {
  /** The coordinator's job that it was a result of. */
  readonly fromJobId: string;
  /** What the new one is to be called: at the coordinator, and here. The same for every repeat. */
  readonly jobId: string;
  readonly id: string;
  /** It was asked before, and no answer is known. */
  readonly isAsked: boolean;
}

/**
 * `claimed`: it is a job of the fleet, in review, under a claim of its own. `local`: it can't be one, and certainly is
 * none. `unknown`: it may be one, which only a repeat tells.
 */
export type Adoption =
  | { readonly kind: 'claimed'; readonly claim: Claim }
  /** `why`: the end of a sentence, absent where nobody would ask. */
  | { readonly kind: 'local'; readonly why?: string }
  | { readonly kind: 'unknown'; readonly why: string };

export interface Capacity {
  readonly running: number;
  readonly maxParallel: number;
  /** No place is free whatever is running, because today's budget is used up: until when and why, for people. */
  readonly held?: string | undefined;
}

/** What the fleet may ask of the runner that it is attached to. */
export interface AttachedRunner {
  /**
   * Makes a claimed job an ordinary job in `assigned/`, on disk when it resolves; the same claim twice is one job, which
   * may have come further. Nothing of a new one has been told when it resolves.
   */
  materialise(job: ClaimedJob): Promise<{ readonly id: string; readonly stage: string }>;
  /** A claimed job as it stands here now, also at its end; undefined: it is not here. */
  standing(id: string): Promise<Holding | undefined>;
  /** Ends the job's processes and puts it into quarantine; for `released` it fails instead. Nothing when it has ended. */
  revoked(id: string, why: Revocation): Promise<void>;
  /** Tries once more to ship a job that was held. */
  shipHeld(id: string): Promise<void>;
  /**
   * Writes the job's work to its own ref on its remote. Resolves too where there is nothing to write it to.
   * @throws whatever git could not do, or that `signal` was aborted
   */
  pushCheckpoint(id: string, checkpoint: Checkpoint, signal: AbortSignal): Promise<void>;
  /** What this laptop is short of, for people; empty when all is well. */
  shortages(): Promise<readonly string[]>;
  /** The laptop's free places for jobs, and how many there are. */
  capacity(): Capacity;
}

export interface Hooks {
  /** Called before a runner takes anything up, with every claimed job that is not at its end. */
  attach(runner: AttachedRunner, holdings: readonly Holding[]): Promise<void>;
  /** The runner lets go: reports that can be delivered are, and nothing more is asked of it. */
  detach(): Promise<void>;
  /** Claim source: asked when the inbox has nothing to run. True when a job was put into `assigned/`. */
  claim(signal: AbortSignal): Promise<boolean>;
  /**
   * Stage reporter: told of each transition after it is on disk, and of each checkpoint of a claimed job (then `from`
   * is `to`); what must be reported is safe on disk when it resolves. Never rejects.
   */
  transition(transition: Transition): Promise<void>;
  /** Asked before anything outward; for a claimed job this reports `shipped` and waits for the verdict. */
  permit(
    job: { readonly id: string; readonly claim?: Claim | undefined },
    effect: Effect,
  ): Promise<Permission>;
  /** Asks how a coordinator's job stands now. Only looks: no epoch is sent. Undefined: nobody tells. Never rejects. */
  whereabouts(jobId: string): Promise<Whereabouts | undefined>;
  /** Asks for a new job of the fleet, made of a stale result; nothing is said under the old epoch. Never rejects. */
  adopt(wish: AdoptionWish): Promise<Adoption>;
  /**
   * What a person asks of the fleet.
   * @throws UserError in words when it cannot be done now
   */
  carryOut(command: FleetCommand): Promise<CommandAnswer>;
  /** What claimed jobs are allowed here; undefined: nobody says, so those that have not begun wait. */
  readonly policy: ClaimPolicy | undefined;
  /** Lines for status output. */
  status(): readonly string[];
}

const nothing = () => Promise.resolve();

/** No fleet: nothing to claim, nobody to tell. Jobs that were claimed while there was one wait: what has begun at its end, else before it. */
export const offline: Hooks = {
  attach: nothing,
  detach: nothing,
  claim: () => Promise.resolve(false),
  transition: nothing,
  permit: ({ claim }) =>
    Promise.resolve(claim === undefined || claim.mayLand === true ? 'accepted' : 'gated'),
  whereabouts: () => Promise.resolve(undefined),
  adopt: () => Promise.resolve({ kind: 'local' }),
  carryOut: () =>
    Promise.resolve({
      ok: false,
      code: 'fleet-off',
      message: 'The process that runs the jobs is in no fleet. Nothing was changed.',
      action: 'Turn fleet mode on there.',
    }),
  policy: undefined,
  status: () => [],
};
