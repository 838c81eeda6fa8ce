/** A process on a machine. It ends at any moment; what was on its way to it never arrives. */
import { messageOf } from '../../src/platform/errors.ts';
import type { Machine } from './machine.ts';

/**
 * What never happens: the continuation of a process that is gone. One for each that waits: a promise keeps whoever waits
 * for it, and with them their world.
 */
const never = (): Promise<never> => new Promise(() => undefined);

/** How soon an effect comes about, and whether the process survives it. */
export interface Temper {
  /** Of all effects on the disk, so many take their time. */
  readonly slow: number;
  /** The longest that one takes, ms. */
  readonly slowMs: number;
  /** Of all effects, after so many the process is killed. */
  readonly crash: number;
}

/** So many effects of one process in one moment are a loop that waits for nothing: a start with all its jobs takes some hundreds. */
const AT_ONCE = 5000;

const CALM: Temper = { slow: 0, slowMs: 0, crash: 0 };

export class Process {
  readonly machine: Machine;
  readonly name: string;
  readonly pid: number;
  readonly startedAt: number;
  isAlive = true;
  /** Stopped by a signal, or starved, until then. */
  frozenUntil = 0;
  /** When it was let go on last. */
  wokeAt = 0;
  temper: Temper = CALM;
  /** Fleet mode is on in it. */
  isInFleet = false;
  /** Called once it has gone. */
  readonly onEnd = new Set<() => void>();
  /** What code keeps in variables of its modules, which in a real process are its own. */
  readonly locals = new Map<string, unknown>();
  #moment = 0;
  #effects = 0;

  constructor(machine: Machine, name: string, pid: number) {
    this.machine = machine;
    this.startedAt = machine.world.now;
    this.name = name;
    this.pid = pid;
  }

  get title(): string {
    return `${this.machine.name}/${this.name}`;
  }

  /** Undefined: now; else when something that is due at `at` is to be looked at again. */
  resumesAt(at: number, monotonic: number | undefined): number | undefined {
    const { machine } = this;
    if (at < this.frozenUntil) return this.frozenUntil;
    if (monotonic === undefined) return undefined;
    const early = monotonic - (machine.monotonic() + (at - machine.world.now));
    return early > 0 ? at + early : undefined;
  }

  /** By the monotonic clock. */
  timer(ms: number, run: () => void) {
    const { machine } = this;
    return machine.world.later(ms, run, this, machine.monotonic() + Math.max(0, ms));
  }

  /**
   * Anything that reaches beyond the memory of the process: a point at which it may be slow, or killed (before the
   * effect, after it, or, with `torn`, in the middle of it).
   */
  effect<T>(what: () => T, torn?: () => void): Promise<T> {
    if (!this.isAlive || this.#goesRound()) return never();
    const { world } = this.machine;
    const { chance } = world;
    if (!chance.happens(this.temper.slow)) return this.#take(what, torn);
    return new Promise((resolve, reject) => {
      world.later(
        chance.magnitude(1, this.temper.slowMs),
        () => {
          this.#take(what, torn).then(resolve, reject);
        },
        this,
      );
    });
  }

  /** Time would not go on any more: nothing of it would be seen but a run without an end. */
  #goesRound(): boolean {
    const { world } = this.machine;
    if (world.now !== this.#moment) this.#effects = 0;
    this.#moment = world.now;
    this.#effects += 1;
    if (this.#effects < AT_ONCE) return false;
    world.broken(
      'nothing is tried again without a pause',
      `${this.title} did ${AT_ONCE} things in one moment`,
    );
    this.end('is killed');
    return true;
  }

  #take<T>(what: () => T, torn: (() => void) | undefined): Promise<T> {
    const { chance } = this.machine.world;
    const dies = chance.happens(this.temper.crash);
    const when = dies ? chance.between(0, 2) : -1;
    if (when === 0) return this.#die();
    if (when === 1 && torn !== undefined) {
      torn();
      return this.#die();
    }
    try {
      const result = what();
      return dies ? this.#die() : Promise.resolve(result);
    } catch (error) {
      return dies ? this.#die() : Promise.reject(error);
    }
  }

  #die(): Promise<never> {
    this.end('is killed');
    return never();
  }

  freeze(ms: number): void {
    this.machine.world.trace.add(this, `is stopped for ${Math.round(ms / 1000)} s`);
    this.frozenUntil = Math.max(this.frozenUntil, this.machine.world.now + ms);
    this.wokeAt = this.frozenUntil;
  }

  /** It is no more. Its locks go with it. */
  end(why: string): void {
    if (!this.isAlive) return;
    this.isAlive = false;
    const { machine } = this;
    machine.world.trace.add(this, why);
    machine.processes.delete(this);
    for (const [file, holder] of machine.locks) if (holder === this) machine.locks.delete(file);
    // What others do about it is theirs, and comes afterwards.
    for (const listener of this.onEnd) machine.world.later(0, listener);
  }

  failed(error: unknown): void {
    if (!this.isAlive) return;
    const text = error instanceof Error ? (error.stack ?? error.message) : messageOf(error);
    this.machine.world.trace.add(this, `fails: ${text}`);
    this.end('has failed');
  }
}
