/**
 * The contract with a coordinator (fleet-protocol.md): what is sent, exactly, and what is read, tolerantly. An
 * answer that cannot be read as the contract is `undefined` here, and counts as unreachable, never as success.
 */
import * as z from 'zod/mini';
import { SECOND } from '../platform/clock.ts';
import { printable } from '../platform/printable.ts';

/** The only ids that are accepted from a coordinator (rule 12). */
export const JOB_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

export const WIRE_STAGES = [
  'queued',
  'assigned',
  'building',
  'review',
  'testing',
  'shipped',
  'blocked',
  'failed',
  'dead_letter',
] as const;

export type WireStage = (typeof WIRE_STAGES)[number];

/** Of a sentence from the coordinator, in characters. */
const LONGEST_TEXT = 300;

const jobId = z.string().check(z.regex(JOB_ID));
const epoch = z.int().check(z.nonnegative());
/** What nothing depends on does not make the rest unreadable. */
function forgiving<T extends z.core.SomeType>(schema: T): z.ZodMiniCatch<T> {
  // oxlint-disable-next-line promise/valid-params -- no promise's
  return z.catch(schema, undefined as z.output<T>);
}
const checkpointSchema = z.object({ wipBranch: z.string(), wipCommit: z.string() });
const expirySchema = z.object({
  leaseEpoch: z.optional(z.nullable(epoch)),
  leaseExpiresAt: z.optional(z.nullable(z.union([z.string(), z.number()]))),
  leaseTtlSec: z.optional(z.nullable(z.number().check(z.positive()))),
});
const jobSchema = z.extend(expirySchema, {
  id: jobId,
  stage: forgiving(z.optional(z.enum(WIRE_STAGES))),
  bodyMd: z.optional(z.string()),
  // Without one the work begins from base; a job is not turned away for it.
  checkpoint: forgiving(z.optional(z.nullable(checkpointSchema))),
  holder: forgiving(z.optional(z.nullable(z.string()))),
});
const heartbeatSchema = z.object({
  nextHeartbeatSec: z.optional(z.nullable(z.number().check(z.positive()))),
  claimable: z.optional(z.nullable(z.number().check(z.nonnegative()))),
  leaseTtlSec: z.optional(z.nullable(z.number().check(z.positive()))),
  longPollSec: z.optional(z.nullable(z.number().check(z.positive()))),
});
const runSchema = z.object({
  factoryId: forgiving(z.optional(z.string())),
  leaseEpoch: forgiving(z.optional(epoch)),
  stage: forgiving(z.optional(z.enum(WIRE_STAGES))),
  startedAt: forgiving(z.optional(z.nullable(z.union([z.string(), z.number()])))),
});

export interface Checkpoint {
  readonly wipBranch: string;
  readonly wipCommit: string;
}

export interface GivenJob {
  readonly jobId: string;
  readonly bodyMd: string;
  readonly epoch: number;
  readonly leaseMs: number;
  readonly checkpoint?: Checkpoint;
}

export interface JobView {
  readonly jobId: string;
  readonly stage: WireStage;
  readonly epoch?: number;
  readonly checkpoint?: Checkpoint;
  readonly holder?: string;
}

/** What an earlier holder did, as far as the coordinator tells. */
export interface RunView {
  readonly factoryId?: string;
  readonly epoch?: number;
  readonly stage?: WireStage;
  /** How long ago it began, ms, by the coordinator's own clock. */
  readonly agoMs?: number;
}

export interface HeartbeatAnswer {
  readonly nextHeartbeatSec?: number;
  readonly claimable?: number;
  readonly leaseTtlSec?: number;
  readonly longPollSec?: number;
}

/**
 * A claim's answer. A lease whose length cannot be told is worth nothing, because nobody would know when to stop.
 * @param date the answer's own Date header, ms: the other machine's clock is only compared with itself (rule 4)
 * @param knownTtlSec what a heartbeat said of leases in general
 */
export function readClaim(
  body: unknown,
  date: number | undefined,
  knownTtlSec?: number,
): GivenJob | 'empty' | undefined {
  if (body === undefined || isEmptyObject(body)) return 'empty';
  if (isObject(body) && body['job'] === null) return 'empty';
  const job = readParts(body);
  if (job === undefined) return undefined;
  const leaseMs = lengthOf(job, date) ?? (knownTtlSec === undefined ? undefined : knownTtlSec * SECOND);
  if (job.bodyMd === undefined || job.leaseEpoch == null || leaseMs === undefined) return undefined;
  return {
    jobId: job.id,
    bodyMd: job.bodyMd,
    epoch: job.leaseEpoch,
    leaseMs,
    ...(job.checkpoint != null && { checkpoint: job.checkpoint }),
  };
}

