/**
 * Calls to a coordinator. Each has one typed outcome and none throws (rule 2); what is sent is exactly the
 * contract's table, and neither token nor body reaches a log.
 */
import type { Agent, Dispatcher } from 'undici';
import { type Clock, SECOND } from '../platform/clock.ts';
import { errnoOf, messageOf } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';
import { loadUndici } from '../platform/undici.ts';
import { stampOf } from './elapsed.ts';
import { type Answer, type Failure, failureOf, NO_COORDINATOR, type Outcome } from './outcome.ts';
import {
  type Checkpoint,
  type GivenJob,
  type HeartbeatAnswer,
  type JobView,
  type RunView,
  readAdopted,
  readClaim,
  readExpiry,
  readHeartbeat,
  readJob,
  readJobIds,
  readRuns,
  readWhy,
  type WireStage,
} from './protocol.ts';

export interface ClientOptions {
  /** A checked address (address.ts), e.g. `https://fleet.example/api`. */
  readonly api: string;
  readonly token?: string | undefined;
  readonly productId?: string | undefined;
  readonly factoryId: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits?: Partial<Limits>;
}

interface Limits {
  readonly connectMs: number;
  readonly answerMs: number;
  readonly maxBytes: number;
}

const LIMITS: Limits = { connectMs: 5 * SECOND, answerMs: 15 * SECOND, maxBytes: 8 * 1024 * 1024 };

/** A call that carries an epoch. */
export interface FencedCall {
  readonly jobId: string;
  readonly epoch: number;
  /** Idempotency-Key: the same for every repeat. */
  readonly key: string;
}

interface CallOptions {
  readonly body?: unknown;
  readonly key?: string;
  /** It carries an epoch. */
  readonly isFenced?: boolean;
  /** The heartbeat, which judges what a 404 of another call is worth. */
  readonly isJudge?: boolean;
  /** How much longer than usual (ms) the answer may take. */
  readonly longerMs?: number;
  readonly signal?: AbortSignal | undefined;
}

export type Health = 'ok' | 'degraded' | 'draining';

