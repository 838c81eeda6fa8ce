/** What stands at a place in a front matter. Works line by line, because what is being written is rarely valid YAML. */
import { endOfLine, type Span, startOfLine } from '../../runner/manifest/text.ts';
import { frontMatterRegion } from './document.ts';

export type Cursor =
  | {
      readonly kind: 'key';
      readonly word: string;
      readonly span: Span;
      /** A colon stands behind the key already. */
      readonly hasColon: boolean;
    }
  | {
      readonly kind: 'value';
      readonly key: string;
      /** Of the value, or the element of a list, that the place is in or next to. May be empty. */
      readonly span: Span;
      /** Directly behind the colon: a blank is still needed. */
      readonly needsBlank: boolean;
    };

/** Undefined outside the front matter and in comments. `offset` counts UTF-16 units of the text. */
export function cursorAt(text: string, offset: number): Cursor | undefined {
  const region = frontMatterRegion(text);
  if (region === undefined || offset < region.start || offset >= region.end) return undefined;
  const start = startOfLine(text, offset);
  const line = text.slice(start, endOfLine(text, offset));
  const column = offset - start;
  const element = /^\s*-(?:\s+|$)/.exec(line);
  if (element !== null) {
    const owner = ownerOf(text, start, region.start);
    return owner && column >= element[0].length
      ? valueAt(line, start, element[0].length, column, owner)
      : undefined;
  }
  const [, word = '', colon] = /^([\w-]*)([ \t]*:)?/.exec(line) ?? [];
  const span = { start, end: start + word.length };
  if (column <= word.length) return { kind: 'key', word, span, hasColon: colon !== undefined };
  if (word === '' || colon === undefined) return undefined;
  const from = word.length + colon.length;
  return column >= from ? valueAt(line, start, from, column, word) : undefined;
}

/** The keys that stand at the start of a line. */
export function keysIn(text: string): Set<string> {
  const region = frontMatterRegion(text);
  if (region === undefined) return new Set();
  const lines = text.slice(region.start, region.end).matchAll(/^([\w-]+)[ \t]*:/gm);
  return new Set([...lines].map((match) => match[1] ?? ''));
}

/** The key that a `- element` line belongs to: the nearest one above, with only elements, comments and blank lines between. */
function ownerOf(text: string, lineStart: number, top: number): string | undefined {
  for (let start = lineStart; start > top; ) {
    start = startOfLine(text, start - 1);
    const line = text.slice(start, endOfLine(text, start));
    const key = /^([\w-]+)[ \t]*:\s*(?:#.*)?$/.exec(line)?.[1];
    if (key !== undefined) return key;
    if (!/^\s*(?:-\s.*|-|#.*)?$/.test(line)) return undefined;
  }
  return undefined;
}

function valueAt(
  line: string,
  lineStart: number,
  from: number,
  column: number,
  key: string,
): Cursor | undefined {
  const comment = /(?<=\s)#/.exec(line.slice(from));
  const end = comment === null ? line.length : from + comment.index;
  if (column > end || (comment !== null && column === end)) return undefined;
  const isList = /^\s*\[/.test(line.slice(from, end));
  const before = line.slice(from, column);
  const after = line.slice(column, end);
  const head = (isList ? /[^\s,[\]]*$/ : /\S.*$|$/).exec(before)?.[0] ?? '';
  const tail = (isList ? /^[^\s,[\]]*/ : /^.*\S|^/).exec(after)?.[0] ?? '';
  const span = { start: lineStart + column - head.length, end: lineStart + column + tail.length };
  const needsBlank = column === from && line[from - 1] === ':' && !/^\s/.test(after);
  return { kind: 'value', key, span, needsBlank };
}
