import { isKeyName, type KeyName, keySpec } from '../../runner/manifest/keys.ts';
import type { Span } from '../../runner/manifest/text.ts';
import { cursorAt } from './cursor.ts';
import type { Translate } from './translate.ts';

export interface HoverText {
  /** Markdown, of our own words only: nothing from the file. */
  readonly markdown: string;
  readonly span: Span;
}

/** What is said about the key, or about the key of the value, at a place of a job file. */
export function hoverAt(text: string, offset: number, t: Translate): HoverText | undefined {
  const cursor = cursorAt(text, offset);
  if (cursor === undefined) return undefined;
  const name = cursor.kind === 'key' ? cursor.word : cursor.key;
  if (!isKeyName(name)) return undefined;
  return { markdown: describeKey(name, t), span: cursor.span };
}

/** A key in Markdown: what it is for, its values, its default and an example. */
export function describeKey(name: KeyName, t: Translate): string {
  const { description, kind, fallback, otherwise, example } = keySpec(name);
  const values = kind.values?.map((value) => `\`${value}\``).join(', ');
  const absent = fallback === undefined ? otherwise : `\`${fallback}\``;
  return [
    `**${name}** — ${t(description)}`,
    ...(values === undefined ? [] : [t('Values: {0}', values)]),
    ...(absent === undefined ? [] : [t('Without it: {0}', fallback === undefined ? t(absent) : absent)]),
    `\`\`\`yaml\n${name}: ${example}\n\`\`\``,
  ].join('\n\n');
}
