import { shorten } from './text.ts';

const LONGEST_QUOTE = 60;

/** `found …` with the offending text as people see it: on one line, at most 60 characters, without credentials of an address. */
export function found(text: string): string {
  const line = text
    .replace(/\/\/[^/\s]*@/g, '//…@')
    .replace(/[\s\p{Cc}\u202A-\u202E\u2066-\u2069]+/gu, ' ')
    .trim();
  return line === '' ? 'found nothing' : `found \`${shorten(line, LONGEST_QUOTE).replaceAll('`', "'")}\``;
}
