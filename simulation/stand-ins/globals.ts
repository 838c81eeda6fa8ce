/** What code reaches without importing it (time, timers, chance, the process), as the simulated process that runs has it. */
import { currentProcess, here } from '../world/world.ts';

const RealDate = Date;
const real = {
  now: performance.now.bind(performance),
  random: Math.random,
  setTimeout: globalThis.setTimeout,
  clearTimeout: globalThis.clearTimeout,
  setInterval: globalThis.setInterval,
  clearInterval: globalThis.clearInterval,
  timeout: AbortSignal.timeout.bind(AbortSignal),
  any: AbortSignal.any.bind(AbortSignal),
  pid: process.pid,
  kill: process.kill.bind(process),
};

class SimulatedDate extends RealDate {
  constructor(...args: unknown[]) {
    if (args.length === 0) super(SimulatedDate.now());
    else super(...(args as [number]));
  }

  static override now(): number {
    return currentProcess()?.machine.wall() ?? RealDate.now();
  }
}

class Timer {
  cancelled = false;
  readonly #run: () => void;
  readonly #ms: number;
  readonly #repeats: boolean;

  constructor(run: () => void, ms: number, repeats: boolean) {
    this.#run = run;
    this.#ms = Math.max(1, ms);
    this.#repeats = repeats;
    this.#begin();
  }

  #begin(): void {
    currentProcess()?.timer(this.#ms, () => {
      if (this.cancelled) return;
      if (this.#repeats) this.#begin();
      this.#run();
    });
  }

  unref(): this {
    return this;
  }

  ref(): this {
    return this;
  }
}

function clear(timer: unknown): void {
  if (timer instanceof Timer) timer.cancelled = true;
  else real.clearTimeout(timer as NodeJS.Timeout);
}

/** Without the weak references of Node's own, which are let go of when the garbage collector likes. */
function any(signals: readonly AbortSignal[]): AbortSignal {
  if (currentProcess() === undefined) return real.any([...signals]);
  const controller = new AbortController();
  const already = signals.find(({ aborted }) => aborted);
  if (already !== undefined) {
    controller.abort(already.reason);
    return controller.signal;
  }
  const listeners = signals.map((signal) => {
    const listener = () => {
      for (const [other, each] of listeners) other.removeEventListener('abort', each);
      controller.abort(signal.reason);
    };
    return [signal, listener] as const;
  });
  for (const [signal, listener] of listeners) signal.addEventListener('abort', listener, { once: true });
  return controller.signal;
}

function timeout(ms: number): AbortSignal {
  const owner = currentProcess();
  if (owner === undefined) return real.timeout(ms);
  const controller = new AbortController();
  owner.timer(ms, () =>
    controller.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError')),
  );
  return controller.signal;
}

function kill(pid: number, signal?: string | number): true {
  const owner = currentProcess();
  if (owner === undefined) return real.kill(pid, signal);
  if ([...owner.machine.processes].some((each) => each.pid === pid)) return true;
  throw Object.assign(new Error('ESRCH'), { code: 'ESRCH' });
}

/** For this thread, for good. Outside of simulated processes everything is as it was. */
export function installGlobals(): void {
  globalThis.Date = SimulatedDate as DateConstructor;
  const define = (target: object, name: string, value: unknown) =>
    Object.defineProperty(target, name, { value, configurable: true, writable: true });
  define(performance, 'now', () => currentProcess()?.machine.monotonic() ?? real.now());
  define(Math, 'random', () => currentProcess()?.machine.world.chance.next() ?? real.random());
  const timer =
    (repeats: boolean, otherwise: typeof setTimeout) =>
    (run: (...args: unknown[]) => void, ms = 1, ...args: unknown[]) =>
      currentProcess() === undefined
        ? otherwise(run, ms, ...args)
        : new Timer(() => run(...args), ms, repeats);
  define(globalThis, 'setTimeout', timer(false, real.setTimeout));
  define(globalThis, 'setInterval', timer(true, real.setInterval as unknown as typeof setTimeout));
  define(globalThis, 'clearTimeout', clear);
  define(globalThis, 'clearInterval', clear);
  define(AbortSignal, 'timeout', timeout);
  define(AbortSignal, 'any', any);
  define(process, 'kill', kill);
  Object.defineProperty(process, 'pid', { get: () => currentProcess()?.pid ?? real.pid, configurable: true });
}

/** A map that each simulated process has for itself. */
class LocalMap {
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  get #own(): Map<unknown, unknown> {
    const { locals } = here();
    const known = locals.get(this.#name) as Map<unknown, unknown> | undefined;
    if (known !== undefined) return known;
    const made = new Map();
    locals.set(this.#name, made);
    return made;
  }

  get(key: unknown): unknown {
    return this.#own.get(key);
  }

  set(key: unknown, value: unknown): this {
    this.#own.set(key, value);
    return this;
  }

  delete(key: unknown): boolean {
    return this.#own.delete(key);
  }
}

(globalThis as Record<symbol, unknown>)[Symbol.for('aq.simulation.local')] = (name: string) =>
  new LocalMap(name);
