/**
 * What coordinators tell each other when jobs become ready: who tells, and the numbers of the shelves, one for each
 * job. Sent with the transaction itself (NOTIFY), so that nobody hears of what is not committed. A hint, that may be
 * lost: whoever waits looks by himself now and then.
 */
import type { Ready } from '../store.ts';
import type { Shelves } from './shelves.ts';

/** PostgreSQL takes no more than 8000 bytes; a shelf's number has ten digits at most. */
const SHELVES_IN_ONE = 600;

export function noticesOf(name: string, ready: readonly Ready[], shelves: Shelves): string[] {
  const numbers = ready.flatMap((each) => shelves.numberOf(each) ?? []);
  const notices: string[] = [];
  for (let at = 0; at < numbers.length; at += SHELVES_IN_ONE)
    notices.push(`${name} ${numbers.slice(at, at + SHELVES_IN_ONE).join(' ')}`);
  return notices;
}

/** The numbers of the shelves; none of one's own notices: those were told at once. */
export function readNotice(payload: string, name: string): number[] {
  const [from, ...numbers] = payload.split(' ');
  return from === name ? [] : numbers.map(Number);
}
