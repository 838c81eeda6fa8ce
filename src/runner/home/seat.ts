/** Who is the runner of a home: a kernel lock, so that a runner that dies makes room at once and one that sleeps does not. */

import { readFile, rm } from 'node:fs/promises';
import * as z from 'zod/mini';
import { writeDurable } from '../../platform/files.ts';
import { type Lock, tryLock } from '../../platform/lock.ts';
import { pidIsTaken } from '../../platform/processes/pid.ts';
import type { RunnerPlace } from '../board.ts';
import type { Layout } from './layout.ts';

const infoSchema = z.object({ pid: z.number(), what: z.string() });

export class Seat {
  readonly #layout: Layout;
  /** What this process is, for people: `a VS Code window`, `aq`. */
  readonly #what: string;
  #lock: Lock | undefined;

  constructor(layout: Layout, what: string) {
    this.#layout = layout;
    this.#what = what;
  }

  get taken(): boolean {
    return this.#lock !== undefined;
  }

  /** False: another process (or another part of this one) has it. */
  async take(): Promise<boolean> {
    if (this.#lock !== undefined) return false;
    this.#lock = tryLock(this.#layout.runnerLock);
    if (this.#lock === undefined) return false;
    const info = JSON.stringify({ pid: process.pid, what: this.#what });
    // It is for people only: a disk that is full keeps nobody from being the runner.
    await writeDurable(this.#layout.runnerInfo, info).catch(() => undefined);
    return true;
  }

  async leave(): Promise<void> {
    if (this.#lock === undefined) return;
    await rm(this.#layout.runnerInfo, { force: true }).catch(() => undefined);
    this.#lock.release();
    this.#lock = undefined;
  }

  /** Who has it, for people: from what the holder wrote, without touching the lock. */
  async place(): Promise<RunnerPlace> {
    if (this.#lock !== undefined) return { kind: 'here' };
    const text = await readFile(this.#layout.runnerInfo, 'utf8').catch(() => undefined);
    const info = text === undefined ? undefined : parse(text);
    return info !== undefined && pidIsTaken(info.pid) ? { kind: 'elsewhere', ...info } : { kind: 'stopped' };
  }
}

function parse(text: string): z.infer<typeof infoSchema> | undefined {
  try {
    return infoSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
