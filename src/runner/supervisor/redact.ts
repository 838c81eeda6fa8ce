/**
 * Takes secrets out of text that comes in pieces, however the pieces are cut. What is kept back is never more
 * than the longest secret: a token that has shown its shape is replaced at once, and the rest of it is swallowed.
 */
import { TOKEN_SHAPES } from './token-shapes.ts';

export const REDACTED = '[redacted]';
/** Shorter values (characters) are left alone: they would blot out ordinary words and protect nothing. */
export const SHORTEST_SECRET = 4;

export interface Redactor {
  /** Takes the next piece; returns what can be shown by now. Less may come out than went in: what could be the beginning of a secret is kept until it is decided. */
  push(piece: string): string;
  /** The text has ended: returns what was kept back. The redactor can then be used anew. */
  flush(): string;
}

/**
 * @param secrets values to take out wherever they stand, also as JSON strings and URLs spell them. Token shapes
 * (token-shapes.ts) are taken out always.
 */
export function createRedactor(secrets: readonly string[]): Redactor {
  const literals = spellings(secrets);
  const literal = new RegExp(literals.map(escape).join('|') || '(?!)', 'y');
  const shapes = new RegExp(SHAPES, 'y');
  const search = new RegExp(`${literal.source}|${SHAPES}`, 'g');
  /** Characters before `text` that decide whether a word runs into it. */
  let before = '';
  /** What is kept back. */
  let text = '';
  /** So many characters at the beginning of `text` belong to a secret that has been replaced already. */
  let covered = 0;
  /** When the secret that covers `text` may go on: what it goes on with. */
  let rest: RegExp | undefined;

  /** Covers `text` up to `end`, and on for as long as `continuation` matches. */
  const cover = (end: number, continuation: RegExp | undefined): void => {
    const reached = continuation === undefined ? end : runOf(continuation, text, end);
    if (reached < covered) return;
    covered = reached;
    rest = reached === text.length || isCut(text, reached) ? continuation : undefined;
  };

  const advance = (atEnd: boolean): string => {
    if (rest !== undefined) cover(covered, rest);
    let hold = atEnd ? text.length : firstUndecided(text, literals);
    let shown = '';
    const window = before + text;
    for (let from = 0; ; ) {
      search.lastIndex = before.length + from;
      const start = (search.exec(window)?.index ?? Infinity) - before.length;
      if (start >= hold) break;
      if (start >= covered) shown += text.slice(covered, start) + REDACTED;
      for (const kind of [literal, shapes]) {
        kind.lastIndex = before.length + start;
        const match = kind.exec(window);
        if (match !== null) cover(start + match[0].length, continuationOf(match));
      }
      // Secrets may overlap: the next is looked for from the next character, not behind this one.
      from = start + 1;
    }
    if (rest !== undefined && !atEnd) hold = Math.min(hold, covered);
    if (hold > covered) shown += text.slice(covered, hold);
    before = window.slice(0, before.length + hold).slice(-2);
    text = text.slice(hold);
    covered = Math.max(0, covered - hold);
    return shown;
  };

  return {
    push(piece) {
      text += piece;
      return advance(false);
    },
    flush() {
      const shown = advance(true);
      before = '';
      rest = undefined;
      return shown;
    },
  };
}

/** The secrets as they are and as JSON and URLs spell them; longest first, so that the longest wins where several begin. */
function spellings(secrets: readonly string[]): string[] {
  const all = secrets
    .filter((secret) => secret.length >= SHORTEST_SECRET)
    .flatMap((secret) => [
      secret,
      JSON.stringify(secret).slice(1, -1),
      encodeURIComponent(secret.toWellFormed()),
    ]);
  return [...new Set(all)].sort((a, b) => b.length - a.length);
}

const REST = new Map(TOKEN_SHAPES.map((shape) => [shape, new RegExp(`(?:${shape.rest})*`, 'y')]));
const PARTIAL_BODY = new Map(
  TOKEN_SHAPES.map((shape) => [shape, new RegExp(`^(?:${shape.body || '(?!)'})*$`)]),
);

/** All shapes in one pattern; each is a named group, so that a match tells which it was. */
const SHAPES = TOKEN_SHAPES.map(({ opening, body, least, wordStart }, index) => {
  // A letter before it may be the end of an escape: `\nsk-…` in JSON.
  const start = wordStart === true ? '(?:(?<![A-Za-z0-9])|(?<=\\\\[nrt]))' : '';
  return `(?<s${index}>${start}${escape(opening)}${least > 0 ? `${body}{${least}}` : ''})`;
}).join('|');

function continuationOf(match: RegExpExecArray): RegExp | undefined {
  const shape = TOKEN_SHAPES.find((_, index) => match.groups?.[`s${index}`] !== undefined);
  return shape && REST.get(shape);
}

/** Whether the text ends, at `at`, with the first half of an escape or of a dashed word, whose second half decides. */
function isCut(text: string, at: number): boolean {
  return at === text.length - 1 && (text[at] === '\\' || text[at] === '-');
}

/** Where the run of what `pattern` (sticky) matches ends, from `from` on. */
function runOf(pattern: RegExp, text: string, from: number): number {
  pattern.lastIndex = from;
  return from + (pattern.exec(text)?.[0].length ?? 0);
}

/** The first position from which a secret could begin that the text is too short to show; its length if none. */
function firstUndecided(text: string, literals: readonly string[]): number {
  let first = text.length;
  for (const literal of literals) {
    for (const at of candidates(text, literal, literal.length)) {
      if (at < first && literal.startsWith(text.slice(at))) first = at;
    }
  }
  for (const shape of TOKEN_SHAPES) {
    const { opening, least } = shape;
    for (const at of candidates(text, opening, opening.length + least)) {
      if (at >= first) break;
      const head = text.slice(at, at + opening.length);
      const body = text.slice(at + opening.length);
      const possible =
        body === '' ? opening.startsWith(head) : head === opening && PARTIAL_BODY.get(shape)?.test(body);
      if (possible === true) first = at;
    }
  }
  return first;
}

/** Positions in the last `length - 1` characters of the text where the first character of `secret` stands. */
function* candidates(text: string, secret: string, length: number): Generator<number> {
  const initial = secret.charAt(0);
  let at = text.indexOf(initial, Math.max(0, text.length - length + 1));
  for (; at !== -1; at = text.indexOf(initial, at + 1)) yield at;
}

function escape(literal: string): string {
  return literal.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
}
