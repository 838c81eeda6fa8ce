/** Front matter as YAML: a flat list of entries with exact offsets, or what is wrong with it. */
import { isAlias, isMap, isNode, isScalar, type Node, parseDocument, visit } from 'yaml';
import { found } from './quote.ts';
import { endOfLine, type Span } from './text.ts';
import { keyExpected, problemAt, syntaxProblems, type YamlProblem } from './yaml-errors.ts';

/** No job needs more (UTF-16 units). Bounds what a hostile file can cost: some 0.3 s at worst. */
export const LONGEST_FRONT_MATTER = 32 * 1024;

const MOST = 10;
const TOP: Span = { start: 0, end: 0 };

export interface Entry {
  readonly key: string;
  readonly keySpan: Span;
  /** A scalar, a map or a sequence; null where nothing at all stands behind the key. */
  readonly value: Node | null;
  /** The value as written, quotes included; empty where there is none. */
  readonly valueSpan: Span;
}

export interface YamlEntries {
  readonly entries: readonly Entry[];
  readonly problems: readonly YamlProblem[];
}

/** Reads the lines between the delimiters; offsets are those of `yaml`. Never throws, and follows no alias. */
export function readEntries(yaml: string): YamlEntries {
  if (yaml.length > LONGEST_FRONT_MATTER) {
    return only({
      code: 'front-matter-too-long',
      message: 'expected front matter of at most 32 KiB',
      span: TOP,
    });
  }
  // The library ends lines only at LF and CRLF. The length stays as it is.
  const text = yaml.replace(/\r(?!\n)/g, '\n');
  const marker = /^(?:\.\.\.|---)(?=\s)/m.exec(text);
  if (marker !== null) return only(problemAt('yaml-syntax', keyExpected(marker[0]), text, marker.index));
  try {
    return entriesOf(text);
  } catch {
    // Nested so deeply that the parser runs out of stack.
    const message = 'expected one `key: value` a line, found values nested too deeply to be read';
    return only({ code: 'yaml-syntax', message, span: TOP });
  }
}

/** The offsets of a node as written, without the comment or blank lines behind it. */
export function spanOf(node: Node): Span {
  const [start, end] = node.range ?? [0, 0];
  return { start, end };
}

function entriesOf(text: string): YamlEntries {
  const document = parseDocument(text, { prettyErrors: false, uniqueKeys: false, logLevel: 'silent' });
  if (document.errors.length > 0) return { entries: [], problems: syntaxProblems(text, document.errors) };
  const contents: Node | null = document.contents;
  if (contents === null) return { entries: [], problems: [] };
  const unsupported = unsupportedParts(text, contents);
  if (unsupported.length > 0) return { entries: [], problems: unsupported };
  if (!isMap(contents)) {
    const { start } = spanOf(contents);
    return only(
      problemAt('yaml-syntax', keyExpected(text.slice(start, endOfLine(text, start))), text, start),
    );
  }
  const entries: Entry[] = [];
  const problems: YamlProblem[] = [];
  for (const pair of contents.items) {
    const key = isNode(pair.key) ? pair.key : undefined;
    if (key === undefined) continue;
    const keySpan = spanOf(key);
    if (isScalar(key) && typeof key.value === 'string' && key.value !== '') {
      const value = isNode(pair.value) ? pair.value : null;
      const valueSpan = value === null ? { start: keySpan.end, end: keySpan.end } : spanOf(value);
      entries.push({ key: key.value, keySpan, value, valueSpan });
    } else {
      const message = `expected a word as the key, such as engine, ${found(text.slice(keySpan.start, keySpan.end))}`;
      problems.push({ code: 'bad-key', message, span: keySpan });
    }
  }
  return { entries, problems };
}

/** Anchors, aliases and tags: nothing that a job says needs them, and aliases can grow without bound. */
function unsupportedParts(text: string, contents: Node): YamlProblem[] {
  const problems: YamlProblem[] = [];
  const add = (what: string, mark: string, start: number) => {
    if (problems.length === MOST) return;
    const end = start + (/^\S+/.exec(text.slice(start, start + 200))?.[0].length ?? 1);
    const message = `expected the value itself, found ${what} (a value that begins with \`${mark}\` needs quotes)`;
    problems.push({ ...problemAt('yaml-unsupported', message, text, start), span: { start, end } });
  };
  visit(contents, (_, node) => {
    if (!isNode(node)) return;
    const { start } = spanOf(node);
    if (isAlias(node)) add('a YAML alias', '*', start);
    else if (node.anchor !== undefined) add('a YAML anchor', '&', text.lastIndexOf('&', start));
    else if (node.tag !== undefined) add('a YAML tag', '!', text.lastIndexOf('!', start));
  });
  return problems;
}

function only(problem: YamlProblem): YamlEntries {
  return { entries: [], problems: [problem] };
}
