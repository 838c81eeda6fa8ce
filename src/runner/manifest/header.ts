/**
 * The few facts that a listing and the scheduler need, from the first bytes of a job file: ten thousand files in
 * a tenth of a second. Plain `key: value` lines are read by hand; everything else goes the way of parseJob, and
 * both ways check values by the same table.
 */
import { Fields, readFields } from './fields.ts';
import { splitFrontMatter } from './frontmatter.ts';
import { isKeyName, keySpec } from './keys.ts';
import { titleOf } from './title.ts';

/** Plain data, fit for JSON. For a file that is no valid job: what could be read, else the defaults. */
export interface JobHeader {
  /** From the part that was read: the whole file may have its first heading further down. */
  readonly title: string;
  readonly engine?: string;
  readonly lock?: string;
  readonly tracker?: string;
  readonly priority: number;
  readonly needs: readonly string[];
  readonly requires: readonly string[];
  /** The front matter does not end within what was read: read more to be sure of all fields (a whole file like that is bad). */
  readonly partial: boolean;
}

/** Reads the start of a job file. Never throws. Agrees with parseJob on every valid job that it is given whole. */
export function readHeader(head: string, options: { readonly fileName?: string } = {}): JobHeader {
  const front = splitFrontMatter(head);
  let fields = new Fields();
  if (front.kind !== 'none') {
    const [start, end] =
      front.kind === 'closed' ? [front.yaml.start, front.yaml.end] : [front.opening.end, head.length];
    fields = readPlainFields(head, start, end) ?? readFields(head.slice(start, end), start);
  }
  const engine = fields.one('engine');
  const lock = fields.one('lock');
  const tracker = fields.one('tracker');
  const body = front.kind === 'unclosed' ? '' : head.slice(front.body.start);
  return {
    title: fields.one('title') ?? titleOf(body, options.fileName),
    ...(engine === undefined ? {} : { engine }),
    ...(lock === undefined ? {} : { lock }),
    ...(tracker === undefined ? {} : { tracker }),
    priority: fields.one('priority'),
    needs: fields.all('needs'),
    requires: fields.all('requires'),
    partial: front.kind === 'unclosed',
  };
}

const WANTED: ReadonlySet<string> = new Set([
  'title',
  'engine',
  'lock',
  'priority',
  'needs',
  'requires',
  'tracker',
]);
const LINE = /([A-Za-z][\w-]*): +([^\r\n]*)(?:\r\n|\n|$)| *(?:#[^\r\n]*)?(?:\r\n|\n|$)/y;
/** YAML has no other meaning for these than the text itself: nothing quoted, no colon that ends a word. */
const PLAIN = /^[\w~./$(](?:[^:]|:(?! |$))*$/;
const QUOTED = /^(?:"([^"\\]*)"|'([^']*)')$/;
const LIST = /^\[ *([\w.:/-]+(?:, *[\w.:/-]+)*)? *\]$/;

/** The wanted values, if every line is plain enough to be sure of; undefined otherwise. */
function readPlainFields(text: string, start: number, end: number): Fields | undefined {
  const fields = new Fields();
  LINE.lastIndex = start;
  while (LINE.lastIndex < end) {
    const line = LINE.exec(text);
    if (line === null || LINE.lastIndex > end) return undefined;
    const [whole, key, rest] = line;
    if (whole === '') return undefined;
    if (key === undefined || rest === undefined) continue;
    const texts = plainTexts(rest);
    if (texts === undefined) return undefined;
    if (!WANTED.has(key) || !isKeyName(key)) continue;
    const { kind, list } = keySpec(key);
    if (texts.length !== 1 && list !== true) return undefined;
    const values: unknown[] = [];
    for (const item of texts) {
      const reading = kind.read(item);
      if (!('value' in reading)) return undefined;
      values.push(reading.value);
    }
    fields.set(key, values, { start, end });
  }
  return fields;
}

/** The elements of a plain `[a, b]`, or the one text of a plain or quoted value; undefined for all else. */
function plainTexts(rest: string): readonly string[] | undefined {
  const comment = rest.search(/[ \t]#/);
  const value = (comment === -1 ? rest : rest.slice(0, comment)).trimEnd();
  if (value.startsWith('[')) {
    const items = LIST.exec(value);
    const texts = items?.[1]?.split(/, */) ?? [];
    return items === null || !texts.every((item) => PLAIN.test(item)) ? undefined : texts;
  }
  if (PLAIN.test(value)) return [value];
  const quoted = QUOTED.exec(value);
  return quoted === null ? undefined : [quoted[1] ?? quoted[2] ?? ''];
}
