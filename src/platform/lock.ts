/**
 * Locks between processes that the kernel holds: an open SQLite transaction on an otherwise empty file. The
 * kernel lets go of it when the process ends, however it ends, and keeps it while the process is merely
 * stopped: there are no stale locks, no heartbeats and no guessing whether a pid is still the same program.
 *
 * Nothing else may ever open a lock file, not even to read it: POSIX drops every lock a process holds on a file
 * as soon as that process closes *any* descriptor of it. For the same reason lock files are never deleted or
 * renamed over; an empty file stays behind for the next time.
 */
import { accessSync, constants, existsSync, mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Clock } from './clock.ts';

export interface Lock {
  readonly file: string;
  /** Lets go. Doing so twice is harmless. */
  release(): void;
  [Symbol.dispose](): void;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface AcquireOptions {
  readonly clock: Pick<Clock, 'sleep'>;
  readonly signal?: AbortSignal;
  /** First and longest pause (ms) between two tries while another process holds the lock. Default 10 and 100. */
  readonly pollMs?: { readonly first: number; readonly longest: number };
}

const SQLITE_BUSY = 5;

/**
 * Takes the lock if nobody has it, in this process or another; undefined if somebody does. Makes the file and its
 * directory. Takes about half a millisecond.
 * @throws the system's error when the file cannot be made, or holds something that is not a lock.
 */
export function tryLock(file: string): Lock | undefined {
  // Loaded here because most programs that import this module never take a lock.
  const { DatabaseSync } = process.getBuiltinModule('node:sqlite');
  let database: InstanceType<typeof DatabaseSync> | undefined;
  try {
    mkdirSync(dirname(file), { recursive: true });
    database = new DatabaseSync(file, { timeout: 0 });
    // Without a journal on disk, which a full disk would refuse.
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (error) {
    database?.close();
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return undefined;
    mustBeWritable(file);
    throw error;
  }
  return createLock(file, () => database.close());
}

/** Throws the system's error (EROFS, EACCES) where SQLite and a recursive mkdir only say that something failed. */
function mustBeWritable(file: string): void {
  let place = file;
  while (!existsSync(place) && dirname(place) !== place) place = dirname(place);
  accessSync(place, constants.W_OK);
}

/**
 * Waits for the lock. Within this process first come, first served, without polling; against other processes by
 * trying again, at growing intervals.
 * @throws the signal's reason when it is aborted first, and what {@link tryLock} throws.
 */
export async function acquireLock(file: string, options: AcquireOptions): Promise<Lock> {
  const leave = await standInLine(resolve(file), options.signal);
  try {
    const { first, longest } = options.pollMs ?? { first: 10, longest: 100 };
    for (let pause = first; ; pause = Math.min(pause * 1.5, longest)) {
      options.signal?.throwIfAborted();
      const lock = tryLock(file);
      if (lock !== undefined) {
        return createLock(file, () => {
          lock.release();
          leave();
        });
      }
      await options.clock.sleep(pause, options.signal);
    }
  } catch (error) {
    leave();
    throw error;
  }
}

/** The end of the line of waiters for each file in this process. */
const lines = new Map<string, Promise<void>>();

/** Resolves, when everybody who came earlier has left, to the function by which one leaves. */
async function standInLine(key: string, signal: AbortSignal | undefined): Promise<() => void> {
  const before = lines.get(key);
  const left = Promise.withResolvers<void>();
  const end = Promise.all([before, left.promise]).then(() => undefined);
  lines.set(key, end);
  const leave = () => {
    left.resolve();
    if (lines.get(key) === end) lines.delete(key);
  };
  try {
    await (signal === undefined ? before : unlessAborted(before, signal));
  } catch (error) {
    left.resolve(); // those who came later still wait for those who came earlier
    throw error;
  }
  return leave;
}

async function unlessAborted(promise: Promise<void> | undefined, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal.reason as Error);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function createLock(file: string, letGo: () => void): Lock {
  let held = true;
  const release = () => {
    if (!held) return;
    held = false;
    letGo();
  };
  return {
    file,
    release,
    [Symbol.dispose]: release,
    [Symbol.asyncDispose]: async () => release(),
  };
}
