/**
 * What engines' runs have used, as far as the engines tell. What nobody has told is absent, never zero; a sum with
 * such a part in it is a lower bound, and says so. Pure.
 */
import type { EngineDescriptor, EventDigest } from '../engines/descriptor.ts';
import type { RunEnd } from '../supervisor/contract.ts';

const TOLD = ['costUsd', 'inputTokens', 'outputTokens'] as const;
export const MEASURES = ['durationMs', ...TOLD] as const;

export type Measure = (typeof MEASURES)[number];

export interface Usage {
  /** Engine time: awake time from a run's start to its end, ms. */
  readonly durationMs?: number | undefined;
  /** US dollars, by the engine's own account. */
  readonly costUsd?: number | undefined;
  /** As the engine counts them, those that went through a cache among them where it tells. */
  readonly inputTokens?: number | undefined;
  readonly outputTokens?: number | undefined;
  /** Of these measures only a part is known: it is at least so much. */
  readonly atLeast?: readonly Measure[] | undefined;
}

/** What a session has used in all, by an engine that counts so. */
export interface SessionTotals {
  readonly session: string;
  readonly costUsd?: number | undefined;
  readonly inputTokens?: number | undefined;
  readonly outputTokens?: number | undefined;
}

/** A job's: the sum over its runs. */
export interface JobUsage extends Usage {
  /** The last run that is counted in it. */
  readonly run?: number | undefined;
  readonly totals?: SessionTotals | undefined;
}

/** Nothing is known of it, as of a run that was cut off. */
export const UNKNOWN: Usage = {};

/** Both together. `undefined` is nothing at all; a measure that one of two does not tell makes the sum a lower bound. */
export function sum(one: Usage | undefined, other: Usage): Usage {
  if (one === undefined) return other;
  const atLeast: Measure[] = [];
  const known: { [key in Measure]?: number } = {};
  for (const measure of MEASURES) {
    const parts = [one, other].map((each) => each[measure]).filter((part) => part !== undefined);
    if (parts.length === 0) continue;
    known[measure] = parts.reduce((total, part) => total + part, 0);
    if (parts.length < 2 || isPart(one, measure) || isPart(other, measure)) atLeast.push(measure);
  }
  return { ...known, ...(atLeast.length > 0 && { atLeast }) };
}

/** Whether only a part of it is known. */
export function isPart(usage: Usage, measure: Measure): boolean {
  return usage.atLeast?.includes(measure) === true;
}

/** Input and output together; undefined when neither is known. */
export function tokensOf({ inputTokens, outputTokens }: Usage): number | undefined {
  return inputTokens === undefined && outputTokens === undefined
    ? undefined
    : (inputTokens ?? 0) + (outputTokens ?? 0);
}

/**
 * What one run has used. Before its final event an engine has told a part at most. `before`: where the engine tells
 * the totals of its session, those that an earlier run of it told.
 */
export function usageOfRun(end: RunEnd, descriptor: EngineDescriptor, before?: SessionTotals): Usage {
  const told = toldBy(end.digest);
  const isResumed =
    before !== undefined && descriptor.events?.usage === 'session' && before.session === end.digest.sessionId;
  const known = isResumed ? difference(told, before) : told;
  const atLeast = end.digest.final ? [] : TOLD.filter((measure) => known[measure] !== undefined);
  return { durationMs: end.durationMs, ...known, ...(atLeast.length > 0 && { atLeast }) };
}

/**
 * A job's usage with one run more; once only, however often a crash makes its end be looked at. `end` undefined:
 * nobody knows how it ended.
 */
export function withRun(
  usage: JobUsage | undefined,
  run: number,
  end: RunEnd | undefined,
  descriptor: EngineDescriptor,
): JobUsage | undefined {
  if (usage?.run === run || end?.endedBy === 'spawn-error') return usage;
  const ofRun = end === undefined ? UNKNOWN : usageOfRun(end, descriptor, usage?.totals);
  const totals = (end && totalsOf(end, descriptor)) ?? usage?.totals;
  return { ...sum(usage, ofRun), run, ...(totals !== undefined && { totals }) };
}

function totalsOf({ digest }: RunEnd, { events }: EngineDescriptor): SessionTotals | undefined {
  if (events?.usage !== 'session' || digest.sessionId === undefined) return undefined;
  const told = toldBy(digest);
  return Object.keys(told).length === 0 ? undefined : { session: digest.sessionId, ...told };
}

type Told = { [key in (typeof TOLD)[number]]?: number };

/** A negative amount is no amount. */
function toldBy(digest: EventDigest): Told {
  const known: Told = {};
  for (const measure of TOLD) {
    const value = digest[measure];
    if (value !== undefined && value >= 0) known[measure] = value;
  }
  return known;
}

function difference(told: Told, before: SessionTotals): Told {
  const known: Told = {};
  for (const measure of TOLD) {
    const value = told[measure];
    const earlier = before[measure] ?? 0;
    // Less than before: it has begun to count anew.
    if (value !== undefined) known[measure] = value < earlier ? value : value - earlier;
  }
  return known;
}

/** `$4.20`; of next to nothing `<$0.01`. */
export function dollars(amount: number): string {
  return amount > 0 && amount < 0.005 ? '<$0.01' : `$${amount.toFixed(2)}`;
}

/** `950`, `12.3k`, `4M`. */
export function tokens(count: number): string {
  if (count < 1000) return String(count);
  const [scaled, letter] = count < 999_950 ? [count / 1000, 'k'] : [count / 1e6, 'M'];
  return `${scaled.toFixed(1).replace(/\.0$/, '')}${letter}`;
}

/** `$4.20`, `at least $4.20`; undefined where no cost is known. */
export function costText(usage: Usage): string | undefined {
  return usage.costUsd === undefined
    ? undefined
    : `${isPart(usage, 'costUsd') ? 'at least ' : ''}${dollars(usage.costUsd)}`;
}

/** `12.3k`, `at least 12.3k`; undefined where none are known. */
export function tokensText(usage: Usage): string | undefined {
  const count = tokensOf(usage);
  if (count === undefined) return undefined;
  return `${tokensArePart(usage) ? 'at least ' : ''}${tokens(count)}`;
}

/** Whether only a part of the tokens is known. */
export function tokensArePart(usage: Usage): boolean {
  const { inputTokens, outputTokens } = usage;
  const isOneSided = (inputTokens === undefined) !== (outputTokens === undefined);
  return isOneSided || isPart(usage, 'inputTokens') || isPart(usage, 'outputTokens');
}
