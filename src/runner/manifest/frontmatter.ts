import { bomLength, type Span } from './text.ts';

/**
 * A Markdown text, split. The front matter stands between a first line `---` and the next line `---`; both may
 * have blanks behind them. A `---` further down belongs to the body.
 */
export type FrontMatter =
  | { readonly kind: 'none'; readonly body: Span }
  /** It begins, and never ends: all that follows might be meant as front matter, so there is no body. */
  | { readonly kind: 'unclosed'; readonly opening: Span }
  | {
      readonly kind: 'closed';
      readonly opening: Span;
      /** The lines between, without the delimiters. */
      readonly yaml: Span;
      readonly closing: Span;
      readonly body: Span;
    };

const OPENING = /---[ \t]*(?:\r\n|\n|\r|$)/y;
const CLOSING = /^---[ \t]*(?:\r\n|\n|\r|$(?![\s\S]))/gm;

/** Finds the front matter. Exact offsets of `text`, byte order mark included; copies nothing. */
export function splitFrontMatter(text: string): FrontMatter {
  const top = bomLength(text);
  OPENING.lastIndex = top;
  const opening = OPENING.exec(text);
  if (opening === null) return { kind: 'none', body: { start: top, end: text.length } };
  const openingSpan = { start: top, end: top + 3 };
  const start = OPENING.lastIndex;
  CLOSING.lastIndex = start;
  const closing = start >= text.length ? null : CLOSING.exec(text);
  if (closing === null) return { kind: 'unclosed', opening: openingSpan };
  return {
    kind: 'closed',
    opening: openingSpan,
    yaml: { start, end: closing.index },
    closing: { start: closing.index, end: closing.index + 3 },
    body: { start: closing.index + closing[0].length, end: text.length },
  };
}
