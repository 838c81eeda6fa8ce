/** Changes one value of a front matter and leaves every other character as it is: comments, order, line endings. */
import { stringify } from 'yaml';
import { UserError } from '../../platform/errors.ts';
import { readFields } from './fields.ts';
import { splitFrontMatter } from './frontmatter.ts';
import { type KeyName, keySpec } from './keys.ts';
import { bomLength, startOfLine } from './text.ts';
import { readEntries } from './yaml.ts';

/**
 * The text with `key` set to `value`; an absent key becomes the last one, and absent front matter is added.
 * Throws a UserError when the front matter cannot be read, or the value is none that the key takes.
 */
export function setFrontMatterValue(text: string, key: KeyName, value: string | number | boolean): string {
  const reading = keySpec(key).kind.read(String(value));
  if (!('value' in reading)) {
    throw new UserError('bad-value', `${key}: expected ${reading.expected}.`, 'Choose another value.');
  }
  const edited = splice(text, key, written(value));
  if (edited === undefined || valueIn(edited, key) !== reading.value) {
    throw new UserError(
      'front-matter-unreadable',
      'The front matter of the job cannot be read, so nothing was changed.',
      'Open the job file and correct what is marked there.',
    );
  }
  return edited;
}

/** The text without `key` and its value, every other character as it is; unchanged where that cannot be told apart. */
export function withoutFrontMatterKey(text: string, key: KeyName): string {
  const front = splitFrontMatter(text);
  if (front.kind !== 'closed') return text;
  const { start, end } = front.yaml;
  const { entries, problems } = readEntries(text.slice(start, end));
  const found = entries.filter((entry) => entry.key === key);
  const [entry] = found;
  if (entry === undefined || found.length > 1 || problems.length > 0) return text;
  const from = startOfLine(text, start + entry.keySpan.start);
  const others = entries.filter((each) => each !== entry).map((each) => start + each.keySpan.start);
  const next = Math.min(end, ...others.filter((at) => at > from).map((at) => startOfLine(text, at)));
  const edited = text.slice(0, from) + text.slice(next);
  return keysOf(edited) === keysOf(text, key) ? edited : text;
}

function keysOf(text: string, but?: KeyName): string | undefined {
  const front = splitFrontMatter(text);
  if (front.kind !== 'closed') return undefined;
  const { entries, problems } = readEntries(text.slice(front.yaml.start, front.yaml.end));
  if (problems.length > 0) return undefined;
  return entries
    .map((entry) => entry.key)
    .filter((name) => name !== but)
    .join(' ');
}

function splice(text: string, key: KeyName, value: string): string | undefined {
  const eol = /\r\n|\n|\r/.exec(text)?.[0] ?? '\n';
  const front = splitFrontMatter(text);
  if (front.kind === 'unclosed') return undefined;
  if (front.kind === 'none') {
    const top = bomLength(text);
    return `${text.slice(0, top)}---${eol}${key}: ${value}${eol}---${eol}${text.slice(top)}`;
  }
  const { start, end } = front.yaml;
  const { entries, problems } = readEntries(text.slice(start, end));
  if (problems.length > 0) return undefined;
  const [entry, ...again] = entries.filter((candidate) => candidate.key === key);
  if (again.length > 0) return undefined;
  if (entry === undefined) {
    const first = entries[0] === undefined ? end : start + entries[0].keySpan.start;
    const indent = /^ */.exec(text.slice(startOfLine(text, first), first))?.[0] ?? '';
    return `${text.slice(0, end)}${indent}${key}: ${value}${eol}${text.slice(end)}`;
  }
  const { keySpan, valueSpan } = entry;
  if (valueSpan.start === valueSpan.end) {
    const colon = text.indexOf(':', start + keySpan.end) + 1;
    return `${text.slice(0, colon)} ${value}${text.slice(colon)}`;
  }
  const from = start + valueSpan.start;
  const to = start + valueSpan.end;
  // A block text (`|`) ends behind its last line break.
  const after = /[\r\n]$/.test(text.slice(from, to)) ? eol : '';
  return `${text.slice(0, from)}${value}${after}${text.slice(to)}`;
}

/** As YAML on one line, in quotes only where it needs them. */
function written(value: string | number | boolean): string {
  const yaml = stringify(value, { lineWidth: 0 }).trimEnd();
  return yaml.includes('\n') ? JSON.stringify(value) : yaml;
}

function valueIn(text: string, key: KeyName): unknown {
  const front = splitFrontMatter(text);
  if (front.kind !== 'closed') return undefined;
  return readFields(text.slice(front.yaml.start, front.yaml.end), 0).one(key);
}
