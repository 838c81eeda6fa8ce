/** What happened, as a timeline that people can read: one line each, with its time and whose it is. */
import { createHash } from 'node:crypto';
import type { Process } from './process.ts';
import type { World } from './world.ts';

export interface TraceLine {
  readonly at: number;
  /** The machine, and the process on it. */
  readonly who: string;
  readonly text: string;
}

export class Trace {
  readonly isOn: boolean;
  readonly lines: TraceLine[] = [];
  readonly #world: World;

  constructor(world: World, isOn: boolean) {
    this.#world = world;
    this.isOn = isOn;
  }

  /** @param text a function where making it costs something */
  add(who: Process | string | undefined, text: string | (() => string)): void {
    if (!this.isOn) return;
    const name = typeof who === 'string' ? who : (who?.title ?? 'world');
    this.lines.push({ at: this.#world.now, who: name, text: typeof text === 'string' ? text : text() });
  }

  /** The same for two runs only if every line is. */
  digest(): string {
    const hash = createHash('sha256');
    for (const { at, who, text } of this.lines) hash.update(`${at} ${who} ${text}\n`);
    return hash.digest('hex').slice(0, 16);
  }

  /** A timeline with a column for each machine would be wider than any screen: the machine stands in front instead. */
  text(): string {
    const width = Math.max(0, ...this.lines.map(({ who }) => who.length));
    return this.lines.map(({ at, who, text }) => `${timeOf(at)}  ${who.padEnd(width)}  ${text}`).join('\n');
  }
}

/** `1d 02:03:04.567` */
export function timeOf(ms: number): string {
  const days = Math.floor(ms / 86_400_000);
  const clock = new Date(ms % 86_400_000).toISOString().slice(11, 23);
  return days === 0 ? clock : `${days}d ${clock}`;
}
