/** The values of a front matter: each entry checked against the table of keys. */
import { isMap, isScalar, isSeq, type Node } from 'yaml';
import type { Diagnostic } from './diagnostic.ts';
import {
  type FilledIn,
  isKeyName,
  KEY_NAMES,
  type KeyName,
  type KeySpec,
  keySpec,
  type ValueOf,
} from './keys.ts';
import { nearest } from './nearest.ts';
import { found } from './quote.ts';
import type { Span } from './text.ts';
import { type Entry, readEntries, spanOf } from './yaml.ts';

/** A diagnostic before its place has been turned into lines. */
export type Problem = Omit<Diagnostic, 'range'> & { readonly span: Span };

const DEFAULTS: ReadonlyMap<KeyName, unknown> = new Map(
  KEY_NAMES.flatMap((name) => {
    const { kind, fallback } = keySpec(name);
    const reading = fallback === undefined ? undefined : kind.read(fallback);
    return reading !== undefined && 'value' in reading ? [[name, reading.value] as const] : [];
  }),
);

/** What was read so far; invalid values are left out, with a problem each. */
export class Fields {
  readonly problems: Problem[] = [];
  /** Keys that the table does not know, with their plain YAML values. */
  readonly extra: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  readonly #values = new Map<KeyName, readonly unknown[]>();
  readonly #spans = new Map<KeyName, Span>();

  /** The value of a key, else the one that the table gives when it is absent. */
  one<K extends KeyName>(name: K): FilledIn<K> {
    return (this.all(name)[0] ?? DEFAULTS.get(name)) as FilledIn<K>;
  }

  /** The values of a key that takes a list. */
  all<K extends KeyName>(name: K): readonly ValueOf<K>[] {
    return (this.#values.get(name) ?? []) as readonly ValueOf<K>[];
  }

  /** Where the value of a key stands; undefined when the key is absent. */
  spanOf(name: KeyName): Span | undefined {
    return this.#spans.get(name);
  }

  set(name: KeyName, values: readonly unknown[], span: Span): void {
    this.#values.set(name, values);
    this.#spans.set(name, span);
  }
}

/** Reads the YAML between the delimiters. `offset` is where it starts in the text; all spans count from there. */
export function readFields(yaml: string, offset: number): Fields {
  const fields = new Fields();
  const { entries, problems } = readEntries(yaml);
  for (const problem of problems) {
    fields.problems.push({ ...problem, severity: 'error', span: moved(problem.span, offset) });
  }
  const seen = new Set<string>();
  for (const entry of entries) {
    const { key } = entry;
    const keySpan = moved(entry.keySpan, offset);
    if (seen.has(key)) {
      const message = `${shownKey(key)}: expected once, found again`;
      fields.problems.push({ severity: 'error', code: 'duplicate-key', key, message, span: keySpan });
    } else if (isKeyName(key)) {
      readKnown(fields, key, entry, yaml, offset);
    } else {
      fields.extra[key] = entry.value?.toJSON();
      fields.problems.push(unknownKey(key, keySpan));
    }
    seen.add(key);
  }
  return fields;
}

function unknownKey(key: string, span: Span): Problem {
  const suggestion = nearest(key, KEY_NAMES);
  const meant = suggestion === undefined ? '' : `; did you mean ${suggestion}?`;
  const message = `${shownKey(key)}: unknown key, kept without effect${meant}`;
  const problem = { severity: 'warning', code: 'unknown-key', key, message, span } as const;
  return suggestion === undefined ? problem : { ...problem, suggestion };
}

function readKnown(fields: Fields, name: KeyName, entry: Entry, yaml: string, offset: number): void {
  const spec = keySpec(name);
  const nodes = spec.list === true && isSeq(entry.value) ? entry.value.items : [entry.value];
  const values: unknown[] = [];
  let failed = false;
  for (const item of nodes) {
    const node = item as Node | null;
    const span = node === null ? entry.valueSpan : spanOf(node);
    const text = textOf(node, spec);
    const reading = text === undefined ? { expected: spec.kind.expected } : spec.kind.read(text);
    if ('value' in reading) {
      values.push(reading.value);
      continue;
    }
    failed = true;
    const written = yaml.slice(span.start, span.end);
    // A missing value has no characters of its own to underline: the key has.
    const place = written.trim() === '' ? entry.keySpan : span;
    fields.problems.push(badValue(name, spec, reading.expected, text ?? written, node, moved(place, offset)));
  }
  if (!failed) fields.set(name, values, moved(entry.valueSpan, offset));
}

/** The text of a single value; undefined for a map, a list and YAML's null. What is written counts: `1.0` stays `1.0`. */
function textOf(node: Node | null, spec: KeySpec): string | undefined {
  if (!isScalar(node)) return undefined;
  const text = node.source ?? String(node.value);
  if (node.value === null && !(spec.kind.tilde === true && text === '~')) return undefined;
  return text;
}

function badValue(
  name: KeyName,
  spec: KeySpec,
  expected: string,
  text: string,
  node: Node | null,
  span: Span,
): Problem {
  const several = spec.list === true ? ', or a list of such' : '';
  const what = isSeq(node) ? 'found a list' : isMap(node) ? `${found(text)}, a map` : found(text);
  const empty = node === null || text.trim() === '';
  const message = `${name}: expected ${expected}${several}, ${what}`;
  const suggestion = empty ? undefined : nearest(text, spec.kind.values ?? []);
  const problem: Problem = {
    severity: 'error',
    code: empty ? 'missing-value' : 'bad-value',
    key: name,
    message: suggestion === undefined ? message : `${message}; did you mean ${suggestion}?`,
    span,
  };
  return suggestion === undefined ? problem : { ...problem, suggestion };
}

/** Keys are people's text too: quoted like values, but bare where they are plain words. */
function shownKey(key: string): string {
  return /^[\w-]{1,60}$/.test(key) ? key : found(key).slice('found '.length);
}

function moved(span: Span, offset: number): Span {
  return { start: span.start + offset, end: span.end + offset };
}
