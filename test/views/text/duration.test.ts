import assert from 'node:assert/strict';
import { DAY, HOUR, MINUTE, SECOND } from '../../../src/platform/clock.ts';
import { age, stopwatch } from '../../../src/views/text/duration.ts';
import { t } from '../english.ts';

describe('durations', () => {
  it('count up as a stopwatch does', () => {
    const shown = [0, 5 * SECOND, 12 * MINUTE + 34 * SECOND, HOUR + 2 * MINUTE + 3 * SECOND, 100 * HOUR].map(
      stopwatch,
    );
    assert.deepEqual(shown, ['0:00', '0:05', '12:34', '1:02:03', '100:00:00']);
  });

  it('are rough in the past', () => {
    const shown = [59 * SECOND, MINUTE, 59 * MINUTE, HOUR, 25 * HOUR, 40 * DAY].map((ms) => age(ms, t));
    assert.deepEqual(shown, ['now', '1 min', '59 min', '1 h', '1 d', '40 d']);
  });
});
