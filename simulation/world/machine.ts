/** A laptop: its clocks, its disk, its repository, what runs on it, and whether it is on. */
import { Commands } from './commands.ts';
import { Disk } from './disk.ts';
import { Process } from './process.ts';
import { Repository } from './repository.ts';
import type { World } from './world.ts';

/** The wall clock when a run begins: 2026-03-01T00:00:00Z. */
const EPOCH = 1_772_323_200_000;

export class Machine {
  readonly world: World;
  readonly name: string;
  readonly disk: Disk;
  readonly commands: Commands;
  readonly repository: Repository;
  readonly processes = new Set<Process>();
  /** Locks that the kernel holds, by file. */
  readonly locks = new Map<string, Process>();
  isOn = true;
  asleepUntil = 0;
  /** When it woke last, and how long it had slept. */
  wokeAt = 0;
  sleptMs = 0;
  /** When its clocks stood still or jumped last. */
  disturbedAt = 0;
  /** How far the wall clock is ahead, ms. */
  #ahead: number;
  /** How much of the time the monotonic clock has not counted, ms. */
  #lost = 0;
  #clockStops = false;
  #fellAsleepAt = 0;
  readonly #atWake: (() => void)[] = [];
  #pids = 100;

  constructor(world: World, name: string, remote: Repository | undefined, ahead: number) {
    this.world = world;
    this.name = name;
    this.disk = new Disk(world);
    this.repository = new Repository(world, name, remote);
    this.commands = new Commands(this);
    this.#ahead = ahead;
  }

  get isAwake(): boolean {
    return this.isOn && this.world.now >= this.asleepUntil;
  }

  wall(): number {
    return EPOCH + this.world.now + this.#ahead;
  }

  monotonic(): number {
    return this.world.now - this.#lost;
  }

  /** Somebody, or NTP, sets the wall clock. */
  setClock(byMs: number): void {
    this.#ahead += byMs;
    this.disturbedAt = this.world.now;
  }

  sleep(ms: number, clockStops: boolean): void {
    if (!this.isAwake) return;
    this.world.trace.add(
      this.name,
      `sleeps for ${Math.round(ms / 1000)} s, monotonic clock ${clockStops ? 'stops' : 'goes on'}`,
    );
    this.asleepUntil = this.world.now + ms;
    this.#fellAsleepAt = this.world.now;
    this.#clockStops = clockStops;
    if (clockStops) this.#lost += ms;
    this.commands.slept(ms);
    const until = this.asleepUntil;
    this.world.later(ms, () => {
      if (this.asleepUntil === until) this.#woken();
    });
  }

  /** What is due meanwhile is heard then, in the order in which it was due. */
  atWake(what: () => void): void {
    this.#atWake.push(what);
  }

  #woken(): void {
    this.wokeAt = this.world.now;
    this.disturbedAt = this.world.now;
    this.sleptMs = this.world.now - this.#fellAsleepAt;
    for (const what of this.#atWake.splice(0)) what();
  }

  /** Somebody opens the lid sooner. */
  wake(): void {
    const early = this.asleepUntil - this.world.now;
    if (early <= 0) return;
    this.asleepUntil = this.world.now;
    if (this.#clockStops) this.#lost -= early;
    this.commands.slept(-early);
    this.#woken();
  }

  start(name: string, main: () => Promise<void>): Process {
    this.#pids += 1;
    const process = new Process(this, name, this.#pids);
    this.processes.add(process);
    this.world.later(
      0,
      () => {
        main().then(
          () => process.end('has ended'),
          (error: unknown) => process.failed(error),
        );
      },
      process,
    );
    return process;
  }

  /** Without a warning: what was not synced is lost or torn, and so is what ran. */
  powerCut(): void {
    this.world.trace.add(this.name, 'power cut');
    this.isOn = false;
    for (const process of [...this.processes]) process.end('lost its power');
    this.commands.lost();
    this.disk.powerCut();
  }

  powerOn(): void {
    this.isOn = true;
    this.asleepUntil = 0;
    this.#woken();
    this.world.trace.add(this.name, 'boots');
  }
}
