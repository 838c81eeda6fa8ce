/**
 * The network between one machine and the coordinator. It understands whole requests and answers, so that each can be
 * lost, held back, broken off or delivered twice by itself, and it remembers all that it carried: what the coordinator
 * has accepted is known here, whatever became of the answer.
 */
import { once } from 'node:events';
import http, { type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Message, describe as readMessage } from './message.ts';
import type { Trouble } from './plan.ts';

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

interface Side {
  /** The coordinator's port now. */
  readonly target: () => number;
  /** A message is known: once when it arrives, and again whenever more of it is known. */
  readonly heard: (message: Message) => void;
  /** The coordinator has answered, the machine has not heard. True: the answer is lost. */
  readonly answered: (message: Message) => boolean;
}

interface Weather {
  readonly trouble: Trouble;
  readonly delayMs: number;
  readonly over: Promise<void>;
}

export class FaultyNetwork {
  readonly #side: Side;
  readonly #server: http.Server;
  readonly #closing = new AbortController();
  readonly #carried: Message[] = [];
  #weather: Weather | undefined;
  #clear: (() => void) | undefined;

  constructor(side: Side) {
    this.#side = side;
    this.#server = http.createServer((request, response) => {
      void this.#carry(request, response).catch(() => response.destroy());
    });
    this.#server.keepAliveTimeout = 60_000;
  }

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  /** All that went through, in the order of arrival. */
  get carried(): readonly Message[] {
    return this.#carried;
  }

  /** From now on, until `mend`; a cut also breaks what is under way. */
  spoil(trouble: Trouble, delayMs: number): void {
    this.mend();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#clear = resolve;
    this.#weather = { trouble, delayMs, over: promise };
    if (trouble === 'cut') this.#server.closeAllConnections();
  }

  mend(): void {
    this.#weather = undefined;
    this.#clear?.();
  }

  async close(): Promise<void> {
    this.mend();
    this.#closing.abort();
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #carry(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const weather = this.#weather;
    if (weather?.trouble === 'cut') return void response.destroy();
    const body = await buffer(request);
    const message = readMessage(request, body);
    const { signal } = this.#closing;
    if (weather?.trouble === 'delay') await sleep(weather.delayMs, undefined, { signal });
    // Whoever hangs up is heard by the coordinator, but where the way back is what fails.
    const isDeaf =
      weather !== undefined && ['lost-answers', 'late-answers', 'delay'].includes(weather.trouble);
    const hungUp = new AbortController();
    if (!isDeaf) response.once('close', () => hungUp.abort());
    this.#note(message);
    const answer = await this.#forward(request, body, AbortSignal.any([signal, hungUp.signal]));
    if (weather?.trouble === 'duplicates') void this.#repeat(request, body, weather);
    if (answer === undefined) return void response.destroy();
    message.status = answer.status;
    message.answer = answer.body.toString('utf8');
    const isTrapped = this.#side.answered(message);
    if (weather?.trouble === 'late-answers') await weather.over;
    const isLost =
      isTrapped ||
      weather?.trouble === 'lost-answers' ||
      this.#weather?.trouble === 'cut' ||
      response.destroyed;
    message.fate = isLost ? 'answer lost' : weather?.trouble === 'reset' ? 'broken off' : 'delivered';
    this.#side.heard(message);
    if (isLost) return void response.destroy();
    const { connection: _connection, 'transfer-encoding': _encoding, ...headers } = answer.headers;
    const length = answer.status === 204 ? {} : { 'content-length': answer.body.length };
    response.writeHead(answer.status, { ...headers, ...length });
    if (weather?.trouble !== 'reset') return void response.end(answer.body);
    response.write(answer.body.subarray(0, answer.body.length / 2), () => response.destroy());
  }

  /** The same request comes once more, by itself: at once, and long after its answer. */
  async #repeat(request: IncomingMessage, body: Buffer, { delayMs }: Weather): Promise<void> {
    const { signal } = this.#closing;
    for (const pause of [0, delayMs * 3]) {
      await sleep(pause, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      const copy = { ...readMessage(request, body), isCopy: true };
      this.#note(copy);
      const answer = await this.#forward(request, body, signal);
      copy.status = answer?.status;
      copy.answer = answer?.body.toString('utf8');
      copy.fate = 'a copy';
      this.#side.heard(copy);
    }
  }

  #note(message: Message): void {
    this.#carried.push(message);
    this.#side.heard(message);
  }

  /** Undefined: no answer came, though the request may have arrived. */
  async #forward(request: IncomingMessage, body: Buffer, signal: AbortSignal): Promise<Answer | undefined> {
    const { connection: _connection, ...headers } = request.headers;
    const { method, url } = request;
    const options = { host: '127.0.0.1', port: this.#side.target(), method, path: url, headers, signal };
    try {
      const onward = http.request({ ...options, agent: false });
      onward.end(body);
      const [answer] = (await once(onward, 'response')) as [IncomingMessage];
      return { status: answer.statusCode ?? 0, headers: answer.headers, body: await buffer(answer) };
    } catch {
      return undefined;
    }
  }
}
