/** `src/platform/undici.ts`: HTTP over the simulated network. */
import type { Process } from '../world/process.ts';
import type { Service, WireAnswer, WireRequest } from '../world/service.ts';
import { here } from '../world/world.ts';

interface Options {
  readonly method: string;
  readonly dispatcher: Agent;
  readonly signal: AbortSignal;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

interface Response {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: AsyncIterable<Buffer>;
}

class Agent {
  readonly pending = new Set<(error: Error) => void>();

  destroy(): Promise<void> {
    for (const fail of this.pending) fail(errorOf('UND_ERR_DESTROYED'));
    return Promise.resolve();
  }
}

function errorOf(code: string): Error {
  return Object.assign(new Error(code), { code });
}

export function loadUndici() {
  return Promise.resolve({ Agent, request });
}

function request(url: string, { method, dispatcher, signal, headers, body }: Options): Promise<Response> {
  const from = here();
  const message: WireRequest = { method, path: url.replace(/^[a-z]+:\/\/[^/]+/, ''), headers, body };
  return from
    .effect(() => undefined)
    .then(
      () =>
        new Promise((resolve, reject) => {
          new Exchange(from, message, {
            answered: (answer) => resolve(responseOf(answer)),
            failed: reject,
            signal,
            agent: dispatcher,
          }).begin();
        }),
    );
}

function responseOf({ status, headers, body }: WireAnswer): Response {
  return {
    statusCode: status,
    headers,
    body: (async function* () {
      if (body !== '') yield Buffer.from(body);
    })(),
  };
}

interface Ends {
  readonly answered: (answer: WireAnswer) => void;
  readonly failed: (error: Error) => void;
  readonly signal: AbortSignal;
  readonly agent: Agent;
}

/** One request on its way, and its answer on its way back. */
class Exchange {
  readonly #from: Process;
  readonly #message: WireRequest;
  readonly #ends: Ends;
  readonly #gone = new AbortController();
  #isOver = false;

  constructor(from: Process, message: WireRequest, ends: Ends) {
    this.#from = from;
    this.#message = message;
    this.#ends = ends;
  }

  begin(): void {
    const { machine } = this.#from;
    const { world } = machine;
    const { signal, agent } = this.#ends;
    if (signal.aborted) return this.#fail(signal.reason as Error);
    agent.pending.add(this.#broken);
    signal.addEventListener('abort', this.#aborted, { once: true });
    this.#from.onEnd.add(this.#hangUp);
    world.service?.onSent(this.#from, this.#message);
    world.trace.add(
      this.#from,
      () => `→ ${this.#message.method} ${this.#message.path} ${this.#message.body ?? ''}`,
    );
    const cut = world.network.meets(machine, 'out');
    if (cut?.isLoud === true) return this.#back(() => this.#fail(errorOf('ECONNREFUSED')));
    if (world.network.isLost(machine, 'out')) return world.trace.add(this.#from, '  the request is lost');
    world.later(world.network.latency(), () => this.#arrive(true));
    if (world.network.isDoubled()) world.later(world.network.latency() * 3, () => this.#arrive(false));
  }

  readonly #aborted = () => {
    this.#hangUp();
    this.#fail(this.#ends.signal.reason as Error);
  };

  readonly #broken = (error: Error) => {
    this.#hangUp();
    this.#fail(error);
  };

  /** The other side learns of it, if anything of ours still arrives there. */
  readonly #hangUp = () => {
    const { machine } = this.#from;
    const { world } = machine;
    if (world.network.isLost(machine, 'out')) return;
    const { process } = world.service ?? {};
    world.later(world.network.latency(), () => this.#gone.abort(), process);
  };

  /** In nobody's process: what arrives, arrives, whatever has become of the sender. */
  #arrive(isFirst: boolean): void {
    const { world } = this.#from.machine;
    const service = world.service as Service;
    const { process } = service;
    if (process === undefined) {
      if (isFirst) this.#back(() => this.#fail(errorOf('ECONNREFUSED')));
      return;
    }
    const reset = () => this.#back(() => this.#fail(errorOf('ECONNRESET')));
    process.onEnd.add(reset);
    world.later(
      0,
      () => {
        this.#served(service, process).then(
          () => process.onEnd.delete(reset),
          (error: unknown) => process.failed(error),
        );
      },
      process,
    );
  }

  async #served(service: Service, process: Process): Promise<void> {
    const answer = await service.answer(this.#message, this.#gone.signal);
    if (process.isAlive) this.#back(() => this.#answer(answer));
  }

  /** Something comes back over the network. */
  #back(come: () => void): void {
    const { machine } = this.#from;
    const { world } = machine;
    if (world.network.isLost(machine, 'in'))
      return world.trace.add(this.#from, `  the answer to ${this.#message.path} is lost`);
    world.later(world.network.latency(), come, this.#from);
  }

  #answer(answer: WireAnswer): void {
    if (this.#isOver) return;
    this.#from.machine.world.trace.add(
      this.#from,
      () => `← ${answer.status} ${this.#message.path} ${answer.body}`,
    );
    this.#end();
    this.#from.machine.world.service?.onAnswered(this.#from, this.#message, answer);
    this.#ends.answered(answer);
  }

  #fail(error: Error): void {
    if (this.#isOver) return;
    this.#from.machine.world.trace.add(
      this.#from,
      `← ${(error as { code?: string }).code ?? error.name} ${this.#message.path}`,
    );
    this.#end();
    this.#ends.failed(error);
  }

  #end(): void {
    this.#isOver = true;
    this.#from.onEnd.delete(this.#hangUp);
    this.#ends.agent.pending.delete(this.#broken);
    this.#ends.signal.removeEventListener('abort', this.#aborted);
  }
}
