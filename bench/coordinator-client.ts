/** A coordinator as its clients see it, and a server that does nothing in its place. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Pool } from 'undici';
import { SECOND } from '../src/platform/clock.ts';
import { loadUndici } from '../src/platform/undici.ts';
import { median, scratch } from './support.ts';

const CLI = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
const CAPABILITIES = ['os:linux', 'engine:claude'];
const CHECKPOINT = { wipBranch: 'refs/agent-queue/job-e1/wip', wipCommit: 'a'.repeat(40) };
/** A measurement lasts so long, ms. */
const ROUND = 4 * SECOND;
const STAGES = ['building', 'testing', 'shipped'] as const;
/** Requests of one cycle. */
export const PER_CYCLE = 2 + STAGES.length;

/** A coordinator, as its clients see it. */
export class Api {
  readonly #pool: Pool;
  readonly #token: string;
  #next = 0;

  constructor(pool: Pool, token: string) {
    this.#pool = pool;
    this.#token = token;
  }

  /** Cycles per second with so many factories; the median of three rounds. */
  async cycles(factories: number): Promise<number> {
    const rates: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      let done = 0;
      const end = performance.now() + ROUND / 3;
      const start = performance.now();
      const work = async (n: number): Promise<void> => {
        while (performance.now() < end) {
          await this.#cycle(`f${n}`);
          done += 1;
        }
      };
      await Promise.all(Array.from({ length: factories }, (_, n) => work(n)));
      rates.push((done / (performance.now() - start)) * SECOND);
    }
    return median(rates);
  }

  async #cycle(factoryId: string): Promise<void> {
    this.#next += 1;
    const n = this.#next;
    await this.#call('POST', '/fleet/jobs', `e-${n}`, { id: `c-${n}`, bodyMd: '# Do it\n' });
    const claim = { factoryId, capabilities: CAPABILITIES };
    const { job, leaseEpoch } = (await this.#call('POST', '/fleet/claim', `c-${n}`, claim)) as {
      job: { id: string };
      leaseEpoch: number;
    };
    for (const stage of STAGES) {
      const key = `${job.id}.${leaseEpoch}.${stage}`;
      await this.#call('PATCH', `/fleet/jobs/${job.id}`, key, { stage, leaseEpoch, checkpoint: CHECKPOINT });
    }
  }

  /** ms from submit to claimed, for each of so many jobs, submitted one by one while that many factories wait. */
  async latencies(factories: number, jobs: number): Promise<number[]> {
    const sent = new Map<string, number>();
    const times: number[] = [];
    const over = new AbortController();
    const wait = async (n: number): Promise<void> => {
      const body = { factoryId: `f${n}`, capabilities: CAPABILITIES, waitSec: 5 };
      while (!over.signal.aborted) {
        const claimed = (await this.#call('POST', '/fleet/claim', undefined, body)) as
          | { job: { id: string } }
          | undefined;
        const at = performance.now();
        const since = claimed && sent.get(claimed.job.id);
        if (since !== undefined) times.push(at - since);
      }
    };
    const waiting = Array.from({ length: factories }, (_, n) => wait(n));
    await sleep(SECOND / 2);
    for (let n = 0; n < jobs; n += 1) {
      sent.set(`l-${n}`, performance.now());
      await this.#call('POST', '/fleet/jobs', undefined, { id: `l-${n}`, bodyMd: '# Do it\n' });
      await sleep(5);
    }
    while (times.length < jobs) await sleep(20);
    over.abort();
    await Promise.all(waiting);
    return times;
  }

  /** ms for a heartbeat of each of so many factories, 64 at once. */
  async heartbeats(factories: number): Promise<number> {
    let next = 0;
    const start = performance.now();
    const work = async (): Promise<void> => {
      while (next < factories) {
        next += 1;
        const body = { factoryId: `f${next}`, capabilities: CAPABILITIES, health: 'ok', load: 0 };
        await this.#call('POST', '/fleet/factories/heartbeat', undefined, body);
      }
    };
    await Promise.all(Array.from({ length: 64 }, work));
    return performance.now() - start;
  }

  async #call(method: 'POST' | 'PATCH', to: string, key: string | undefined, body: object): Promise<unknown> {
    const answer = await this.#pool.request({
      method,
      path: `/api${to}`,
      headers: {
        authorization: `Bearer ${this.#token}`,
        'content-type': 'application/json',
        ...(key !== undefined && { 'idempotency-key': key }),
      },
      body: JSON.stringify(body),
    });
    const text = await answer.body.text();
    if (answer.statusCode >= 300) throw new Error(`${method} ${to}: ${answer.statusCode} ${text}`);
    return text === '' ? undefined : (JSON.parse(text) as unknown);
  }
}

/** A coordinator on that database, as `aq coordinator` starts it. */
export async function withCoordinator<T>(database: string, work: (api: Api) => Promise<T>): Promise<T> {
  const home = scratch('coordinator-home');
  const args = ['--home', home, 'coordinator', '--port', '0', '--database', database];
  const { api, end } = await listening([CLI, ...args]);
  const token = (await readFile(path.join(home, 'coordinator/admin.token'), 'utf8')).trim();
  return withPool({ api, end, token }, work);
}

/** As fast as HTTP gets here: the same requests to a server that only reads them. */
export async function withNoop<T>(work: (api: Api) => Promise<T>): Promise<T> {
  const script = `
    const answer = JSON.stringify({ job: { id: 'noop' }, leaseEpoch: 1 });
    const server = require('node:http').createServer((request, response) => {
      let raw = '';
      request.on('data', (chunk) => { raw += chunk; });
      request.on('end', () => { JSON.parse(raw); response.setHeader('content-type', 'application/json'); response.end(answer); });
    }).listen(0, '127.0.0.1', () => console.log('listening on http://127.0.0.1:' + server.address().port + '/api'));`;
  return withPool({ ...(await listening(['-e', script])), token: 'none' }, work);
}

async function withPool<T>(
  { api, end, token }: { readonly api: string; readonly token: string; readonly end: () => Promise<void> },
  work: (api: Api) => Promise<T>,
): Promise<T> {
  const { Pool: NewPool } = await loadUndici();
  const pool = new NewPool(new URL(api).origin, { connections: 80, headersTimeout: 60 * SECOND });
  try {
    return await work(new Api(pool, token));
  } finally {
    await pool.destroy();
    await end();
  }
}

async function listening(args: readonly string[]): Promise<{ api: string; end: () => Promise<void> }> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += String(chunk)));
  for (;;) {
    const [, api] = /^listening on (\S+)$/m.exec(said) ?? [];
    if (api !== undefined)
      return {
        api,
        end: async () => {
          const closed = once(child, 'close');
          child.kill('SIGTERM');
          await closed;
        },
      };
    if (child.exitCode !== null) throw new Error('The server has ended before it listened.');
    await sleep(20);
  }
}
