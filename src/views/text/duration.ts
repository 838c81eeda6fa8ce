import { DAY, HOUR, MINUTE, SECOND } from '../../platform/clock.ts';
import type { Translate } from './translate.ts';

const two = (n: number): string => String(n).padStart(2, '0');

/** How long something has been running, as a stopwatch shows it: `0:05`, `12:34`, `1:02:03`. A clock that was set back counts as 0. */
export function stopwatch(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / SECOND));
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

/** How long ago something was, roughly: `now`, `5 min`, `3 h`, `2 d`. A clock that was set back counts as now. */
export function age(ms: number, t: Translate): string {
  if (ms < MINUTE) return t('now');
  if (ms < HOUR) return t('{0} min', Math.floor(ms / MINUTE));
  if (ms < DAY) return t('{0} h', Math.floor(ms / HOUR));
  return t('{0} d', Math.floor(ms / DAY));
}