export class FleetClient {
  readonly #options: ClientOptions;
  readonly #limits: Limits;
  #agent: Agent | undefined;
  #knownTtlSec: number | undefined;
  #lastHeartbeat: unknown;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#limits = { ...LIMITS, ...options.limits };
  }

  /** Registration is the first one. */
  async heartbeat(facts: {
    readonly capabilities: readonly string[];
    readonly health: Health;
    /** Running jobs ÷ capacity. */
    readonly load: number;
  }): Promise<Outcome<HeartbeatAnswer>> {
    const { capabilities, health, load } = facts;
    const body = { factoryId: this.#options.factoryId, capabilities, health, load };
    this.#lastHeartbeat = body;
    const outcome = await this.#beat(body);
    if (outcome.kind === 'accepted') this.#knownTtlSec = outcome.value.leaseTtlSec ?? this.#knownTtlSec;
    return outcome;
  }

  claim(claim: {
    readonly capabilities: readonly string[];
    readonly requestId: string;
    /** Only for a coordinator whose heartbeat offers `longPollSec`: how long it may wait for a job that fits. */
    readonly waitSec?: number | undefined;
    /** Gives the call up; the claim may have been made all the same. */
    readonly signal?: AbortSignal | undefined;
  }): Promise<Outcome<GivenJob | 'empty'>> {
    const { capabilities, requestId, waitSec, signal } = claim;
    const { factoryId } = this.#options;
    const body = { factoryId, capabilities, ...(waitSec !== undefined && { waitSec }) };
    const options = { body, key: requestId, longerMs: (waitSec ?? 0) * SECOND, signal };
    return this.#call('POST', '/fleet/claim', options, ({ body, date }) =>
      readClaim(body, date, this.#knownTtlSec),
    );
  }

  /**
   * A new job of this factory's own, made of one that it has had; only our own coordinator offers it. A repeat is known
   * by the new job's name.
   */
  adopt(wish: {
    readonly fromJobId: string;
    readonly jobId: string;
  }): Promise<Outcome<{ readonly epoch: number; readonly leaseMs: number }>> {
    const { fromJobId, jobId } = wish;
    const body = { factoryId: this.#options.factoryId, id: jobId };
    return this.#call(
      'POST',
      `${jobPath(fromJobId)}/adopt`,
      { body, key: `adopt-${jobId}` },
      ({ body, date }) => readAdopted(body, date, jobId, this.#knownTtlSec),
    );
  }

  job(jobId: string): Promise<Outcome<JobView>> {
    return this.#call('GET', jobPath(jobId), {}, ({ body }) => readJob(body));
  }

  /** What earlier holders did (rule 14). */
  runs(jobId: string): Promise<Outcome<readonly RunView[]>> {
    return this.#call('GET', `${jobPath(jobId)}/runs`, {}, ({ body, date }) => readRuns(body, date));
  }

  /** The ids of queued jobs, the newest ones; only our own coordinator tells. */
  queued(limit: number): Promise<Outcome<readonly string[]>> {
    return this.#call('GET', `/fleet/jobs?stage=queued&limit=${limit}`, {}, ({ body }) => readJobIds(body));
  }

  /** Why this factory does not get the job, as a sentence; only our own coordinator tells. */
  why(jobId: string): Promise<Outcome<string>> {
    const factory = encodeURIComponent(this.#options.factoryId);
    return this.#call('GET', `${jobPath(jobId)}/why?factoryId=${factory}`, {}, ({ body }) => readWhy(body));
  }

  report(
    call: FencedCall & { readonly stage: WireStage; readonly checkpoint?: Checkpoint | undefined },
  ): Promise<Outcome<{ leaseMs?: number }>> {
    const { jobId, epoch, key, stage, checkpoint } = call;
    const body = { stage, ...(checkpoint && { checkpoint: onlyCheckpoint(checkpoint) }), leaseEpoch: epoch };
    return this.#fenced('PATCH', jobPath(jobId), body, key);
  }

  renew({ jobId, epoch, key }: FencedCall): Promise<Outcome<{ leaseMs?: number }>> {
    return this.#fenced('POST', `${jobPath(jobId)}/lease/renew`, { leaseEpoch: epoch }, key);
  }

  release({ jobId, epoch, key }: FencedCall): Promise<Outcome<{ leaseMs?: number }>> {
    return this.#fenced('POST', `${jobPath(jobId)}/lease/release`, { leaseEpoch: epoch }, key);
  }

  /** Closes its connections; a later call opens new ones. */
  async close(): Promise<void> {
    const agent = this.#agent;
    this.#agent = undefined;
    await agent?.destroy();
  }

  /** An own dispatcher: the process-wide one belongs to whoever else lives in this process. */
  #dispatcher({ Agent: NewAgent }: Awaited<ReturnType<typeof loadUndici>>): Agent {
    this.#agent ??= new NewAgent({ connect: { timeout: this.#limits.connectMs } });
    return this.#agent;
  }

  #fenced(
    method: 'PATCH' | 'POST',
    path: string,
    body: unknown,
    key: string,
  ): Promise<Outcome<{ leaseMs?: number }>> {
    return this.#call(method, path, { body, key, isFenced: true }, ({ body, date }) =>
      readExpiry(body, date),
    );
  }

  async #call<T>(
    method: Dispatcher.HttpMethod,
    path: string,
    options: CallOptions,
    read: (answer: Answer) => T | undefined,
  ): Promise<Outcome<T>> {
    const sentAt = stampOf(this.#options.clock);
    let answer: Answer & { requestId?: string };
    try {
      answer = await this.#exchange(method, path, options);
    } catch (error) {
      const why = whyUnreachable(error, this.#limits);
      this.#options.log.warn(`${method} ${path}: ${why}`);
      return { kind: 'unreachable', why };
    }
    if (answer.status >= 200 && answer.status < 300) {
      const value = answer.isJson || answer.body === undefined ? read(answer) : undefined;
      if (value !== undefined) return { kind: 'accepted', value, sentAt };
      this.#options.log.warn(`${method} ${path}: ${answer.status}, but not in the form of the contract`);
      return { kind: 'unreachable', why: 'its answer is not that of a coordinator' };
    }
    const id = answer.requestId === undefined ? '' : `, request ${answer.requestId}`;
    this.#options.log.warn(`${method} ${path}: ${answer.status}${id}`);
    const failure = failureOf(answer, options.isFenced ?? false);
    return failure === 'missing' ? this.#judgeMissing(options) : failure;
  }

  /** A 404: the job is gone if the one who says so is the coordinator. */
  async #judgeMissing({ isFenced, isJudge }: CallOptions): Promise<Failure> {
    const { factoryId } = this.#options;
    const again = this.#lastHeartbeat ?? { factoryId, capabilities: [], health: 'ok', load: 0 };
    if (isJudge === true || (await this.#beat(again)).kind !== 'accepted') return NO_COORDINATOR;
    return isFenced === true ? { kind: 'fenced' } : { kind: 'refused', status: 404, code: 'job_not_found' };
  }

  #beat(body: unknown): Promise<Outcome<HeartbeatAnswer>> {
    return this.#call('POST', '/fleet/factories/heartbeat', { body, isJudge: true }, ({ body }) =>
      readHeartbeat(body),
    );
  }

  async #exchange(
    method: Dispatcher.HttpMethod,
    path: string,
    { body, key, longerMs = 0, signal }: CallOptions,
  ): Promise<Answer & { requestId?: string }> {
    const { api, token, productId } = this.#options;
    const limitMs = this.#limits.answerMs + longerMs;
    const limit = AbortSignal.timeout(limitMs);
    const undici = await loadUndici();
    const answer = await undici.request(`${api}${path}`, {
      method,
      dispatcher: this.#dispatcher(undici),
      // Over the whole of it: a body that trickles is cut off as well.
      signal: signal === undefined ? limit : AbortSignal.any([limit, signal]),
      headersTimeout: limitMs,
      bodyTimeout: limitMs,
      headers: {
        accept: 'application/json',
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(productId !== undefined && { 'x-product-id': productId }),
        ...(key !== undefined && { 'idempotency-key': key }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await readLimited(answer.body, this.#limits.maxBytes);
    const date = Date.parse(one(answer.headers['date']) ?? '');
    const requestId = one(answer.headers['x-request-id']);
    const parsed = text.trim() === '' ? { body: undefined, isJson: false } : parse(text);
    return {
      status: answer.statusCode,
      ...parsed,
      retryAfter: one(answer.headers['retry-after']),
      date: Number.isNaN(date) ? undefined : date,
      ...(requestId !== undefined && /^[\w.-]{1,80}$/.test(requestId) && { requestId }),
    };
  }
}

class TooLarge extends Error {}

async function readLimited(body: Dispatcher.ResponseData['body'], maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length;
    // Leaving the loop destroys the body, and with it the connection.
    if (size > maxBytes) throw new TooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parse(text: string): { body: unknown; isJson: boolean } {
  try {
    return { body: JSON.parse(text) as unknown, isJson: true };
  } catch {
    return { body: text.slice(0, 1), isJson: false };
  }
}

/** In words. The error's own message is not used where it could hold an address with secrets in its path. */
function whyUnreachable(error: unknown, limits: Limits): string {
  if (error instanceof TooLarge) return `its answer is larger than ${limits.maxBytes} bytes`;
  if ((error as Error).name === 'AbortError') return 'the call was given up';
  const code = errnoOf(error) ?? errnoOf((error as { cause?: unknown }).cause) ?? '';
  if (/TIMEOUT/.test(code) || (error as Error).name === 'TimeoutError') return 'it did not answer in time';
  if (code === 'ECONNREFUSED') return 'nobody listens there (connection refused)';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'its name is not known to the network';
  if (/^(?:UND_ERR_SOCKET|ECONNRESET|EPIPE)$/.test(code)) return 'the connection broke off';
  if (/CERT|SELF_SIGNED|UNABLE_TO|ALTNAME/.test(code)) return `its certificate is not trusted (${code})`;
  return code === ''
    ? `the connection failed (${messageOf(error).slice(0, 80)})`
    : `the connection failed (${code})`;
}

function onlyCheckpoint({ wipBranch, wipCommit }: Checkpoint): Checkpoint {
  return { wipBranch, wipCommit };
}

function jobPath(jobId: string): string {
  return `/fleet/jobs/${encodeURIComponent(jobId)}`;
}

function one(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
