/** The network between machines and one service: messages are lost, late, doubled, overtaken, or cut off in one direction. */
import type { Machine } from './machine.ts';
import type { World } from './world.ts';

export interface Weather {
  /** Shortest and longest time that a message takes, ms. */
  readonly latencyMs: readonly [number, number];
  /** Of all requests, and of all answers. */
  readonly loss: number;
  readonly answerLoss: number;
  readonly double: number;
  /** Of all messages, so many take up to `lateMs`. */
  readonly late: number;
  readonly lateMs: number;
}

export const CALM: Weather = { latencyMs: [1, 80], loss: 0, answerLoss: 0, double: 0, late: 0, lateMs: 1 };

export interface Cut {
  readonly machine: Machine | undefined;
  readonly direction: 'out' | 'in' | 'both';
  readonly until: number;
  /** Refused at once, rather than silence. */
  readonly isLoud: boolean;
}

export class Network {
  readonly #world: World;
  weather: Weather = CALM;
  cuts: Cut[] = [];

  constructor(world: World) {
    this.#world = world;
  }

  cut(cut: Cut): void {
    this.#world.trace.add(
      cut.machine?.name ?? 'network',
      `cut off (${cut.direction}) for ${Math.round((cut.until - this.#world.now) / 1000)} s`,
    );
    this.cuts.push(cut);
  }

  /** The cut that a message of this machine meets in that direction. */
  meets(machine: Machine, direction: 'out' | 'in'): Cut | undefined {
    if (this.cuts.length === 0) return undefined;
    this.cuts = this.cuts.filter(({ until }) => until > this.#world.now);
    return this.cuts.find(
      (cut) =>
        (cut.machine === undefined || cut.machine === machine) &&
        (cut.direction === 'both' || cut.direction === direction),
    );
  }

  /** How long a message takes, ms. */
  latency(): number {
    const { chance } = this.#world;
    const { latencyMs, late, lateMs } = this.weather;
    return chance.happens(late) ? chance.magnitude(latencyMs[1], lateMs) : chance.between(...latencyMs);
  }

  isLost(machine: Machine, direction: 'out' | 'in'): boolean {
    const { loss, answerLoss } = this.weather;
    return (
      this.meets(machine, direction) !== undefined ||
      this.#world.chance.happens(direction === 'out' ? loss : answerLoss)
    );
  }

  isDoubled(): boolean {
    return this.#world.chance.happens(this.weather.double);
  }
}
