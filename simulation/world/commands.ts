/**
 * Engines and other commands of jobs: each runs under a supervisor of its own, whoever started it, until it ends, is
 * stopped, or the machine loses its power. What an engine does to the files of its worktree, it does bit by bit.
 */
import type { RunEnd, RunOrder, StopRequest } from '../../src/runner/supervisor/contract.ts';
import type { Machine } from './machine.ts';

export interface CommandRun {
  readonly dir: string;
  readonly mark: string;
  readonly startedAt: number;
  end: RunEnd | undefined;
  isLost: boolean;
  readonly listeners: Set<() => void>;
  /** Ends it if that is due; else looks again when it is. */
  look: () => void;
  /** When it is to end by itself, in time of the world. */
  endsAt: number;
}

/** How the commands of a run behave; drawn by the seed. */
export interface Manners {
  /** Shortest and longest run of an engine, ms. */
  readonly engineMs: readonly [number, number];
  readonly verifyMs: readonly [number, number];
  /** How often an engine fails, changes nothing, or a `verify` does not pass. */
  readonly fails: number;
  readonly changesNothing: number;
  readonly verifyFails: number;
}

export class Commands {
  readonly #machine: Machine;
  readonly #runs = new Map<string, CommandRun>();
  manners: Manners = {
    engineMs: [60_000, 600_000],
    verifyMs: [1000, 60_000],
    fails: 0,
    changesNothing: 0,
    verifyFails: 0,
  };
  /** How many engines have run: changes are numbered by it. */
  #engines = 0;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  find(dir: string): CommandRun | undefined {
    return this.#runs.get(dir);
  }

  start(
    { dir, mark, cwd, timeoutMs }: Pick<RunOrder, 'dir' | 'mark' | 'cwd' | 'timeoutMs'>,
    isEngine: boolean,
  ): CommandRun {
    const { world } = this.#machine;
    const { chance } = world;
    const [shortest, longest] = isEngine ? this.manners.engineMs : this.manners.verifyMs;
    const takes = Math.min(chance.magnitude(shortest, longest), timeoutMs ?? Infinity);
    const run: CommandRun = {
      dir,
      mark,
      startedAt: this.#machine.wall(),
      end: undefined,
      isLost: false,
      listeners: new Set(),
      look: () => undefined,
      endsAt: world.now + takes,
    };
    this.#runs.set(dir, run);
    world.trace.add(this.#machine.name, `command ${dir.split('/').slice(-4).join('/')} starts`);
    if (isEngine) this.#works(run, cwd, takes);
    this.#endsWhenDue(run, isEngine);
    return run;
  }

  stop(dir: string, reason: StopRequest['reason']): void {
    const run = this.#runs.get(dir);
    if (run === undefined || run.end !== undefined || run.isLost) return;
    const { world } = this.#machine;
    world.later(world.chance.between(10, 9000), () =>
      this.#ends(run, { endedBy: 'stop', exitCode: 130, stopReason: reason, final: false }),
    );
  }

  /** While it sleeps nothing goes on. Less than nothing: it has been woken so much sooner. */
  slept(ms: number): void {
    for (const run of this.#runs.values()) {
      if (run.end !== undefined || run.isLost) continue;
      run.endsAt += ms;
      if (ms < 0) run.look();
    }
  }

  /** The power has gone, and everything with it. */
  lost(): void {
    for (const run of this.#runs.values()) {
      if (run.end !== undefined || run.isLost) continue;
      run.isLost = true;
      this.#tell(run);
    }
  }

  get running(): number {
    return [...this.#runs.values()].filter((run) => run.end === undefined && !run.isLost).length;
  }

  #works(run: CommandRun, cwd: string, takes: number): void {
    const { world, repository } = this.#machine;
    if (world.chance.happens(this.manners.changesNothing)) return;
    this.#engines += 1;
    const change = `${this.#machine.name}.${this.#engines}`;
    const shared = world.chance.happens(0.1);
    const work = (part: number) => {
      if (run.end !== undefined || run.isLost) return;
      repository.edit(cwd, `file-${change}`, `${change}.${part}`);
      if (shared) repository.edit(cwd, 'shared', `${change}.${part}`);
    };
    const parts = world.chance.between(1, 3);
    for (let part = 1; part <= parts; part += 1) world.later((takes * part) / (parts + 1), () => work(part));
  }

  #endsWhenDue(run: CommandRun, isEngine: boolean): void {
    const { world } = this.#machine;
    run.look = () => {
      if (run.end !== undefined || run.isLost) return;
      if (run.endsAt > world.now) {
        world.later(run.endsAt - world.now, run.look);
        return;
      }
      const failed = world.chance.happens(isEngine ? this.manners.fails : this.manners.verifyFails);
      this.#ends(run, { endedBy: 'itself', exitCode: failed ? 1 : 0, final: isEngine && !failed });
    };
    run.look();
  }

  #ends(
    run: CommandRun,
    how: { endedBy: RunEnd['endedBy']; exitCode: number; final: boolean; stopReason?: StopRequest['reason'] },
  ): void {
    if (run.end !== undefined || run.isLost) return;
    const endedAt = this.#machine.wall();
    run.end = {
      version: 1,
      endedBy: how.endedBy,
      exitCode: how.exitCode,
      signal: null,
      ...(how.stopReason !== undefined && { stopReason: how.stopReason }),
      startedAt: run.startedAt,
      endedAt,
      durationMs: Math.max(0, endedAt - run.startedAt),
      logBytes: 0,
      digest: { final: how.final, failed: false, ...(how.final && { text: 'Done.' }) },
      survivors: 0,
    };
    this.#machine.world.trace.add(
      this.#machine.name,
      `command ${run.dir.split('/').slice(-4).join('/')} ends (${how.endedBy}, ${how.exitCode})`,
    );
    this.#tell(run);
  }

  #tell(run: CommandRun): void {
    for (const listener of [...run.listeners]) listener();
  }
}
