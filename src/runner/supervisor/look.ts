/** Waiting for something to appear in a run directory: watched, and looked at slowly beside it, because watchers miss things. */
import { type FSWatcher, watch } from 'node:fs';
import type { Clock } from '../../platform/clock.ts';

export interface LookOptions {
  /** Names in the directory whose change is worth a look. */
  readonly names: readonly string[];
  /** The slow look (ms). */
  readonly everyMs: number;
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Calls `look` at once, when one of the names in `dir` changes, and every `everyMs`, until it finds something.
 * The directory need not exist yet. Rejects with the signal's reason when it is aborted first, or as `look` does.
 */
export async function lookUntil<T>(
  dir: string,
  look: () => Promise<T | undefined>,
  options: LookOptions,
): Promise<T> {
  let watcher: FSWatcher | undefined;
  let changed = new AbortController();
  const unwatch = (): void => {
    watcher?.close();
    watcher = undefined;
  };
  try {
    for (;;) {
      options.signal?.throwIfAborted();
      // Before the look, so that no change falls between the two.
      watcher ??= openWatcher(dir, options.names, () => changed.abort(), unwatch);
      changed = new AbortController();
      const found = await look();
      if (found !== undefined) return found;
      await pause(options, changed.signal);
    }
  } finally {
    unwatch();
  }
}

/** Undefined where the system gives no watcher (no such directory yet, or its limit is reached): the slow look remains. */
function openWatcher(
  dir: string,
  names: readonly string[],
  onChange: () => void,
  onError: () => void,
): FSWatcher | undefined {
  try {
    const watcher = watch(dir, (_event, name) => {
      if (name === null || names.includes(name)) onChange();
    });
    return watcher.on('error', onError);
  } catch {
    return undefined;
  }
}

/** Until the next slow look, a change, or the end of waiting. */
async function pause({ clock, everyMs, signal }: LookOptions, changed: AbortSignal): Promise<void> {
  const either = signal === undefined ? changed : AbortSignal.any([changed, signal]);
  try {
    await clock.sleep(everyMs, either);
  } catch {
    signal?.throwIfAborted();
  }
}
