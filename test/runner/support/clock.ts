import { type Clock, systemClock } from '../../../src/platform/clock.ts';

export interface SteeredClock extends Clock {
  /** Moves the wall clock; the monotonic one goes on as if nothing had happened. */
  jump(ms: number): void;
  /** Every sleep that was asked for, ms. */
  readonly sleeps: readonly number[];
}

/** The machine's clock, of which the wall time can jump and sleeps can be made shorter. */
export function steeredClock(sleepFor: (ms: number) => number = (ms) => ms): SteeredClock {
  let ahead = 0;
  const sleeps: number[] = [];
  return {
    now: () => systemClock.now() + ahead,
    monotonic: () => systemClock.monotonic(),
    sleep: (ms, signal) => {
      sleeps.push(ms);
      return systemClock.sleep(sleepFor(ms), signal);
    },
    jump: (ms) => {
      ahead += ms;
    },
    sleeps,
  };
}
