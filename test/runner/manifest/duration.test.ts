import assert from 'node:assert/strict';
import { DAY, HOUR, MINUTE, SECOND } from '../../../src/platform/clock.ts';
import { formatDuration, parseDuration } from '../../../src/runner/manifest/duration.ts';

describe('parseDuration', () => {
  for (const [text, value] of [
    ['90s', 90 * SECOND],
    ['30m', 30 * MINUTE],
    ['4h', 4 * HOUR],
    ['1d', DAY],
    ['30d', 30 * DAY],
    ['1s', SECOND],
  ] as const) {
    it(`reads ${text}`, () => assert.deepEqual(parseDuration(text), { value }));
  }
  for (const text of [
    '0',
    '0s',
    '-1h',
    'abc',
    '',
    '1',
    '1.5h',
    '1h30m',
    ' 1h',
    '31d',
    '999999999d',
    '1e3s',
    '１h',
    '4H',
  ]) {
    it(`refuses ${JSON.stringify(text)} and says what is expected`, () => {
      const reading = parseDuration(text);
      assert.ok('expected' in reading);
      assert.match(reading.expected, /a duration .*such as 90s, 30m, 4h or 1d/);
    });
  }
});

describe('formatDuration', () => {
  for (const [ms, text] of [
    [0, '0s'],
    [-5, '0s'],
    [999, '0s'],
    [59_999, '59s'],
    [60_000, '1m'],
    [725_000, '12m 5s'],
    [4 * HOUR, '4h'],
    [4 * HOUR + 5 * SECOND, '4h'],
    [26 * HOUR + 30 * MINUTE, '1d 2h'],
  ] as const) {
    it(`writes ${ms} ms as ${text}`, () => assert.equal(formatDuration(ms), text));
  }
});
