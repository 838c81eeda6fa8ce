/** YAML's grammar errors in the words of someone who writes a job: the library names productions, not slips. */
import type { YAMLError } from 'yaml';
import type { DiagnosticCode } from './diagnostic.ts';
import { found } from './quote.ts';
import { endOfLine, type Span, startOfLine } from './text.ts';

export interface YamlProblem {
  readonly code: DiagnosticCode;
  readonly message: string;
  readonly key?: string;
  readonly span: Span;
}

interface Line {
  /** Without the blanks around the content. */
  readonly span: Span;
  readonly content: string;
  /** Where the line has the form `key: value`. */
  readonly key?: string;
  readonly value: string;
}

const MOST = 10;
/** A list, a map or a quotation that begins behind a key and is still open at the end of the line. */
const LEFT_OPEN = /^(?:\[[^\]]*|\{[^}]*|"(?:[^"\\]|\\.)*|'[^']*)$/;

/** A problem in the line that holds `offset`; the message begins with the line's key. */
export function problemAt(code: DiagnosticCode, message: string, text: string, offset: number): YamlProblem {
  return problemOf(code, message, lineAt(text, offset));
}

/** The first error of each line: what follows on the same line is its consequence. */
export function syntaxProblems(text: string, errors: readonly YAMLError[]): YamlProblem[] {
  const byLine = new Map<number, YamlProblem>();
  // A thousand brackets left open give as many errors.
  for (const error of errors.slice(0, 100)) {
    const line = lineAtFault(text, error);
    if (byLine.has(line.span.start)) continue;
    byLine.set(line.span.start, problemOf('yaml-syntax', slip(error, line), line));
    if (byLine.size === MOST) break;
  }
  return [...byLine.values()];
}

/** Something left open is noticed only where the next key, or nothing more, follows: then the line that opened it is meant. */
function lineAtFault(text: string, error: YAMLError): Line {
  const line = lineAt(text, error.pos[0]);
  if (error.code !== 'MISSING_CHAR' && error.code !== 'BAD_INDENT') return line;
  let opening = line;
  while (!LEFT_OPEN.test(opening.value)) {
    const start = text.lastIndexOf('\n', opening.span.start - 1);
    if (start <= 0) return line;
    opening = lineAt(text, start);
  }
  return opening;
}

/** The line of an offset; where that is blank, the nearest one above that is not. */
function lineAt(text: string, offset: number): Line {
  const upTo = text.slice(0, endOfLine(text, Math.min(offset, text.length))).trimEnd().length;
  const start = startOfLine(text, upTo);
  const line = text.slice(start, upTo);
  const content = line.trimStart();
  const span = { start: upTo - content.length, end: upTo };
  const [, key, value] = /^(?:- )?([\w-]+)\s*:(?:\s+(.*))?$/.exec(content) ?? [];
  return { span, content, value: value ?? '', ...(key === undefined ? {} : { key }) };
}

function problemOf(code: DiagnosticCode, message: string, { key, span }: Line): YamlProblem {
  return key === undefined ? { code, message, span } : { code, key, message: `${key}: ${message}`, span };
}

/** What was probably done wrong. */
function slip(error: YAMLError, { content, value }: Line): string {
  if (error.code === 'TAB_AS_INDENT') return 'expected spaces at the start of the line, found a tab';
  if (error.code === 'BAD_DQ_ESCAPE') {
    return 'expected only known escapes in "…"; write a text with backslashes in single quotes';
  }
  if (error.code === 'BAD_SCALAR_START') {
    return `expected a value in quotes, because it begins with \`${value.slice(0, 1)}\``;
  }
  if (error.code === 'TAG_RESOLVE_FAILED') {
    return 'expected the value itself, found a YAML tag (a value that begins with `!` needs quotes)';
  }
  if (error.code === 'BLOCK_AS_IMPLICIT_KEY') {
    return /:(?:\s|$)/.test(value)
      ? 'expected a value in quotes, because it contains a colon and a blank'
      : 'expected one `key: value` a line, found an indented line below it';
  }
  if (LEFT_OPEN.test(value)) {
    const closing = { '[': ']', '{': '}' }[value.slice(0, 1)] ?? value.slice(0, 1);
    return `expected a closing ${closing} at the end of the value`;
  }
  if (/^["']/.test(value)) return `expected nothing behind the closing quote, ${found(value)}`;
  if (value.startsWith('- '))
    return 'expected a list as [one, two], or each of its elements on a line of its own below';
  return keyExpected(content);
}

/** For a line that ought to be `key: value`. */
export function keyExpected(content: string): string {
  if (/^[\w-]+:\S/.test(content)) return `expected a blank after the colon, ${found(content)}`;
  return `expected one \`key: value\` a line, ${found(content)}`;
}
