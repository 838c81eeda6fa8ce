/**
 * Reads what an engine says while it runs: folds the lines of its standard output into an EventDigest.
 *
 * Part of the supervisor's small bundle: imports types only. Engines print tool output inside their events,
 * 100 MB of it at times, so that a line is parsed only if it holds one of the words that some rule asks for.
 */
import type { EventDigest, EventMatch, EventRules, FieldPath, FieldSource } from './descriptor.ts';

/** The longest text that is kept: 16 KiB of UTF-16 units. */
const MAX_TEXT = 16 * 1024;
/** A line longer than this (UTF-16 units) is no event that we care for; parsing it would block the reader. */
const MAX_LINE = 8 * 1024 * 1024;

type Reading = Exclude<keyof EventDigest, 'final' | 'failed'>;

interface Compiled {
  /** A line that holds all words of none of these groups cannot match. */
  readonly needles: readonly (readonly string[])[];
  readonly fields: readonly { readonly to: Reading; readonly sources: readonly Source[] }[];
}

interface Source {
  readonly path: FieldPath;
  readonly when?: EventMatch;
  readonly accumulate?: boolean;
  readonly plus?: readonly FieldPath[];
  readonly minus?: readonly FieldPath[];
}

const NUMBERS: ReadonlySet<Reading> = new Set([
  'costUsd',
  'inputTokens',
  'outputTokens',
  'limitedUntil',
  'status',
]);

/** The digest of an engine that has said nothing yet. */
export const emptyDigest: EventDigest = { final: false, failed: false };

/**
 * The digest after one more line (without its line break). A line that is no complete JSON object, or is of no
 * interest, leaves it as it is. Never throws. A failure that an event told is not taken back by a later one.
 */
export function readEvent(rules: EventRules, digest: EventDigest, line: string): EventDigest {
  if (line.length > MAX_LINE || !looksLikeObject(line)) return digest;
  const { needles, fields } = compile(rules);
  if (!needles.some((group) => group.every((word) => line.includes(word)))) return digest;
  const event = parseObject(line);
  if (event === undefined) return digest;

  const next: { -readonly [key in keyof EventDigest]: EventDigest[key] } = { ...digest };
  if (rules.final.some((match) => matches(event, match))) {
    next.final = true;
    if (rules.errorFlag !== undefined && valueAt(event, rules.errorFlag) === true) next.failed = true;
  }
  if (rules.failed?.some((match) => matches(event, match))) next.failed = true;
  for (const { to, sources } of fields) Object.assign(next, reading(event, digest, to, sources));
  return next;
}

function reading(event: object, digest: EventDigest, to: Reading, sources: readonly Source[]): object {
  for (const { path, when, accumulate, plus = [], minus = [] } of sources) {
    if (when !== undefined && !matches(event, when)) continue;
    const value = valueAt(event, path);
    if (NUMBERS.has(to)) {
      if (!isNumber(value)) continue;
      const total = value + sumAt(event, plus) - sumAt(event, minus);
      const before = digest[to];
      return { [to]: accumulate && typeof before === 'number' ? before + total : total };
    }
    if (typeof value !== 'string' || value === '') continue;
    // Of a text in parts the end counts, of a whole one the beginning.
    const text = accumulate ? `${digest[to] ?? ''}${value}`.slice(-MAX_TEXT) : value.slice(0, MAX_TEXT);
    return { [to]: text.toWellFormed() };
  }
  return {};
}

function sumAt(event: object, paths: readonly FieldPath[]): number {
  const found = paths.map((path) => valueAt(event, path)).filter(isNumber);
  return found.reduce((sum, each) => sum + each, 0);
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function looksLikeObject(line: string): boolean {
  let start = 0;
  while (line.charCodeAt(start) <= 0x20) start++;
  if (line[start] !== '{') return false;
  let end = line.length - 1;
  while (line.charCodeAt(end) <= 0x20) end--;
  return line[end] === '}';
}

function parseObject(line: string): object | undefined {
  try {
    return JSON.parse(line) as object;
  } catch {
    return undefined;
  }
}

function matches(event: object, match: EventMatch): boolean {
  return Object.entries(match).every(([path, wanted]) => valueAt(event, path) === wanted);
}

function valueAt(event: object, path: FieldPath): unknown {
  let value: unknown = event;
  for (const key of path.split('.')) {
    if (value === null || typeof value !== 'object' || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

const compiled = new WeakMap<EventRules, Compiled>();

function compile(rules: EventRules): Compiled {
  const known = compiled.get(rules);
  if (known !== undefined) return known;
  const fields = (
    [
      ['error', rules.error],
      ['sessionId', rules.session],
      ['text', rules.text],
      ['costUsd', rules.costUsd],
      ['inputTokens', rules.inputTokens],
      ['outputTokens', rules.outputTokens],
      ['limitedUntil', rules.limitedUntil],
      ['status', rules.status],
      ['denied', rules.denied],
    ] as const
  ).flatMap(([to, sources]) => (sources === undefined ? [] : [{ to, sources: sources.map(sourceOf) }]));
  const needles = [
    ...[...rules.final, ...(rules.failed ?? [])].map(matchWords),
    ...fields.flatMap(({ sources }) => sources.map(sourceWords)),
  ];
  // A group that holds all of another adds nothing to it.
  const needed = needles.filter(
    (group, index) =>
      !needles.some(
        (other, at) =>
          other.every((word) => group.includes(word)) && (other.length < group.length || at < index),
      ),
  );
  const result = { needles: needed, fields };
  compiled.set(rules, result);
  return result;
}

function sourceOf(source: FieldSource): Source {
  return typeof source === 'string' ? { path: source } : source;
}

function sourceWords(source: Source): string[] {
  return source.when === undefined ? [keyWord(source.path)] : matchWords(source.when);
}

/** What a line that matches holds, as JSON writes it: the text values, for those are rarer than keys. */
function matchWords(match: EventMatch): string[] {
  const texts = Object.values(match).filter((value) => typeof value === 'string');
  return texts.length > 0 ? texts.map((text) => JSON.stringify(text)) : Object.keys(match).map(keyWord);
}

function keyWord(path: FieldPath): string {
  const name = path.split('.').findLast((key) => !/^\d+$/.test(key));
  return name === undefined ? '' : JSON.stringify(name);
}
