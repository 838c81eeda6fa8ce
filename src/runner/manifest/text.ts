/** Places in a text, as the Language Server Protocol counts them: lines and UTF-16 units, both from 0. */
export interface Position {
  readonly line: number;
  readonly character: number;
}

export interface Range {
  readonly start: Position;
  readonly end: Position;
}

/** Half-open: from `start` up to, not including, `end`. Offsets count UTF-16 units of the whole text. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

const BOM = 0xfeff;

/** Length of the byte order mark that some editors put in front: 1 or 0. Editors do not count it in positions. */
export function bomLength(text: string): number {
  return text.charCodeAt(0) === BOM ? 1 : 0;
}

/** Turns offsets of one text into positions. CRLF, LF and a lone CR end a line, as in the protocol. */
export class Lines {
  readonly #starts: number[];
  readonly #length: number;

  constructor(text: string) {
    this.#starts = [bomLength(text)];
    this.#length = text.length;
    for (const ending of text.matchAll(/\r\n|\n|\r/g)) this.#starts.push(ending.index + ending[0].length);
  }

  /** Offsets outside the text give its first or last position. */
  position(offset: number): Position {
    const wanted = Math.min(offset, this.#length);
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#starts[middle] ?? 0) <= wanted) low = middle;
      else high = middle - 1;
    }
    return { line: low, character: Math.max(0, wanted - (this.#starts[low] ?? 0)) };
  }

  range(span: Span): Range {
    return { start: this.position(span.start), end: this.position(span.end) };
  }
}

/** Where the line that holds `offset` ends, before its line ending. */
export function endOfLine(text: string, offset: number): number {
  for (let at = offset; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit === 10 || unit === 13) return at;
  }
  return text.length;
}

/** Where the line that holds `offset` starts. */
export function startOfLine(text: string, offset: number): number {
  for (let at = offset; at > 0; at -= 1) {
    const unit = text.charCodeAt(at - 1);
    if (unit === 10 || unit === 13) return at;
  }
  return bomLength(text);
}

/** At most `most` UTF-16 units, cut with an ellipsis and never through a surrogate pair. */
export function shorten(text: string, most: number): string {
  if (text.length <= most) return text;
  const cut = text.slice(0, most - 1);
  return `${cut.replace(/[\uD800-\uDBFF]$/, '').trimEnd()}…`;
}
