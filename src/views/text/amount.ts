import type { Translate } from './translate.ts';

/** Stands for an amount that nobody has told. */
export const UNKNOWN = '—';

/** An amount, of which perhaps only a part is known. */
export function leastIf(isLeast: boolean, text: string, t: Translate): string {
  return isLeast ? t('at least {0}', text) : text;
}
