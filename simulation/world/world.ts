/**
 * Virtual time. One step takes the next thing that is due, hands it to the process whose it is, and lets everything
 * that follows from it run, until each promise waits for something that is still on the agenda. Nothing else makes
 * time pass. What happens, and when, follows from the seed alone.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { Agenda } from './agenda.ts';
import { Chance } from './chance.ts';
import type { Machine } from './machine.ts';
import { Network } from './network.ts';
import type { Process } from './process.ts';
import type { Service } from './service.ts';
import { Trace } from './trace.ts';

interface Due {
  at: number;
  seq: number;
  /** Undefined: the world itself. */
  readonly owner: Process | undefined;
  /** Only of timers: when they are due by the monotonic clock of their machine. */
  readonly monotonic: number | undefined;
  readonly run: () => void;
  cancelled: boolean;
}

export interface Cancel {
  cancelled: boolean;
}

/** A rule of the protocol, or a promise of ours, that was broken. */
export class Violation extends Error {
  override readonly name = 'Violation';
  readonly rule: string;

  constructor(rule: string, what: string) {
    super(`${rule}: ${what}`);
    this.rule = rule;
  }
}

/** Runs what is ready, and what gets ready by that. Node's own, called where it would be called next anyway: a thousand times as often. */
const runReady = (process as unknown as { _tickCallback: () => void })._tickCallback;

/** Whose code runs. Follows promises, timers and messages by itself. */
const running = new AsyncLocalStorage<Process>();

/** The process whose code runs now; undefined in the simulator itself. */
export function currentProcess(): Process | undefined {
  return running.getStore();
}

/** The same for code that only ever runs in a process. */
export function here(): Process {
  const process = running.getStore();
  if (process === undefined) throw new Error('This runs in no simulated process.');
  return process;
}

export class World {
  /** ms since the run began. */
  now = 0;
  readonly chance: Chance;
  readonly trace: Trace;
  readonly #agenda = new Agenda<Due>();
  #broken: Violation | undefined;
  steps = 0;
  readonly network: Network;
  /** Where requests go; undefined: nobody listens. */
  service: Service | undefined;
  /** Told of every command that is started for a job, with all that others on the machine could see of it. */
  onCommand: ((seen: string) => void) | undefined;
  /** Told of every ref that a process pushes, before it arrives. */
  onPush: ((from: Process, ref: string) => void) | undefined;
  /** How a call of git over the network fares. */
  gitTrip: ((machine: Machine) => { ms: number; isLost: boolean; isAnswerLost: boolean }) | undefined;

  constructor(seed: number, traced: boolean) {
    this.chance = new Chance(seed, 'run');
    this.trace = new Trace(this, traced);
    this.network = new Network(this);
  }

  /** @param monotonic of a timer */
  later(ms: number, run: () => void, owner?: Process, monotonic?: number): Cancel {
    const due: Due = { at: this.now + Math.max(0, ms), seq: 0, owner, monotonic, run, cancelled: false };
    this.#agenda.add(due);
    return due;
  }

  /** The run has failed; the first failure counts. */
  broken(rule: string, what: string): void {
    this.#broken ??= new Violation(rule, what);
    this.trace.add(undefined, `BROKEN ${rule}: ${what}`);
  }

  get violation(): Violation | undefined {
    return this.#broken;
  }

  /** Until `until`, or the first failure. `look` is called after every step. */
  run(until: number, look: () => void): void {
    while (this.#broken === undefined) {
      const first = this.#agenda.first;
      if (first === undefined || first.at > until) break;
      this.#agenda.take();
      this.now = first.at;
      if (first.cancelled || !this.#isDeliverable(first)) continue;
      this.steps += 1;
      this.enter(first.owner, first.run);
      look();
    }
    this.now = Math.max(this.now, until);
  }

  /** Runs code as that process, and all that follows from it at once. Only from outside of any process. */
  enter(owner: Process | undefined, run: () => void): void {
    if (owner === undefined) run();
    else running.run(owner, run);
    runReady();
  }

  /** What is due for a machine that sleeps, or a process that is stopped, waits until it goes on. */
  #isDeliverable(due: Due): boolean {
    const { owner } = due;
    if (owner === undefined) return true;
    if (!owner.isAlive) return false;
    if (!owner.machine.isAwake) {
      owner.machine.atWake(() => {
        due.at = this.now;
        this.#agenda.add(due);
      });
      return false;
    }
    const resumes = owner.resumesAt(due.at, due.monotonic);
    if (resumes === undefined) return true;
    due.at = resumes;
    this.#agenda.add(due);
    return false;
  }
}
