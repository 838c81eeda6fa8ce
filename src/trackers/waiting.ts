/**
 * The comments that wait, and which of them is sent next. Pure.
 *
 * One entry becomes one comment. While an entry has never been tried, further transitions of its job are added to it,
 * so that a night without a network ends in one comment that tells them all; once a comment of it may exist, its text
 * stands. The comments of one issue are sent in their order, each when the one before it is settled.
 */
import type { Step } from './words.ts';

export interface Entry {
  /** The job's. */
  readonly id: string;
  readonly run: number;
  /** Made for this entry and used for no other, in no home. */
  readonly mark: string;
  /** The address of the issue. */
  readonly issue: string;
  /** When it was put in; wall clock, ms. */
  readonly at: number;
  /** Before the first try of which a comment may have come; wall clock, ms. */
  readonly triedAt?: number | undefined;
  readonly steps: readonly Step[];
  /** Steps before these were left out. */
  readonly isCut?: boolean | undefined;
}

/** Most entries that are kept: the newest. */
const MOST_ENTRIES = 500;
/** Most steps that one comment tells: the newest. */
const MOST_STEPS = 30;

export function added(waiting: readonly Entry[], entry: Entry): readonly Entry[] {
  const at = waiting.findLastIndex(({ id, issue }) => id === entry.id && issue === entry.issue);
  const last = waiting[at];
  if (last === undefined || last.triedAt !== undefined) return [...waiting, entry].slice(-MOST_ENTRIES);
  const steps = [...last.steps, ...entry.steps];
  const isCut = last.isCut === true || steps.length > MOST_STEPS;
  return waiting.with(at, { ...last, steps: steps.slice(-MOST_STEPS), ...(isCut && { isCut }) });
}

/** Before an entry is sent: from here on a comment of it may exist. */
export function tried(waiting: readonly Entry[], mark: string, at: number): readonly Entry[] {
  return waiting.map((entry) => (entry.mark === mark ? { triedAt: at, ...entry } : entry));
}

/** It is certain that no comment of the entry came about: what was put in meanwhile can be added to it after all. */
export function untried(waiting: readonly Entry[], mark: string): readonly Entry[] {
  return waiting
    .map((entry) => (entry.mark === mark ? { ...entry, triedAt: undefined } : entry))
    .reduce<readonly Entry[]>(added, []);
}

export interface Conditions {
  readonly hostOf: (entry: Entry) => string;
  /** Until when (monotonic, ms) a host, or one issue, is left alone; by host or address. */
  readonly pausedUntil: ReadonlyMap<string, number>;
  /** How often entries were tried in vain, by mark. */
  readonly tries: ReadonlyMap<string, number>;
  /** Monotonic, ms. */
  readonly now: number;
}

export type Next =
  | { readonly do: 'send'; readonly entry: Entry }
  /** `ms` undefined: until there is something new. */
  | { readonly do: 'wait'; readonly ms: number | undefined };

/**
 * Of the issues whose turn it may be, the one that was tried least often: an issue that is never answered for must not
 * hold up the others of its host.
 */
export function nextSend(waiting: readonly Entry[], { hostOf, pausedUntil, tries, now }: Conditions): Next {
  const heads = new Map<string, Entry>();
  for (const entry of waiting) if (!heads.has(entry.issue)) heads.set(entry.issue, entry);
  let chosen: Entry | undefined;
  let ms: number | undefined;
  const triesOf = ({ mark }: Entry) => tries.get(mark) ?? 0;
  for (const entry of heads.values()) {
    const until = Math.max(pausedUntil.get(hostOf(entry)) ?? now, pausedUntil.get(entry.issue) ?? now);
    if (until > now) ms = Math.min(ms ?? Infinity, until - now);
    else if (chosen === undefined || triesOf(entry) < triesOf(chosen)) chosen = entry;
  }
  return chosen === undefined ? { do: 'wait', ms } : { do: 'send', entry: chosen };
}
