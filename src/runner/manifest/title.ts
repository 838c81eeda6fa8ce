/** A job's title when it names none: the first heading of the prompt, else its first line (runner.md). */
import { shorten } from './text.ts';

export const LONGEST_TITLE = 120;
/** No more of a line is looked at: a prompt may be a megabyte without a line break. */
const LOOKED_AT = 1000;

/**
 * The title of a prompt. `#` lines in code fences are no headings; a line of code is taken only when there is no
 * other text. Without any text: the file's name without its ending, else `Untitled job`.
 */
export function titleOf(body: string, fileName = ''): string {
  const name = fileName.replace(/(?:\.job)?\.md$/i, '');
  return titleIn(body) ?? (cleanTitle(name) || 'Untitled job');
}

/** How a line begins that can be a heading, underline one, or open or close a code fence. */
const SPECIAL = /^ {0,3}[#=`~-]/;
const FENCE = /^ {0,3}(`{3,}|~{3,})/;
const HEADING = /^ {0,3}#{1,6}[ \t]+(.*)$/;
const UNDERLINE = /^ {0,3}(?:=+|-+)[ \t\r]*$/;
/** What an underline does not make a heading: nothing, code, or an element of a list or quotation. */
const NO_PARAGRAPH = /^(?:\s*$| {4}|\t| {0,3}(?:[-*+>#]|\d+[.)])(?:\s|$))/;

function titleIn(body: string): string | undefined {
  let fence: string | undefined;
  let above = '';
  let text: string | undefined;
  let code: string | undefined;
  for (let start = 0; start < body.length; ) {
    const newline = body.indexOf('\n', start);
    const end = newline === -1 ? body.length : newline;
    const line = body.slice(start, Math.min(end, start + LOOKED_AT));
    start = end + 1;
    const special = SPECIAL.test(line);
    const marker = special ? FENCE.exec(line)?.[1] : undefined;
    if (fence !== undefined) {
      if (marker?.startsWith(fence) === true && line.trim() === marker) fence = undefined;
      else code ??= wordsOf(line);
    } else if (marker !== undefined) {
      fence = marker;
      above = '';
    } else {
      const heading = special ? headingOf(line, above) : undefined;
      if (heading !== undefined) return heading;
      text ??= wordsOf(line);
      above = line;
    }
  }
  return text ?? code;
}

function headingOf(line: string, above: string): string | undefined {
  const words = HEADING.exec(line.trimEnd())?.[1]?.replace(/(?:^|[ \t]+)#+$/, '');
  if (words !== undefined) return wordsOf(words);
  return UNDERLINE.test(line) && !NO_PARAGRAPH.test(above) ? wordsOf(above) : undefined;
}

function wordsOf(line: string): string | undefined {
  return cleanTitle(withoutMarks(line)) || undefined;
}

/** One line, without characters that cannot be seen or that reorder text, at most 120 UTF-16 units. */
export function cleanTitle(text: string): string {
  // Most titles are plain ASCII; ten thousand of them have to be listed in a tenth of a second.
  if (/^[!-~](?: ?[!-~])*$/.test(text) && text.length <= LONGEST_TITLE) return text;
  const line = text
    .slice(0, LOOKED_AT)
    .replace(/[\s\p{Zl}\p{Zp}]+/gu, ' ')
    .replace(/[\p{Cc}\u202A-\u202E\u2066-\u2069\uFEFF]/gu, '')
    .trim();
  return shorten(line, LONGEST_TITLE);
}

/** The words of a line of Markdown: no list marks, links, emphasis, code marks, tags or escapes. */
function withoutMarks(line: string): string {
  if (!/[!-/:-@[-`{-~\d]/.test(line)) return line;
  return line
    .replace(/^\s*(?:(?:>|[-*+]|\d{1,9}[.)])(?:\s+|$))+(?:\[[ xX]\]\s+)?/, '')
    .replace(/^\s*(?:[-*_=]\s*){3,}$/, '')
    .replace(/<!--[\s\S]*?(?:-->|$)/g, '')
    .replace(/!?\[([^\][]*)\](?:\([^()\s]*(?:\s[^()]*)?\)|\[[^\][]*\])/g, '$1')
    .replace(/<(?:https?:[^<>\s]*|\/?[A-Za-z][^<>]*)>/g, (tag) =>
      /^<https?:/.test(tag) ? tag.slice(1, -1) : '',
    )
    .replace(/(`+)(.*?)\1/g, '$2')
    .replace(/(?<!\\)(\*{1,3}|~~)(?=\S)(.*?[^\s\\])\1/g, '$2')
    .replace(/(?<![\w\\])(_{1,3})(?=\S)(.*?[^\s\\])\1(?!\w)/g, '$2')
    .replace(/\\([!-/:-@[-`{-~])/g, '$1');
}
