/**
 * What is known of a job beside its file: `runs/<id>/state.json`. The stage directory that the job file lies in
 * always wins over `stage` here. Written whole, by the process that runs the home's jobs.
 */
import * as z from 'zod/mini';
import { STAGES } from '../stages.ts';
import { MEASURES } from './usage.ts';

const time = z.number();

/** Why a job stands where it stands, for people, with a code for programs. */
const reasonSchema = z.object({
  code: z.string(),
  /** A sentence: what happened, and what is safe. */
  text: z.string(),
  /** One next action. */
  action: z.optional(z.string()),
  at: time,
});

/** Where the work takes place; found out at assignment and fixed from then on. */
const placeSchema = z.object({
  /** `plain`: a folder outside any repository; `in-place`: the person's own checkout. */
  kind: z.enum(['worktree', 'in-place', 'plain']),
  /** Where commands run. */
  cwd: z.string(),
  /** Absent outside any repository. */
  repository: z.optional(
    z.object({ name: z.string(), commonDir: z.string(), root: z.string(), bare: z.boolean() }),
  ),
  /** The job's `cwd` relative to the top of a checkout; '' at the top. */
  subdirectory: z.string(),
  /** The worktree made for this job, and its branch as a full ref. */
  worktree: z.optional(z.string()),
  branch: z.optional(z.string()),
  /** The commit that the work is compared with: where it started, or in place a snapshot of the files as they were. */
  base: z.optional(z.string()),
  /** The branch that a merge goes to, as a full ref. */
  target: z.optional(z.string()),
  /** `setup` has been run in it, where the job has one. */
  ready: z.optional(z.boolean()),
});

/** A command that runs, or ran last, under a supervisor. */
const commandSchema = z.object({
  kind: z.enum(['setup', 'engine', 'verify']),
  dir: z.string(),
  mark: z.string(),
  startedAt: time,
});

/** The claim of a coordinator's job that this job is; such a job is gated (hooks.ts). */
const claimSchema = z.object({
  jobId: z.string(),
  epoch: z.number(),
  leaseMs: z.number(),
  mayLand: z.optional(z.boolean()),
});

/** How a claimed job's epoch went stale, and who had the job then (hooks.ts, StaleFacts and Whereabouts). */
export const staleSchema = z.object({
  currentEpoch: z.optional(z.number()),
  sleptMs: z.optional(z.number()),
  wokeAt: z.optional(time),
  lapsedAt: z.optional(time),
  holder: z.optional(z.string()),
  stage: z.optional(z.string()),
  takenAt: z.optional(time),
  /** Whose work it was to be then: where the holder had come to. */
  checkpoint: z.optional(z.object({ wipBranch: z.string(), wipCommit: z.string() })),
});

const resultSchema = z.object({
  /** The ref that holds the work, and its commit; absent outside any repository. */
  wipBranch: z.optional(z.string()),
  wipCommit: z.optional(z.string()),
  /** How many files differ from the base. */
  files: z.number(),
  /** The engine's final answer, shortened. */
  summary: z.optional(z.string()),
});

const verifyingSchema = z.object({
  /** Absent: verified in place. */
  commit: z.optional(z.string()),
  onto: z.optional(z.string()),
  checkout: z.optional(z.string()),
});

/** What has passed `verify` and would be shipped. */
const candidateSchema = z.object({
  /** Absent where there is nothing to land: no repository, or no change. */
  commit: z.optional(z.string()),
  /** The tip of the target that it was built on; absent when it does not depend on one. */
  onto: z.optional(z.string()),
  passedAt: time,
});

/** Written before anything outward is done; after a crash it is looked at before anything else. */
const landingSchema = z.object({
  kind: z.enum(['merge', 'push', 'pr', 'none']),
  candidate: z.optional(z.string()),
  target: z.optional(z.string()),
  at: time,
});

const landedSchema = z.object({
  kind: z.enum(['merge', 'push', 'pr', 'none']),
  commit: z.optional(z.string()),
  /** In words, e.g. `merged into main`. */
  text: z.string(),
  url: z.optional(z.string()),
  at: time,
});

