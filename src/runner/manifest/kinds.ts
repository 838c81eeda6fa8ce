/** The kinds of value that front-matter keys take: each reads the text of a value, or says what it expected. */
import { parseDuration } from './duration.ts';
import type { Reading } from './reading.ts';
import { cleanTitle } from './title.ts';

export interface ValueKind<T> {
  /** Reads one value as it stands in the file, without quotes. */
  read(text: string): Reading<T>;
  /** What it takes, for "expected …" where something other than a single value was found. */
  readonly expected: string;
  /** All values there are, when they can be listed. */
  readonly values?: readonly string[];
  /** `~` is a value of this kind (the home folder) and not YAML's word for nothing. */
  readonly tilde?: boolean;
}

/** The ids that jobs may have, also over the wire (fleet-protocol.md, rule 12). */
export const JOB_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** C0 and C1 control characters and the marks that reorder text on the screen. */
const INVISIBLE = /[\p{Cc}\u202A-\u202E\u2066-\u2069]/u;

/** Text of a form that a test decides. */
function matching(expected: string, test: (text: string) => boolean): ValueKind<string> {
  return { expected, read: (text) => (test(text) ? { value: text } : { expected }) };
}

/** One of a few words. */
export function oneOf<const W extends string>(...words: readonly W[]): ValueKind<W> {
  const expected = `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
  return {
    expected,
    values: words,
    read(text) {
      const value = words.find((word) => word === text);
      return value === undefined ? { expected } : { value };
    },
  };
}

export const yesNo: ValueKind<boolean> = {
  expected: 'true or false',
  values: ['true', 'false'],
  read(text) {
    const word = text.toLowerCase();
    return word === 'true' || word === 'false' ? { value: word === 'true' } : { expected: 'true or false' };
  },
};

/** A whole number from `least` to `most`. */
export function wholeNumber(least: number, most: number): ValueKind<number> {
  const expected = `a whole number from ${least} to ${most}`;
  return {
    expected,
    ...(most < 10 ? { values: Array.from({ length: most - least + 1 }, (_, i) => String(least + i)) } : {}),
    read(text) {
      const value = /^(?:0|[1-9]\d{0,8})$/.test(text) ? Number(text) : Number.NaN;
      return value >= least && value <= most ? { value } : { expected };
    },
  };
}

export const duration: ValueKind<number> = {
  expected: 'a duration such as 90s, 30m, 4h or 1d',
  read: parseDuration,
};

export const engineName = matching('the name of an engine, such as claude', (text) =>
  /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(text),
);

export const jobId = matching('the id of a job: letters, digits, `.`, `_` and `-`, at most 128', (text) =>
  JOB_ID.test(text),
);

export const capability = matching('a capability such as tool:docker, without blanks', (text) =>
  /^[a-z][a-z0-9-]{0,31}:[\x21-\x7e]{1,255}$/.test(text),
);

/** A name that people choose; whoever makes a file of it has to encode it. */
export const lockName = matching('a name of at most 128 characters on one line', (text) => isLine(text, 128));

export const directory: ValueKind<string> = {
  ...matching('the path of a folder, such as ~/code/app', (text) => isLine(text, 4096)),
  tilde: true,
};

/** Shell text; may have several lines. */
export const command = matching(
  'a command, such as npm test',
  (text) => text.trim() !== '' && !text.includes('\0'),
);

export const titleLine: ValueKind<string> = {
  expected: 'a line of text',
  read(text) {
    const value = cleanTitle(text);
    return value === '' ? { expected: 'a line of text' } : { value };
  },
};

/** What git takes as the name of a branch, tag or commit (git-check-ref-format), without its operators `~ ^ :`. */
export const refName = matching('the name of a branch, a tag or a commit, such as main', isRefName);

function isRefName(text: string): boolean {
  if (!isLine(text, 255) || /[\s~^:?*[\\]|\.\.|@\{|\/\/|^[-/]|[/.]$/.test(text) || text === '@') return false;
  return text.split('/').every((part) => !part.startsWith('.') && !part.endsWith('.lock'));
}

/** A remote of any spelling; a path means nothing on another machine, and a password has no place in a job. */
export const remote: ValueKind<string> = {
  expected: 'a repository such as github.com/acme/app',
  read(text) {
    if (/\/\/[^/]*:[^/]*@/.test(text)) return { expected: 'a repository without a password in its address' };
    const form =
      /^(?:(?:https?|ssh|git):\/\/)?(?:[\w.-]+@)?[A-Za-z0-9][\w.-]*(?::\d+)?[:/](?!\/\/)[\w.~/+-]*[\w~+-]\/?$/;
    const isDrive = /^[A-Za-z]:/.test(text);
    return text.length <= 512 && form.test(text) && !isDrive && !text.includes('..')
      ? { value: text }
      : { expected: 'a repository such as github.com/acme/app (for a folder on this machine, use cwd)' };
  },
};

export const webAddress = matching('an https:// address without a user name or password', (text) => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return isLine(text, 2048) && url?.protocol === 'https:' && url.username === '' && url.password === '';
});

function isLine(text: string, most: number): boolean {
  return text.length <= most && text.trim() === text && text !== '' && !INVISIBLE.test(text);
}
