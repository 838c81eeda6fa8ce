/** What was used today, of what may be, and what that holds, in words. */
import type { Today } from '../../runner/board.ts';
import { dollars, isPart, tokens, tokensArePart, tokensOf, type Usage } from '../../runner/job/usage.ts';
import { leastIf, UNKNOWN } from './amount.ts';
import type { Translate } from './translate.ts';

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
