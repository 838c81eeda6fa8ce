/**
 * The few facts of a job's front matter that decide who gets it and when. Pure. The runner has a reader of its own,
 * which checks everything and explains itself to the author; this one knows nothing of the other keys, and the rooms
 * stay apart (house.md).
 */
import { parseDocument } from 'yaml';
import { JOB_ID } from '../../fleet/protocol.ts';

export interface Header {
  readonly engine?: string;
  readonly repo?: string;
  readonly requires: readonly string[];
  readonly needs: readonly string[];
  /** 0 to 9. */
  readonly priority: number;
  readonly retries: number;
}

/** Characters of a front matter. YAML is slow, and nobody writes so much of it. */
const LONGEST = 16 * 1024;
const MOST_OF_A_LIST = 64;
/** Lists within lists to no end: the parser would run out of stack, which takes it long. */
const TOO_DEEP = /(?:[[{]\s*){33}/;
const DEFAULTS = { priority: 5, retries: 0 };

/** @returns the header, or what is wrong with it in words. */
export function readHeader(bodyMd: string): Header | string {
  const text = bodyMd.startsWith('\uFEFF') ? bodyMd.slice(1) : bodyMd;
  const opening = /^---[ \t]*(?:\r\n|\n|\r)/.exec(text);
  if (opening === null) return { ...DEFAULTS, requires: [], needs: [] };
  const rest = text.slice(opening[0].length);
  const end = /^---[ \t]*$/m.exec(rest)?.index;
  if (end === undefined) return 'expected a line --- that ends the front matter.';
  if (end > LONGEST) return `expected a front matter of at most ${LONGEST} characters.`;
  const values = parsed(rest.slice(0, end));
  return values === undefined ? 'the front matter is not valid YAML.' : headerOf(values);
}

function parsed(yaml: string): Record<string, unknown> | undefined {
  if (TOO_DEEP.test(yaml)) return undefined;
  try {
    const document = parseDocument(yaml, { schema: 'core', logLevel: 'silent', prettyErrors: false });
    if (document.errors.length > 0) return undefined;
    // Without aliases: a few lines of them can be made to unfold into gigabytes.
    const values: unknown = document.toJS({ maxAliasCount: 0 }) ?? {};
    return typeof values === 'object' && !Array.isArray(values)
      ? (values as Record<string, unknown>)
      : undefined;
  } catch {
    // Nested beyond the stack, or aliases.
    return undefined;
  }
}

function headerOf(values: Record<string, unknown>): Header | string {
  const engine = textOf(values['engine'], /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/);
  if (engine === null) return 'engine: expected the name of an engine.';
  const repo = textOf(values['repo'], /^[\x21-\x7e]{1,512}$/);
  if (repo === null) return 'repo: expected the address of a repository.';
  const requires = listOf(values['requires'], /^[a-z][a-z0-9-]{0,31}:[\x21-\x7e]{1,255}$/);
  if (requires === null) return 'requires: expected capabilities such as tool:docker.';
  const needs = listOf(values['needs'], JOB_ID);
  if (needs === null) return 'needs: expected ids of jobs.';
  const priority = numberOf(values['priority'], 9) ?? DEFAULTS.priority;
  if (Number.isNaN(priority)) return 'priority: expected a whole number from 0 to 9.';
  const retries = numberOf(values['retries'], 20) ?? DEFAULTS.retries;
  if (Number.isNaN(retries)) return 'retries: expected a whole number from 0 to 20.';
  return {
    ...(engine !== undefined && { engine }),
    ...(repo !== undefined && { repo }),
    requires,
    needs,
    priority,
    retries,
  };
}

/** Undefined when it is not there, null when it is something else. A number is a name too: nobody quotes `needs: 7`. */
function textOf(value: unknown, form: RegExp): string | undefined | null {
  if (value === undefined) return undefined;
  const text = typeof value === 'number' ? String(value) : value;
  return typeof text === 'string' && form.test(text) ? text : null;
}

/** A single value counts as a list of one. */
function listOf(value: unknown, form: RegExp): string[] | null {
  if (value === undefined) return [];
  const texts = (Array.isArray(value) ? value : [value]).map((each) => textOf(each, form));
  return texts.length <= MOST_OF_A_LIST && texts.every((text) => typeof text === 'string') ? texts : null;
}

/** Quoted or not. Undefined when it is not there, NaN when it is something else. */
function numberOf(value: unknown, most: number): number | undefined {
  if (value === undefined) return undefined;
  const number = typeof value === 'string' && /^\d{1,2}$/.test(value) ? Number(value) : value;
  return Number.isInteger(number) && Number(number) >= 0 && Number(number) <= most
    ? Number(number)
    : Number.NaN;
}