/** What its engine's runs have used (job/usage.ts). */
const usageSchema = z.object({
  /** The last run that is counted in it. */
  run: z.optional(z.number()),
  durationMs: z.optional(z.number()),
  costUsd: z.optional(z.number()),
  inputTokens: z.optional(z.number()),
  outputTokens: z.optional(z.number()),
  atLeast: z.optional(z.readonly(z.array(z.enum(MEASURES)))),
  totals: z.optional(
    z.object({
      session: z.string(),
      costUsd: z.optional(z.number()),
      inputTokens: z.optional(z.number()),
      outputTokens: z.optional(z.number()),
    }),
  ),
});

export const jobStateSchema = z.object({
  version: z.literal(1),
  id: z.string(),
  stage: z.enum(STAGES),
  title: z.string(),
  engine: z.optional(z.string()),
  priority: z.number(),
  /** The issue that is told how it gets on. */
  tracker: z.optional(z.string()),
  addedAt: time,
  changedAt: time,
  /** When the current attempt began. */
  startedAt: z.optional(time),
  /** Attempts begun, counted since a person last sent it on its way. */
  attempt: z.number(),
  /** The number in the attempt's folder: never used twice. */
  run: z.number(),
  /** Runs in a row that were cut off (power, kill) rather than ended. */
  interruptions: z.number(),
  reason: z.optional(reasonSchema),
  /** Queued: it is not due before this time, an automatic retry or (with `limits`) because of a limit. */
  notBefore: z.optional(time),
  /** Runs in a row that were ended by a limit of the engine's model service. */
  limits: z.optional(z.number()),
  /** Queued by itself after a failure that its engine can't go on from: what there is of work is set aside first. */
  startsAnew: z.optional(z.boolean()),
  /** Queued: a person has asked for it to be next. */
  urgent: z.optional(z.boolean()),
  /** Named locks that it holds while it is active, first the one of its front matter. */
  locks: z.optional(z.array(z.string())),
  /** The folder that a relative `cwd` is relative to: the workspace or directory that the job was added from. */
  folder: z.optional(z.string()),
  claim: z.optional(claimSchema),
  /** Claimed: what an earlier holder had come to. */
  startFrom: z.optional(z.object({ wipBranch: z.string(), wipCommit: z.string() })),
  /** Claimed: who had it before, in words. */
  earlier: z.optional(z.array(z.string())),
  /** In quarantine: how its epoch went stale. */
  stale: z.optional(staleSchema),
  /** Made of the result of another job, which lies in quarantine. */
  madeFrom: z.optional(z.string()),
  place: z.optional(placeSchema),
  /** What a person should know of how it is run, e.g. that uncommitted changes are not part of it. */
  notes: z.optional(z.array(z.string())),
  /** The engine's session, by which a later run can go on with it. */
  session: z.optional(z.string()),
  command: z.optional(commandSchema),
  result: z.optional(resultSchema),
  /** What a person said when sending it back, oldest first; `done` once an engine has been given it. */
  comments: z.optional(z.array(z.object({ text: z.string(), at: time, done: z.boolean() }))),
  approvedAt: z.optional(time),
  /** Rounds of verification begun; each has log folders of its own. */
  rounds: z.optional(z.number()),
  /** The round that is going on, so that a later runner goes on with the very same commit. */
  verifying: z.optional(verifyingSchema),
  /** Full ref: the branch that its work was first to be pushed to. Whatever its branch is called here later, it is that one. */
  pushedAs: z.optional(z.string()),
  candidate: z.optional(candidateSchema),
  landing: z.optional(landingSchema),
  landed: z.optional(landedSchema),
  usage: z.optional(usageSchema),
});

export type JobState = z.infer<typeof jobStateSchema>;
export type Reason = z.infer<typeof reasonSchema>;
export type Place = z.infer<typeof placeSchema>;
export type CommandRun = z.infer<typeof commandSchema>;
export type Stale = z.infer<typeof staleSchema>;
export type Verifying = z.infer<typeof verifyingSchema>;
export type Landing = z.infer<typeof landingSchema>;
export type Landed = z.infer<typeof landedSchema>;
