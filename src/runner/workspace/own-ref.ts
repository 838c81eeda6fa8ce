/**
 * Writing refs that only this runner writes: `refs/agent-queue/…` and the jobs' branches. A git that is killed (a power
 * cut) leaves the lock of the ref that it was writing, and every later git then refuses, for ever. No other program
 * writes these refs, and git has their locks for milliseconds: one that stays as it is for seconds is nobody's, and is
 * removed. Locks of anything else in the repository may be the person's, and are left alone.
 */
import { rm, stat } from 'node:fs/promises';
import { type Clock, SECOND, systemClock } from '../../platform/clock.ts';
import { GitError } from '../../platform/git/error.ts';

/** A lock that stays the same for so long (ms) was left behind. */
const LEFT_AFTER = 2 * SECOND;
/** Several locks may be in the way, one after the other. */
const ATTEMPTS = 3;

const IN_THE_WAY = /Unable to create '(.+\/refs\/(?:heads\/)?agent-queue\/.+\.lock)': File exists/;

/** Calls `write`, and again when the lock that was in its way is gone. @throws what `write` throws, for anything else. */
export async function writeOwnRef<T>(write: () => Promise<T>, clock: Clock = systemClock): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await write();
    } catch (error) {
      const lock = error instanceof GitError ? IN_THE_WAY.exec(error.stderr)?.[1] : undefined;
      if (lock === undefined || attempt === ATTEMPTS) throw error;
      const before = await identityOf(lock);
      await clock.sleep(LEFT_AFTER);
      if (before !== undefined && before === (await identityOf(lock))) await rm(lock, { force: true });
    }
  }
}

/** Differs for a lock that another git has made under the same name. */
function identityOf(file: string): Promise<string | undefined> {
  return stat(file).then(
    ({ ino, ctimeMs, size }) => `${ino} ${ctimeMs} ${size}`,
    () => undefined,
  );
}
