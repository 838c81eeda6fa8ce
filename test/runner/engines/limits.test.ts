import assert from 'node:assert/strict';
import { DAY, HOUR, MINUTE, SECOND } from '../../../src/platform/clock.ts';
import { limitLiftedIn } from '../../../src/runner/engines/limits.ts';

describe('limitLiftedIn', () => {
  const now = new Date(2026, 10, 26, 22, 37, 30).getTime();

  it('reads how long it takes', () => {
    const texts: readonly (readonly [string, number])[] = [
      ['or try again in 3 days 4 hours 22 minutes.', 3 * DAY + 4 * HOUR + 22 * MINUTE],
      ['Rate limit reached. Please retry in 34.07s.', 34_070],
      ['Suggested retry after 7200s.]', 2 * HOUR],
      ['Your quota will reset after 1h2m3s.', HOUR + 2 * MINUTE + 3 * SECOND],
      ['Please try again in 5 minutes, or upgrade', 5 * MINUTE],
      ['Please try again in 850ms.', 850],
    ];
    for (const [text, expected] of texts) assert.equal(limitLiftedIn(text, now), expected, text);
  });

  it('reads at what time, which is the next such time', () => {
    const from = (date: Date) => date.getTime() - now;
    const texts: readonly (readonly [string, Date])[] = [
      ['more credits or try again at 4:38 AM.', new Date(2026, 10, 27, 4, 38)],
      ['more credits or try again at 11:05 PM.', new Date(2026, 10, 26, 23, 5)],
      ['or try again at Nov 30th, 2026 9:15 PM.', new Date(2026, 10, 30, 21, 15)],
      ['You’ve hit your session limit · resets 12am (UTC)', new Date(2026, 10, 27, 0, 0)],
    ];
    for (const [text, expected] of texts) assert.equal(limitLiftedIn(text, now), from(expected), text);
    assert.equal(limitLiftedIn('try again at 10:37 PM', now), 0, 'told to the minute, and just over');
  });

  it('reads nothing where nothing is told', () => {
    for (const text of [
      'exceeded retry limit, last status: 429 Too Many Requests',
      'Please wait and try again later.',
      'Failed to get response; retried 5 times (total retry wait time: 56.89 seconds)',
      'It ran in 3 minutes and failed.',
    ]) {
      assert.equal(limitLiftedIn(text, now), undefined, text);
    }
  });
});
