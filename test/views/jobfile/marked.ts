/** Texts with a `|` where the cursor stands. */
import type { Translate } from '../../../src/views/jobfile/translate.ts';

export function marked(text: string): { text: string; offset: number } {
  const offset = text.indexOf('|');
  return { text: text.slice(0, offset) + text.slice(offset + 1), offset };
}

/** Fills in the placeholders as the editor does; the language is shown by a mark. */
export const t: Translate = (message, ...args) =>
  `«${message.replace(/\{(\d)\}/g, (_, index: string) => args[Number(index)] ?? '')}»`;
