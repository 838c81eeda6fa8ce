/** How a result came into quarantine, in plain words. Pure. */
import { MINUTE } from '../../platform/clock.ts';
import { printable } from '../../platform/printable.ts';
import type { Stale } from '../job/state.ts';

const DAY_MINUTES = 24 * 60;

/**
 * “This laptop slept for 2 h 10 min; the lease ran out at 14:05; mac-studio took the job at 14:06.” Undefined when
 * nothing of that is known.
 * @param now what times are said relative to: of another day with their date
 */
export function whyText(stale: Stale | undefined, now: number): string | undefined {
  const { sleptMs, lapsedAt, currentEpoch } = stale ?? {};
  const parts = [
    sleptMs === undefined ? undefined : `this laptop slept for ${longText(sleptMs)}`,
    lapsedAt === undefined ? undefined : `the lease ran out at ${clockText(lapsedAt, now)}`,
    holderText(stale, now) ??
      (currentEpoch === undefined ? undefined : `the job is now under epoch ${currentEpoch}`),
  ].filter((part) => part !== undefined);
  const text = parts.join('; ');
  if (text === '') return undefined;
  // A factory's name is written as it is.
  const isName = parts.length === 1 && stale?.holder !== undefined;
  return isName ? `${text}.` : `${text[0]?.toUpperCase()}${text.slice(1)}.`;
}

function holderText(stale: Stale | undefined, now: number): string | undefined {
  const { holder, takenAt, stage } = stale ?? {};
  if (holder === undefined) {
    if (stage === undefined) return undefined;
    return stage === 'shipped' ? 'somebody else has shipped the job' : `nobody has the job now (${stage})`;
  }
  const who = printable(holder);
  const at = takenAt === undefined ? '' : ` at ${clockText(takenAt, now)}`;
  return `${who} took the job${at}${stage === 'shipped' ? ' and has shipped it' : ''}`;
}

/** `2 h 10 min`, `3 d 4 h`, `less than a minute`. */
export function longText(ms: number): string {
  const minutes = Math.round(ms / MINUTE);
  if (minutes < 1) return 'less than a minute';
  const parts: readonly (readonly [number, string])[] = [
    [Math.floor(minutes / DAY_MINUTES), 'd'],
    [Math.floor((minutes % DAY_MINUTES) / 60), 'h'],
    [minutes % 60, 'min'],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(' ');
}

/** `14:05`; of another day `2026-10-02 14:05`. The laptop's own time zone. */
export function clockText(at: number, now: number): string {
  const time = new Date(at);
  const two = (n: number) => String(n).padStart(2, '0');
  const clock = `${two(time.getHours())}:${two(time.getMinutes())}`;
  if (time.toDateString() === new Date(now).toDateString()) return clock;
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())} ${clock}`;
}
