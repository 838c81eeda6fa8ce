/** Wall clocks that can be set while a process runs, by libfaketime where that is installed (Debian: `faketime`). */
import { existsSync } from 'node:fs';

/** Where distributions put it. */
const LIBRARY = [
  ...['x86_64', 'aarch64'].map((cpu) => `/usr/lib/${cpu}-linux-gnu/faketime/libfaketimeMT.so.1`),
  ...['/usr/lib64', '/usr/lib'].map((dir) => `${dir}/faketime/libfaketimeMT.so.1`),
].find((file) => existsSync(file));

export const canFakeClocks = LIBRARY !== undefined;

/** @param file says how far ahead the clock is, `+90`; it may change at any time, and is looked at each second */
export function fakedClock(file: string): NodeJS.ProcessEnv {
  if (LIBRARY === undefined) return {};
  return {
    LD_PRELOAD: LIBRARY,
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_CACHE_DURATION: '1',
    // A clock that is set does not move the monotonic one.
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    FAKETIME_DISABLE_SHM: '1',
    NO_FAKE_STAT: '1',
  };
}
