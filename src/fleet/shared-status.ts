/**
 * What the runner's process knows of the fleet, for the other windows and `aq` on the same home: a file that is
 * written when something has changed, and read by whoever shows it. Only to be shown: nothing is decided by it.
 */
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { type Clock, SECOND } from '../platform/clock.ts';
import { errnoOf } from '../platform/errors.ts';
import { readIfThere, writeDurable } from '../platform/files.ts';
import { type Stamp, stampOf } from './elapsed.ts';
import type { FleetStatus } from './status.ts';

const VERSION = 2;
/** Written at most so often, ms. */
const WRITE_EVERY = 1 * SECOND;

export class SharedStatus {
  readonly #file: string;
  readonly #clock: Clock;
  #writing: Promise<void> | undefined;
  #isStale = false;
  #over = new AbortController();

  /** @param home its cache holds the file */
  constructor(home: string, clock: Clock) {
    this.#file = path.join(home, 'cache', 'fleet.json');
    this.#clock = clock;
  }

  /** Something may have changed; what is told then is written soon. Never fails: others see an older one meanwhile. */
  changed(facts: () => FleetStatus): void {
    this.#isStale = true;
    this.#writing ??= this.#write(facts).finally(() => {
      this.#writing = undefined;
    });
  }

  /** This process is the runner no longer. */
  async end(): Promise<void> {
    this.#over.abort();
    await this.#writing;
    await rm(this.#file, { force: true });
    this.#over = new AbortController();
  }

  /** What the runner's process has told, as of now; undefined when there is none. */
  async read(): Promise<FleetStatus | undefined> {
    try {
      const told = JSON.parse((await readIfThere(this.#file)) ?? 'null') as Told | null;
      return told?.version === VERSION && runs(told.pid)
        ? asOfNow(told.facts, stampOf(this.#clock))
        : undefined;
    } catch {
      return undefined; // of another version, or cut off: the next one is on its way
    }
  }

  async #write(facts: () => FleetStatus): Promise<void> {
    const { signal } = this.#over;
    while (this.#isStale && !signal.aborted) {
      this.#isStale = false;
      const told: Told = { version: VERSION, pid: process.pid, facts: facts() };
      await writeDurable(this.#file, JSON.stringify(told)).catch(() => undefined);
      await this.#clock.sleep(WRITE_EVERY, signal).catch(() => undefined);
    }
  }
}

interface Told {
  readonly version: number;
  /** Whoever told it: of one that was killed the file is left, and says nothing any more. */
  readonly pid: number;
  readonly facts: FleetStatus;
}

function runs(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return errnoOf(error) === 'EPERM';
  }
}

/** Another process's monotonic clock means nothing here: only what the wall clock says has passed since. */
export function asOfNow(facts: FleetStatus, now: Stamp): FleetStatus {
  const passed = Math.max(0, now.wall - facts.now.wall);
  const moved = ({ wall, monotonic }: Stamp): Stamp => ({
    wall,
    monotonic: now.monotonic - passed - (facts.now.monotonic - monotonic),
  });
  return {
    ...facts,
    now,
    connection: {
      ...facts.connection,
      since: moved(facts.connection.since),
      ...(facts.connection.tried !== undefined && { tried: moved(facts.connection.tried) }),
    },
    ...(facts.lastHeartbeat !== undefined && { lastHeartbeat: moved(facts.lastHeartbeat) }),
    leases: facts.leases.map((lease) => ({ ...lease, leftMs: Math.max(0, lease.leftMs - passed) })),
  };
}