/** The answer to `adopt`, if it is about `jobId`: its epoch, and how long its lease is. */
export function readAdopted(
  body: unknown,
  date: number | undefined,
  jobId: string,
  knownTtlSec?: number,
): { readonly epoch: number; readonly leaseMs: number } | undefined {
  const job = readParts(body);
  if (job === undefined || job.id !== jobId || job.leaseEpoch == null) return undefined;
  const leaseMs = lengthOf(job, date) ?? (knownTtlSec === undefined ? undefined : knownTtlSec * SECOND);
  return leaseMs === undefined ? undefined : { epoch: job.leaseEpoch, leaseMs };
}

export function readJob(body: unknown): JobView | undefined {
  const job = readParts(body);
  if (job?.stage === undefined) return undefined;
  return {
    jobId: job.id,
    stage: job.stage,
    ...(job.leaseEpoch != null && { epoch: job.leaseEpoch }),
    ...(job.checkpoint != null && { checkpoint: job.checkpoint }),
    ...(job.holder != null && { holder: job.holder }),
  };
}

/**
 * The list itself or inside `runs`; what is no run in it is passed over.
 * @param date the answer's own Date header, ms: only with that are its times compared (rule 4)
 */
export function readRuns(body: unknown, date?: number): RunView[] | undefined {
  const list = isObject(body) ? body['runs'] : body;
  if (!Array.isArray(list)) return undefined;
  return list.flatMap((each) => {
    const read = runSchema.safeParse(each);
    if (!read.success) return [];
    const { factoryId, leaseEpoch, stage, startedAt } = read.data;
    const began = typeof startedAt === 'string' ? Date.parse(startedAt) : startedAt;
    const agoMs = date === undefined || began == null ? NaN : date - began;
    return [
      {
        ...(factoryId !== undefined && { factoryId: printable(factoryId).slice(0, LONGEST_TEXT) }),
        ...(leaseEpoch !== undefined && { epoch: leaseEpoch }),
        ...(stage !== undefined && { stage }),
        // Date has whole seconds: a run that has just begun lies in its future.
        ...(Number.isFinite(agoMs) && { agoMs: Math.max(0, agoMs) }),
      },
    ];
  });
}

/** The length of the lease that an accepted call leaves, ms, where the answer tells; undefined: unreadable. */
export function readExpiry(body: unknown, date: number | undefined): { leaseMs?: number } | undefined {
  if (body === undefined) return {};
  if (!isObject(body)) return undefined;
  const parts = expirySchema.safeParse(merged(body));
  if (!parts.success) return undefined;
  const leaseMs = lengthOf(parts.data, date);
  return leaseMs === undefined ? {} : { leaseMs };
}

/** The ids in a list of jobs (`GET /fleet/jobs`); what is no job in it is passed over. */
export function readJobIds(body: unknown): string[] | undefined {
  const list = isObject(body) ? body['jobs'] : body;
  if (!Array.isArray(list)) return undefined;
  return list.flatMap((each) => (isObject(each) && typeof each['id'] === 'string' ? [each['id']] : []));
}

/** The sentence that says why a job is not claimed (`GET /fleet/jobs/:id/why`), safe to show. */
export function readWhy(body: unknown): string | undefined {
  const text = isObject(body) ? body['text'] : undefined;
  return typeof text === 'string' ? printable(text).slice(0, LONGEST_TEXT) : undefined;
}

/** Any 2xx with a JSON object or nothing in it is an accepted heartbeat; what it cannot tell is left out. */
export function readHeartbeat(body: unknown): HeartbeatAnswer | undefined {
  if (body === undefined) return {};
  if (!isObject(body)) return undefined;
  const read = heartbeatSchema.safeParse(body);
  if (!read.success) return {};
  const { nextHeartbeatSec, claimable, leaseTtlSec, longPollSec } = read.data;
  return {
    ...(nextHeartbeatSec != null && { nextHeartbeatSec }),
    ...(claimable != null && { claimable }),
    ...(leaseTtlSec != null && { leaseTtlSec }),
    ...(longPollSec != null && { longPollSec }),
  };
}

function readParts(body: unknown): z.infer<typeof jobSchema> | undefined {
  const read = jobSchema.safeParse(isObject(body) ? merged(body) : body);
  return read.success ? read.data : undefined;
}

/** A job, whether it is the answer itself or inside it; what stands beside it counts where the job says nothing. */
function merged({ job, ...beside }: Record<string, unknown>): Record<string, unknown> {
  if (!isObject(job)) return beside;
  return { ...beside, ...Object.fromEntries(Object.entries(job).filter(([, value]) => value !== null)) };
}

function lengthOf(
  { leaseTtlSec, leaseExpiresAt }: z.infer<typeof expirySchema>,
  date: number | undefined,
): number | undefined {
  if (leaseTtlSec != null) return leaseTtlSec * SECOND;
  if (leaseExpiresAt == null || date === undefined) return undefined;
  const at = typeof leaseExpiresAt === 'number' ? leaseExpiresAt : Date.parse(leaseExpiresAt);
  return at > date ? at - date : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isEmptyObject(value: unknown): boolean {
  return isObject(value) && Object.keys(value).length === 0;
}
