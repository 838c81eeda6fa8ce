import { DAY, HOUR, MINUTE, SECOND } from '../../platform/clock.ts';
import type { Reading } from './reading.ts';

/** Longer than this is a slip of the pen. */
const LONGEST_DURATION = 30 * DAY;

const UNITS = [
  ['d', DAY],
  ['h', HOUR],
  ['m', MINUTE],
  ['s', SECOND],
] as const;

/** Reads `90s`, `30m`, `4h` or `1d` as milliseconds: more than nothing, at most 30 days. */
export function parseDuration(text: string): Reading<number> {
  const [, digits, letter] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  const unit = UNITS.find(([name]) => name === letter);
  if (digits === undefined || unit === undefined) {
    return { expected: 'a duration such as 90s, 30m, 4h or 1d' };
  }
  const ms = Number(digits) * unit[1];
  if (ms === 0) return { expected: 'a duration of at least 1s, such as 90s, 30m, 4h or 1d' };
  if (ms > LONGEST_DURATION) return { expected: 'a duration of at most 30d, such as 90s, 30m, 4h or 1d' };
  return { value: ms };
}

/** For people, the largest unit and the one below it: `1d 2h`, `4h`, `12m 5s`, `0s`. Less than that is dropped; negative counts as 0. */
export function formatDuration(ms: number): string {
  const largest = UNITS.findIndex(([, size]) => ms >= size);
  if (largest === -1) return '0s';
  let rest = ms;
  const parts: string[] = [];
  for (const [letter, size] of UNITS.slice(largest, largest + 2)) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count}${letter}`);
  }
  return parts.join(' ');
}
