/**
 * Recordings: what an engine printed in a run of the kit, kept as a file with how it ended and what we made of it, so
 * that `npm test` can hold our reading against it without the program. Made by `npm run test:engines -- --record`.
 *
 * A file's first line is its Heading, the others are the engine's output as logged: paths and ids are replaced, long
 * texts and lists are cut.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { EngineDescriptor, EventDigest } from '../../src/runner/engines/descriptor.ts';
import { emptyDigest, readEvent } from '../../src/runner/engines/events.ts';
import { judge, type Verdict } from '../../src/runner/engines/verdict.ts';
import type { RunEnd } from '../../src/runner/supervisor/contract.ts';

const FOLDER = path.join(import.meta.dirname, 'recordings');
const LONGEST_TEXT = 400;
const LONGEST_LIST = 8;
/** As much as the verdict is given of a log (steps/build.ts). */
const LOG_TAIL = 8192;

export interface Heading {
  readonly engine: string;
  readonly version: string;
  readonly scenario: string;
  /** The day of the recording. */
  readonly date: string;
  readonly end: Omit<RunEnd, 'digest' | 'logBytes'>;
  /** Files were changed. */
  readonly changed: boolean;
  readonly digest: EventDigest;
  readonly verdict: Verdict;
}

export interface Recording {
  readonly heading: Heading;
  /** What was printed. */
  readonly output: string;
}

/** Keeps a run. @throws when what is left after replacing would be read in another way than the run was. */
export function keep(
  descriptor: EngineDescriptor,
  run: { version: string; scenario: string; end: RunEnd; log: string; changed: boolean; scratch: string },
): void {
  const { version, scenario, end, changed } = run;
  const replace = replacing(run.scratch);
  const output = run.log
    .split('\n')
    .map((line) => replace(thinned(line)))
    .join('\n');
  const { digest: read, logBytes: _bytes, ...rest } = end;
  const digest = digestOf(descriptor, output);
  const same = [
    'final',
    'failed',
    'costUsd',
    'inputTokens',
    'outputTokens',
    'status',
    'limitedUntil',
  ] as const;
  const changedReading = same.filter((key) => !isDeepStrictEqual(digest[key], read[key]));
  if (changedReading.length > 0)
    throw new Error(`the recording is read otherwise: ${changedReading.join(', ')}`);
  const heading: Heading = {
    engine: descriptor.name,
    version,
    scenario,
    date: new Date().toISOString().slice(0, 10),
    end: rest,
    changed,
    digest,
    verdict: verdictOf(descriptor, { ...end, digest }, output, changed),
  };
  const folder = path.join(FOLDER, descriptor.name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    path.join(folder, `${scenario.replaceAll(' ', '-')}.log`),
    `${JSON.stringify(heading)}\n${output}`,
  );
}

export function recordings(): Recording[] {
  return readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.log'))
    .sort()
    .map((name) => {
      const text = readFileSync(path.join(FOLDER, name), 'utf8');
      const end = text.indexOf('\n');
      return { heading: JSON.parse(text.slice(0, end)) as Heading, output: text.slice(end + 1) };
    });
}

export function digestOf({ events }: EngineDescriptor, output: string): EventDigest {
  if (events === undefined) return emptyDigest;
  return output.split('\n').reduce((digest, line) => readEvent(events, digest, line), emptyDigest);
}

export function verdictOf(
  descriptor: EngineDescriptor,
  end: RunEnd,
  output: string,
  changed: boolean,
): Verdict {
  const logTail = Buffer.from(output).subarray(-LOG_TAIL).toString();
  return judge({ descriptor, end, result: { changed }, logTail });
}

/** Without what nobody reads: lists of tools and long texts. */
function thinned(line: string): string {
  if (!line.startsWith('{')) return line;
  try {
    return JSON.stringify(thin(JSON.parse(line)));
  } catch {
    return line;
  }
}

function thin(value: unknown): unknown {
  if (typeof value === 'string') {
    return value.length > LONGEST_TEXT ? `${value.slice(0, LONGEST_TEXT).toWellFormed()}…` : value;
  }
  if (Array.isArray(value)) return value.slice(0, LONGEST_LIST).map(thin);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, thin(each)]));
}

const IDS =
  /\b[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}\b|\b((?:ses|msg|prt|toolu|call|resp|conv|agent|chatcmpl|req)[_-])[\w-]*\d[\w-]*/gi;

/** The same id becomes the same replacement; the machine's paths and ports become fixed ones. */
function replacing(scratch: string): (line: string) => string {
  const known = new Map<string, string>();
  const idFor = (id: string, prefix = '') => {
    const number = known.size + 1;
    const made =
      prefix === '' ? `00000000-0000-4000-8000-${String(number).padStart(12, '0')}` : `${prefix}${number}`;
    const replacement = known.get(id) ?? made;
    known.set(id, replacement);
    return replacement;
  };
  const root = path.resolve(import.meta.dirname, '../..');
  return (line) =>
    line
      .replaceAll(scratch, '/scratch')
      .replaceAll(root, '/project')
      .replace(/\/tmp\/[\w./-]*/g, '/tmp/file')
      .replace(/(127\.0\.0\.1|localhost):\d+/g, '$1:4000')
      .replace(IDS, (id, prefix: string | undefined) => idFor(id, prefix));
}
