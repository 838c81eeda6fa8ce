/** `src/platform/lock.ts`: locks that the kernel of a simulated machine holds for a process, and lets go of when it ends. */
import type { AcquireOptions, Lock } from '../../src/platform/lock.ts';
import { here } from '../world/world.ts';

export function tryLock(file: string): Lock | undefined {
  const process = here();
  const { locks } = process.machine;
  if (!process.isAlive || locks.has(file)) return undefined;
  locks.set(file, process);
  let isHeld = true;
  const release = () => {
    if (isHeld && locks.get(file) === process) locks.delete(file);
    isHeld = false;
  };
  return { file, release, [Symbol.dispose]: release, [Symbol.asyncDispose]: async () => release() };
}

export async function acquireLock(file: string, { clock, signal }: AcquireOptions): Promise<Lock> {
  for (;;) {
    signal?.throwIfAborted();
    const lock = tryLock(file);
    if (lock !== undefined) return lock;
    await clock.sleep(100, signal);
  }
}
