/** What a job's runs have used, in words. What is not known is not zero. */
import { MINUTE, SECOND } from '../../platform/clock.ts';
import type { JobRow } from '../../runner/board.ts';
import { SHELL_ENGINE } from '../../runner/engines/builtin.ts';
import { dollars, isPart, tokens, tokensOf, type Usage } from '../../runner/job/usage.ts';
import { leastIf, UNKNOWN } from './amount.ts';
import type { Translate } from './translate.ts';

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
