import { isKeyName, KEY_NAMES, type KeySpec, keySpec } from '../../runner/manifest/keys.ts';
import type { Span } from '../../runner/manifest/text.ts';
import { cursorAt, keysIn } from './cursor.ts';
import { describeKey } from './hover.ts';
import type { Translate } from './translate.ts';

export interface CompletionEntry {
  readonly kind: 'key' | 'value';
  readonly label: string;
  readonly detail?: string;
  /** Markdown. */
  readonly documentation?: string;
  /** Replaces `span`. */
  readonly insert: string;
  readonly span: Span;
  /** More is offered behind it. */
  readonly again: boolean;
}

export interface EngineName {
  readonly name: string;
  /** For people, e.g. `Claude Code`. */
  readonly label: string;
}

/** What only the place where the file is opened knows. Asked only when it is needed. */
export interface Known {
  engines(): readonly EngineName[];
  /** What is known by now of each engine on this machine, by its name: its version, or that it is not installed. */
  engineDetails(): Promise<ReadonlyMap<string, string>>;
  jobIds(): Promise<readonly string[]>;
}

/** What can stand at a place of a job file, best first: keys that it does not have yet, or values of its key. */
export async function completionsAt(
  text: string,
  offset: number,
  known: Known,
  t: Translate,
): Promise<readonly CompletionEntry[]> {
  const cursor = cursorAt(text, offset);
  if (cursor === undefined) return [];
  if (cursor.kind === 'key') {
    const used = keysIn(text);
    return KEY_NAMES.filter((name) => name === cursor.word || !used.has(name)).map((name) => ({
      kind: 'key',
      label: name,
      detail: t('for example {0}', keySpec(name).example),
      documentation: describeKey(name, t),
      insert: cursor.hasColon ? name : `${name}: `,
      span: cursor.span,
      again: !cursor.hasColon && offersValues(keySpec(name)),
    }));
  }
  if (!isKeyName(cursor.key)) return [];
  const spec = keySpec(cursor.key);
  const blank = cursor.needsBlank ? ' ' : '';
  return (await valuesOf(spec, known)).map(({ value, detail }) => ({
    kind: 'value',
    label: value,
    ...(value === spec.fallback ? { detail: t('default') } : detail === undefined ? {} : { detail }),
    insert: blank + value,
    span: cursor.span,
    again: false,
  }));
}

function offersValues(spec: KeySpec): boolean {
  return (spec.known ?? spec.kind.values ?? spec.usual) !== undefined;
}

async function valuesOf(spec: KeySpec, known: Known): Promise<readonly { value: string; detail?: string }[]> {
  if (spec.known === 'engines') {
    const details = await known.engineDetails();
    return known.engines().map(({ name, label }) => ({ value: name, detail: details.get(name) ?? label }));
  }
  const values = spec.known === 'jobs' ? await known.jobIds() : (spec.kind.values ?? spec.usual ?? []);
  return values.map((value) => ({ value }));
}
