/**
 * One HTTP exchange with an own dispatcher, limited in time and size. It never throws and never uses the words of an
 * error, because those of a request that could not be made may quote its headers, the token among them.
 */
import type { Agent, Dispatcher } from 'undici';
import { SECOND } from './clock.ts';
import { errnoOf } from './errors.ts';
import { loadUndici } from './undici.ts';

interface Limits {
  readonly connectMs: number;
  /** For the whole exchange: a body that trickles is cut off as well. */
  readonly answerMs: number;
  readonly maxBytes: number;
}

export const LIMITS: Limits = { connectMs: 5 * SECOND, answerMs: 15 * SECOND, maxBytes: 8 * 1024 * 1024 };

export interface HttpAnswer {
  readonly status: number;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Undefined when it could not be read to its end; `why` tells. */
  readonly text: string | undefined;
  readonly why?: string;
}

export interface NoAnswer {
  readonly status: undefined;
  readonly why: string;
  /** It is certain that nothing of the request has arrived. */
  readonly neverSent: boolean;
}

export interface HttpRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly signal: AbortSignal;
}

export class Http {
  readonly #limits: Limits;
  #agent: Agent | undefined;

  constructor(limits: Partial<Limits> = {}) {
    this.#limits = { ...LIMITS, ...limits };
  }

  /** Redirects are answers like others: they are not followed. */
  async exchange({ method, url, headers, body, signal }: HttpRequest): Promise<HttpAnswer | NoAnswer> {
    const { connectMs, answerMs, maxBytes } = this.#limits;
    let answer: Dispatcher.ResponseData;
    try {
      const undici = await loadUndici();
      this.#agent ??= new undici.Agent({ connect: { timeout: connectMs } });
      answer = await undici.request(url, {
        method,
        dispatcher: this.#agent,
        signal: AbortSignal.any([AbortSignal.timeout(answerMs), signal]),
        headersTimeout: answerMs,
        bodyTimeout: answerMs,
        headers: { ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
    } catch (error) {
      return { status: undefined, why: inWords(error), neverSent: neverSent(error) };
    }
    const { statusCode: status } = answer;
    const flat = Object.entries(answer.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value[0] : value,
    ]);
    const known = { status, headers: Object.fromEntries(flat) as HttpAnswer['headers'] };
    try {
      return { ...known, text: await readLimited(answer.body, maxBytes) };
    } catch (error) {
      return { ...known, text: undefined, why: inWords(error) };
    }
  }

  async close(): Promise<void> {
    const agent = this.#agent;
    this.#agent = undefined;
    await agent?.destroy();
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

const NOT_TRUSTED = /CERT|SELF_SIGNED|UNABLE_TO|ALTNAME/;

function codeOf(error: unknown): string {
  return errnoOf(error) ?? errnoOf((error as { cause?: unknown }).cause) ?? '';
}

/** No connection came about, by the system call that failed or because the other side is not who it should be. */
function neverSent(error: unknown): boolean {
  const all = error instanceof AggregateError ? (error.errors as unknown[]) : [error];
  return all.every((each) => {
    const { syscall } = each as NodeJS.ErrnoException;
    const code = codeOf(each);
    return (
      syscall === 'connect' ||
      syscall === 'getaddrinfo' ||
      code === 'UND_ERR_CONNECT_TIMEOUT' ||
      NOT_TRUSTED.test(code)
    );
  });
}

function inWords(error: unknown): string {
  if (error instanceof TooLarge) return 'its answer is too large';
  const { name } = error as Error;
  if (name === 'AbortError') return 'the call was given up';
  const code = codeOf(error);
  if (/TIMEOUT|TIMEDOUT/.test(code) || name === 'TimeoutError') return 'it did not answer in time';
  if (code === 'ECONNREFUSED') return 'nobody listens there (connection refused)';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'its name is not known to the network';
  if (/^(?:UND_ERR_SOCKET|ECONNRESET|EPIPE)$/.test(code)) return 'the connection broke off';
  if (NOT_TRUSTED.test(code)) return `its certificate is not trusted (${code})`;
  return code === '' ? 'the connection failed' : `the connection failed (${code})`;
}
