import assert from 'node:assert/strict';
import { type Clock, HOUR, MINUTE } from '../../../src/platform/clock.ts';
import { AwakeTimer } from '../../../src/runner/supervisor/awake.ts';

/** A clock whose sleeps are over at once, and some of which last longer than asked for: the machine slept too. */
class SleepyClock implements Clock {
  time = 0;
  readonly extra: number[] = [];
  now = (): number => this.time;
  monotonic = (): number => this.time;
  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    this.time += ms + (this.extra.shift() ?? 0);
  }
}

describe('AwakeTimer', () => {
  it('waits as long as told', async () => {
    const clock = new SleepyClock();
    await new AwakeTimer(clock, new AbortController().signal).wait(90_500);
    assert.equal(clock.time, 90_500);
  });

  it('does not count the time that the machine slept', async () => {
    const clock = new SleepyClock();
    clock.extra.push(0, 8 * HOUR, 0, 8 * HOUR);
    const timer = new AwakeTimer(clock, new AbortController().signal);
    await timer.wait(MINUTE);
    const awake = clock.time - 16 * HOUR;
    assert.ok(awake > MINUTE - 5_000 && awake <= MINUTE, `${awake} ms awake`);
    assert.equal(Math.round(timer.elapsed()), MINUTE);
  });

  it('waits for ever without a limit, until it is over', async () => {
    const over = new AbortController();
    const clock = new SleepyClock();
    const waiting = new AwakeTimer(clock, over.signal).wait(Infinity);
    over.abort(new Error('over'));
    await assert.rejects(waiting, /over/);
  });
});
