/**
 * When a limit is lifted, read from the sentence in which an engine says that it has been hit. Pure but for the time
 * zone: engines tell local times, and run in ours.
 */
import { DAY, HOUR, MINUTE, SECOND } from '../../platform/clock.ts';

const UNITS: readonly (readonly [RegExp, number])[] = [
  [/^d/i, DAY],
  [/^h/i, HOUR],
  [/^ms|^milli/i, 1],
  [/^m/i, MINUTE],
  [/^s/i, SECOND],
];
const AMOUNT = String.raw`\d+(?:\.\d+)?\s*(?:days?|hours?|hrs?|minutes?|mins?|seconds?|secs?|ms|[dhms])`;
/** `try again in 3 days 4 hours`, `Please retry in 34.07s`, `Suggested retry after 7200s`, `reset after 1h2m3s`. */
const DURATION = new RegExp(
  String.raw`\b(?:again|retry|retrying|resets?|reset|available|wait)\b[^.\n]{0,20}?\b(?:in|after)\s+((?:${AMOUNT}[\s,]*(?:and\s+)?)+)`,
  'i',
);
/** `try again at 4:38 AM`, `try again at Nov 27th, 2026 4:38 AM`, `resets 3pm`. */
const CLOCK =
  /\b(?:again at|resets?(?: at)?)\s+(?:([A-Z][a-z]{2})[a-z]* (\d{1,2})(?:st|nd|rd|th)?,? (\d{4}),? (?:at )?)?(\d{1,2})(?::(\d{2}))?\s*([ap])\.?m\b/i;
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

/** Milliseconds from `now` (wall clock, ms) until the limit is lifted, where the text tells. */
export function limitLiftedIn(text: string, now: number): number | undefined {
  const duration = DURATION.exec(text)?.[1];
  if (duration !== undefined) return lengthOf(duration);
  const at = timeIn(text, now);
  return at === undefined ? undefined : at - now;
}

function lengthOf(duration: string): number {
  let total = 0;
  for (const [, amount = '', unit = ''] of duration.matchAll(/(\d+(?:\.\d+)?)\s*([a-z]+)/gi)) {
    total += Number(amount) * (UNITS.find(([name]) => name.test(unit))?.[1] ?? 0);
  }
  return total;
}

function timeIn(text: string, now: number): number | undefined {
  const [found, month, day, year, hours = '', minutes = '0', half = ''] = CLOCK.exec(text) ?? [];
  if (found === undefined) return undefined;
  const time = new Date(now);
  if (month !== undefined) {
    time.setFullYear(Number(year), MONTHS.indexOf(month.toLowerCase()), Number(day));
  }
  time.setHours((Number(hours) % 12) + (half.toLowerCase() === 'p' ? 12 : 0), Number(minutes), 0, 0);
  // A time without a date is the next one; told to the minute, it may be the one that is just running.
  if (month === undefined && time.getTime() < now - MINUTE) time.setDate(time.getDate() + 1);
  return Number.isNaN(time.getTime()) ? undefined : Math.max(time.getTime(), now);
}
