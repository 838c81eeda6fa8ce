/** What jobs have used, and what they may, in words. What is not known is not zero. */
import { MINUTE, SECOND } from '../../platform/clock.ts';
import type { JobRow, Today } from '../../runner/board.ts';
import { SHELL_ENGINE } from '../../runner/engines/builtin.ts';
import { dollars, isPart, tokens, tokensArePart, tokensOf, type Usage } from '../../runner/job/usage.ts';
import type { Translate } from './translate.ts';

const UNKNOWN = '—';

/** `40 s`, `12 min`, `1 h 5 min`. */
export function span(ms: number, t: Translate): string {
  const seconds = Math.round(ms / SECOND);
  if (seconds < 60) return t('{0} s', seconds);
  const minutes = Math.round(ms / MINUTE);
  return minutes < 60 ? t('{0} min', minutes) : t('{0} h {1} min', Math.floor(minutes / 60), minutes % 60);
}

/** For a row, where there is little room: `$0.42`, `≥ $0.42`; undefined where nothing has been paid that is known. */
export function costInBrief(usage: Usage | undefined): string | undefined {
  if (usage?.costUsd === undefined) return undefined;
  return `${isPart(usage, 'costUsd') ? '≥ ' : ''}${dollars(usage.costUsd)}`;
}

/** Engine time and cost, as far as they are known: `12 min, $0.42`. */
export function usageInBrief(usage: Usage | undefined, t: Translate): string | undefined {
  const time = usage?.durationMs === undefined ? undefined : span(usage.durationMs, t);
  const parts = [time, costInBrief(usage)].filter((part) => part !== undefined);
  return parts.length === 0 ? undefined : parts.join(', ');
}

/** Names and values for the tooltip of a job whose engine has run. */
export function usageFacts({ usage, engine }: JobRow, t: Translate): (readonly [string, string])[] {
  if (usage === undefined) return [];
  const time: (readonly [string, string])[] =
    usage.durationMs === undefined
      ? []
      : [[t('Engine time'), leastIf(isPart(usage, 'durationMs'), span(usage.durationMs, t), t)]];
  // A script asks no model.
  if (engine === SHELL_ENGINE) return time;
  const cost =
    usage.costUsd === undefined
      ? t('{0} (the engine does not tell, so no ceiling in dollars holds it)', UNKNOWN)
      : leastIf(isPart(usage, 'costUsd'), dollars(usage.costUsd), t);
  return [...time, [t('Cost'), cost], [t('Tokens'), tokensInFull(usage, t)]];
}

function tokensInFull(usage: Usage, t: Translate): string {
  const { inputTokens, outputTokens } = usage;
  if (tokensOf(usage) === undefined) return UNKNOWN;
  const count = (value: number | undefined) => (value === undefined ? UNKNOWN : tokens(value));
  const isLeast = isPart(usage, 'inputTokens') || isPart(usage, 'outputTokens');
  return leastIf(isLeast, t('{0} in, {1} out', count(inputTokens), count(outputTokens)), t);
}

/** `$4.20 of $5.00`, `at least 12.3k tokens`; undefined where nothing was used and no ceiling is set. */
export function todayText({ usage, ceilings }: Today, t: Translate): string | undefined {
  if (usage === undefined && Object.keys(ceilings).length === 0) return undefined;
  const dollarCeiling = ceilings.costUsd === undefined ? undefined : dollars(ceilings.costUsd);
  const count = ofCeiling(tokensToday(usage, t), ceilings.tokens && tokens(ceilings.tokens), t);
  const parts = [
    ofCeiling(costToday(usage, t), dollarCeiling, t),
    count === undefined ? undefined : t('{0} tokens', count),
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? UNKNOWN : parts.join(', ');
}

function costToday(usage: Usage | undefined, t: Translate): string | undefined {
  if (usage === undefined) return dollars(0);
  return usage.costUsd === undefined
    ? undefined
    : leastIf(isPart(usage, 'costUsd'), dollars(usage.costUsd), t);
}

function tokensToday(usage: Usage | undefined, t: Translate): string | undefined {
  const count = usage === undefined ? 0 : tokensOf(usage);
  if (count === undefined) return undefined;
  return leastIf(usage !== undefined && tokensArePart(usage), tokens(count), t);
}

/** With its ceiling, if there is one; undefined when there is neither. */
function ofCeiling(
  used: string | undefined,
  ceiling: string | 0 | undefined,
  t: Translate,
): string | undefined {
  return ceiling ? t('{0} of {1}', used ?? UNKNOWN, ceiling) : used;
}

/** Until when new work is held; undefined when it is not. */
export function heldUntil({ hold }: Pick<Today, 'hold'>, t: Translate): string | undefined {
  if (hold === undefined) return undefined;
  const at = new Date(hold.until);
  return at.getHours() === 0 && at.getMinutes() === 0
    ? t('midnight')
    : at.toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' });
}

/** Why nothing new is started, and until when, as a sentence; undefined when something may be. */
export function holdSentence(today: Today, t: Translate): string | undefined {
  const until = heldUntil(today, t);
  const { hold, usage = {}, ceilings } = today;
  if (hold === undefined || until === undefined) return undefined;
  const [used, ceiling] =
    hold.unit === 'usd'
      ? [costToday(usage, t), dollars(ceilings.costUsd ?? 0)]
      : [tokensToday(usage, t), t('{0} tokens', tokens(ceilings.tokens ?? 0))];
  return t(
    'Nothing new starts until {0}: today has used {1}, and the ceiling of a day is {2}. What runs goes on.',
    until,
    used ?? UNKNOWN,
    ceiling,
  );
}

function leastIf(isLeast: boolean, text: string, t: Translate): string {
  return isLeast ? t('at least {0}', text) : text;
}
