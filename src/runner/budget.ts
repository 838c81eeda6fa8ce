/**
 * Ceilings on what jobs may use: they hold new work and never end what runs. A **job** that has used up its ceiling
 * gets no further run by itself; a **day** whose ceiling is used up starts nothing new before it is over. A person's
 * word goes beyond either. Days are those of the calendar on this machine's clock, in its time zone: one that a change
 * of the clocks makes 23 or 25 hours long is a day. Pure.
 */
import { move } from './job/moves.ts';
import type { JobState } from './job/state.ts';
import { costText, dollars, tokens, tokensOf, tokensText, type Usage } from './job/usage.ts';

/** Each a number above zero; absent: no ceiling. US dollars, or tokens read and written together. */
export interface Budget {
  readonly perJobUsd?: number | undefined;
  readonly perJobTokens?: number | undefined;
  readonly perDayUsd?: number | undefined;
  readonly perDayTokens?: number | undefined;
}

/** What the runs that ended on one day have used. */
export interface DaySpend {
  /** `2026-11-26`. */
  readonly day: string;
  /** Undefined: no run has ended. */
  readonly usage: Usage | undefined;
  /** A person has said that more may be run on this day. */
  readonly isLifted: boolean;
}

/** Nothing new is started. */
export interface Hold {
  /** Wall clock, ms: when it ends by itself. */
  readonly until: number;
  /** Whose ceiling has been reached. */
  readonly unit: Unit;
  /** For people, the end of a sentence: `until midnight: today’s runs have cost $5.12, and the ceiling of a day is $5.00`. */
  readonly text: string;
}

type Unit = 'usd' | 'tokens';

/** The day of the calendar, in this machine's time zone. */
export function dayOf(at: number): string {
  const date = new Date(at);
  const two = (n: number) => String(n).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** When the next day begins: at midnight, or where a change of the clocks leaves that out, at the first moment after it. */
export function endOfDay(at: number): number {
  const date = new Date(at);
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() + 1).getTime();
}

/** Undefined: new work may start. */
export function holdOf(spend: DaySpend, budget: Budget, now: number): Hold | undefined {
  if (spend.isLifted || spend.day !== dayOf(now)) return undefined;
  const over = usedUp(spend.usage, { usd: budget.perDayUsd, tokens: budget.perDayTokens });
  if (over === undefined) return undefined;
  const until = endOfDay(now);
  const text = `until ${timeText(until)}: today’s runs have ${over.used}, and the ceiling of a day is ${over.ceiling}`;
  return { until, unit: over.unit, text };
}

function timeText(at: number): string {
  const time = new Date(at).toTimeString().slice(0, 5);
  return time === '00:00' ? 'midnight' : time;
}

/**
 * What becomes of a job that would run again by itself: blocked where it has used up its ceiling, else as it was to
 * be. One that a person has just sent on its way (no attempt since) is not held.
 */
export function withinCeiling(next: JobState, budget: Budget, now: number): JobState {
  const isFurtherRun = next.stage === 'queued' || next.stage === 'assigned';
  if (!isFurtherRun || (next.attempt === 0 && next.interruptions === 0)) return next;
  const over = usedUp(next.usage, { usd: budget.perJobUsd, tokens: budget.perJobTokens });
  if (over === undefined) return next;
  const { notBefore: _due, urgent: _urgent, ...rest } = next;
  const setting = `\`agentQueue.budget.${over.unit === 'usd' ? 'perJobUsd' : 'perJobTokens'}\``;
  // A claimed job is not this laptop's to mend: it goes back to the coordinator.
  const isOwn = next.claim === undefined;
  return move(rest, isOwn ? 'blocked' : 'failed', now, {
    code: 'budget',
    text: `${next.reason === undefined ? '' : `${next.reason.text} `}${overText(over)} It is not run again by itself, and its work is kept.`,
    action: isOwn
      ? `Retry the job to run it once more all the same, or raise ${setting} before you do.`
      : `Raise ${setting} to let such a job run here to its end; its coordinator gives it out again.`,
  });
}

/** That a job has used up its ceiling, as a sentence; undefined when it has not. */
export function jobOverText(usage: Usage | undefined, budget: Budget): string | undefined {
  const over = usedUp(usage, { usd: budget.perJobUsd, tokens: budget.perJobTokens });
  return over && overText(over);
}

function overText({ used, ceiling }: Over): string {
  return `Its runs have ${used}, and the ceiling of a job is ${ceiling}.`;
}

interface Over {
  readonly unit: Unit;
  /** E.g. `cost at least $5.12`. */
  readonly used: string;
  readonly ceiling: string;
}

/** What is not known holds nothing; a lower bound does as soon as it reaches the ceiling. */
function usedUp(
  usage: Usage | undefined,
  ceilings: { readonly usd: number | undefined; readonly tokens: number | undefined },
): Over | undefined {
  if (usage === undefined) return undefined;
  const { costUsd } = usage;
  if (ceilings.usd !== undefined && costUsd !== undefined && costUsd >= ceilings.usd) {
    return { unit: 'usd', used: `cost ${costText(usage)}`, ceiling: dollars(ceilings.usd) };
  }
  const count = tokensOf(usage);
  if (ceilings.tokens !== undefined && count !== undefined && count >= ceilings.tokens) {
    return {
      unit: 'tokens',
      used: `used ${tokensText(usage)} tokens`,
      ceiling: `${tokens(ceilings.tokens)} tokens`,
    };
  }
  return undefined;
}
