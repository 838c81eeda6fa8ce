/**
 * A coordinator that a test writes the answers of: a real HTTP server on loopback. Without a script it keeps the
 * contract for the jobs that it was given: epochs, leases by its word, idempotent claims and reports.
 */
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly raw: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- whatever JSON came
  readonly body: any;
}

export interface Answer {
  readonly status?: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Instead of `body`: the very bytes. */
  readonly raw?: string;
}

/** An answer, or something odd done to the connection; undefined: the coordinator's own answer. */
export type Script = (
  request: Received,
  response: http.ServerResponse,
) => Answer | 'handled' | undefined | Promise<Answer | 'handled' | undefined>;

interface Job {
  readonly id: string;
  readonly bodyMd: string;
  epoch: number;
  stage: string;
  holder: boolean;
  checkpoint?: unknown;
}

const PROBLEM = { 'content-type': 'application/problem+json' };

export class StubCoordinator {
  readonly requests: Received[] = [];
  readonly jobs: { get(id: string): Readonly<Pick<Job, 'epoch' | 'stage'>> | undefined } = {
    get: (id) => this.#jobs.get(id),
  };
  readonly #jobs = new Map<string, Job>();
  script: Script = () => undefined;
  /** Offered in heartbeats: a claim with `waitSec` then waits for a job. */
  longPollSec: number | undefined;
  readonly #offered = new EventTarget();
  readonly #answers = new Map<string, Answer>();
  readonly #sockets = new Set<Socket>();
  #server: http.Server | undefined;
  #port = 0;

  static async start(script?: Script): Promise<StubCoordinator> {
    const stub = new StubCoordinator();
    if (script !== undefined) stub.script = script;
    await stub.up();
    return stub;
  }

  #leaseTtlSec = 900;

  get leaseTtlSec(): number {
    return this.#leaseTtlSec;
  }

  set leaseTtlSec(seconds: number) {
    this.#leaseTtlSec = seconds;
  }

  get api(): string {
    return `http://127.0.0.1:${this.#port}/api`;
  }

  async up(): Promise<void> {
    const server = http.createServer((request, response) => void this.#serve(request, response));
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  /** Nobody listens any more; connections are cut. */
  async down(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = once(server, 'close');
    server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** It is not used any more. */
  end(): Promise<void> {
    return this.down();
  }

  offer(id: string, bodyMd: string): void {
    this.#jobs.set(id, { id, bodyMd, epoch: 0, stage: 'queued', holder: false });
    this.#offered.dispatchEvent(new Event('job'));
  }

  /** Another factory claims the job. */
  take(id: string): void {
    const job = this.#jobs.get(id);
    if (job !== undefined) Object.assign(job, { epoch: job.epoch + 1, stage: 'assigned', holder: true });
  }

  /** Another factory has had the job, and given it back. */
  passOn(id: string): void {
    const job = this.#jobs.get(id);
    if (job !== undefined) Object.assign(job, { epoch: job.epoch + 1, stage: 'queued', holder: false });
  }

  /** What has been asked, as `METHOD /path`, without heartbeats. */
  asked(): string[] {
    return this.requests
      .filter(({ path }) => !path.endsWith('/heartbeat'))
      .map(({ method, path }) => `${method} ${path.replace('/api/fleet/', '')}`);
  }

  /** The stages reported of a job, with the epoch that each carried. */
  reported(id: string): string[] {
    return this.requests
      .filter(({ method, path }) => method === 'PATCH' && path.endsWith(`/jobs/${id}`))
      .map(({ body }) => `${body.stage} ${body.leaseEpoch}`);
  }

  async #serve(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    let raw = '';
    for await (const chunk of request) raw += String(chunk);
    const received: Received = {
      method: request.method ?? '',
      path: request.url ?? '',
      headers: request.headers,
      raw,
      body: raw === '' ? undefined : JSON.parse(raw),
    };
    this.requests.push(received);
    const scripted = await this.script(received, response);
    if (scripted === 'handled') return;
    const { status = 200, body, headers, raw: bytes } = scripted ?? (await this.own(received, response));
    if (response.destroyed) return;
    response.writeHead(status, { 'content-type': 'application/json', 'x-request-id': 'req-1', ...headers });
    response.end(bytes ?? (body === undefined ? '' : JSON.stringify(body)));
  }

  /** Resolves when there is a job, when the wait is over, or when whoever waits has gone. */
  async #jobWithin(seconds: number, response: http.ServerResponse): Promise<void> {
    const over = new AbortController();
    const end = () => over.abort();
    response.once('close', end);
    this.#offered.addEventListener('job', end, { once: true });
    if (this.#queued().length === 0)
      await sleep(seconds * 1000, undefined, { signal: over.signal }).catch(() => undefined);
  }

  /** What it answers without a script. */
  protected async own(request: Received, response: http.ServerResponse): Promise<Answer> {
    if (request.body?.waitSec !== undefined) await this.#jobWithin(request.body.waitSec, response);
    // Nobody hears it any more: nothing is given away.
    return response.destroyed ? {} : this.#remembered(request);
  }

  #remembered(request: Received): Answer {
    const key = request.headers['idempotency-key'];
    const before = typeof key === 'string' ? this.#answers.get(key) : undefined;
    if (before !== undefined) return before;
    const answer = this.#answer(request);
    // A claim that found nothing is asked anew.
    const isKept = answer.body !== undefined && (answer.status ?? 200) < 300;
    if (typeof key === 'string' && isKept) this.#answers.set(key, answer);
    return answer;
  }

  #answer({ method, path, body }: Received): Answer {
    const [, id = '', call] = /\/fleet\/jobs\/([^/]+)(?:\/lease\/(\w+))?$/.exec(path) ?? [];
    if (path.endsWith('/factories/heartbeat'))
      return { body: { claimable: this.#queued().length, longPollSec: this.longPollSec } };
    if (path.endsWith('/fleet/claim')) return this.#claim();
    const job = this.#jobs.get(id);
    if (job === undefined) return { status: 404, headers: PROBLEM, body: { code: 'job_not_found' } };
    if (method === 'GET') return { body: { ...job, leaseEpoch: job.epoch } };
    if (!job.holder || body.leaseEpoch !== job.epoch)
      return { status: 409, headers: PROBLEM, body: { code: 'stale_epoch', currentEpoch: job.epoch } };
    if (call === 'release') Object.assign(job, { stage: 'queued', holder: false });
    if (method === 'PATCH') {
      const ends = ['shipped', 'failed', 'blocked', 'dead_letter'].includes(body.stage);
      Object.assign(job, { stage: body.stage, holder: !ends, checkpoint: body.checkpoint });
    }
    return { body: { id, stage: job.stage, leaseEpoch: job.epoch, leaseTtlSec: this.leaseTtlSec } };
  }

  #claim(): Answer {
    const [job] = this.#queued();
    if (job === undefined) return { status: 204 };
    Object.assign(job, { epoch: job.epoch + 1, stage: 'assigned', holder: true });
    const { id, bodyMd, epoch, stage } = job;
    return { body: { job: { id, bodyMd, stage }, leaseEpoch: epoch, leaseTtlSec: this.leaseTtlSec } };
  }

  #queued(): Job[] {
    return [...this.#jobs.values()].filter(({ stage }) => stage === 'queued');
  }
}
