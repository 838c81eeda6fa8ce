/**
 * Named locks of jobs: the `lock` of the front matter, and the folder of a job that works in place. Each is held
 * in this table, and by the kernel in a folder that all homes of this person share, because a lock's promise is
 * for the machine, not for one home.
 */
import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type Lock, tryLock } from '../platform/lock.ts';

export class LockTable {
  readonly #directory: string;
  readonly #held = new Map<string, { holder: string; lock: Lock }>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Lock name → id of the job that holds it here. */
  holders(): Map<string, string> {
    return new Map([...this.#held].map(([name, { holder }]) => [name, holder]));
  }

  /** Takes all of the names or none. Undefined: taken; else the first name that another job holds (here or in another home), and who. */
  take(
    names: readonly string[],
    holder: string,
  ): { readonly name: string; readonly holder: string } | undefined {
    const taken: string[] = [];
    for (const name of names) {
      const before = this.#held.get(name);
      if (before?.holder === holder) continue;
      const lock = before === undefined ? tryLock(this.#file(name)) : undefined;
      if (lock === undefined) {
        for (const back of taken) this.#release(back);
        return { name, holder: before?.holder ?? 'a job of another home' };
      }
      this.#held.set(name, { holder, lock });
      taken.push(name);
    }
    return undefined;
  }

  /** What one held is the other's from now on. */
  handOver(from: string, to: string): void {
    for (const [name, entry] of this.#held) {
      if (entry.holder === from) this.#held.set(name, { ...entry, holder: to });
    }
  }

  /** Lets go of all that a job holds. */
  releaseAll(holder: string): void {
    for (const [name, entry] of this.#held) if (entry.holder === holder) this.#release(name);
  }

  #release(name: string): void {
    this.#held.get(name)?.lock.release();
    this.#held.delete(name);
  }

  #file(name: string): string {
    return path.join(this.#directory, `${createHash('sha256').update(name).digest('hex').slice(0, 32)}.lock`);
  }
}

/** The folder for the locks of this machine's user. */
export function machineLockDirectory(): string {
  const directory = path.join(os.tmpdir(), `agent-queue-locks-${os.userInfo().username}`);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  return directory;
}

/** The lock name of a folder that a job works in without a worktree. */
export function folderLock(realPath: string): string {
  return `folder ${realPath}`;
}
