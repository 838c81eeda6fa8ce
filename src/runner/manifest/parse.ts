/**
 * Reads a whole job file (runner.md, "A job is a Markdown file"). Nothing is guessed: a file with an error is not
 * a job, and each error names the line, the key and what was expected.
 */
import { checkTogether } from './combinations.ts';
import type { Diagnostic } from './diagnostic.ts';
import { Fields, type Problem, readFields } from './fields.ts';
import { type FrontMatter, splitFrontMatter } from './frontmatter.ts';
import { isKeyName } from './keys.ts';
import type { Manifest } from './manifest.ts';
import { nearest } from './nearest.ts';
import { found } from './quote.ts';
import { endOfLine, Lines, type Span } from './text.ts';
import { titleOf } from './title.ts';

export type { Manifest };

/** In bytes of UTF-8. */
export const LONGEST_PROMPT = 1024 * 1024;

const MOST_DIAGNOSTICS = 100;

export interface ParseOptions {
  /** Gives the title when the prompt has no text that could. */
  readonly fileName?: string;
  /** Names of all engines there are; absent: any name will do. */
  readonly engines?: readonly string[];
}

export interface ParsedJob {
  /** Absent when there is an error. */
  readonly job?: Manifest;
  /** The prompt, exactly as it stands in the file; empty when it can't be told where it begins. */
  readonly body: string;
  /** In the order of the text. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Never throws, whatever the text. */
export function parseJob(text: string, options: ParseOptions = {}): ParsedJob {
  const front = splitFrontMatter(text);
  const body = front.kind === 'unclosed' ? '' : text.slice(front.body.start, front.body.end);
  const fields =
    front.kind === 'closed'
      ? readFields(text.slice(front.yaml.start, front.yaml.end), front.yaml.start)
      : new Fields();
  const problems = [
    ...(misplaced(text, front) ?? checkBody(text, front)),
    ...fields.problems,
    ...checkTogether(fields),
    ...checkEngine(fields, options.engines),
  ];
  const diagnostics = inLines(text, foremost(problems));
  return problems.some((problem) => problem.severity === 'error')
    ? { body, diagnostics }
    : { job: manifestOf(fields, body, options.fileName), body, diagnostics };
}

/** In the order of the text; of very many the errors first, so that there is one wherever there is no job. */
function foremost(problems: readonly Problem[]): Problem[] {
  const byWeight = [...problems].sort(
    (a, b) => Number(b.severity === 'error') - Number(a.severity === 'error'),
  );
  return byWeight.slice(0, MOST_DIAGNOSTICS).sort((a, b) => a.span.start - b.span.start);
}

function inLines(text: string, problems: readonly Problem[]): Diagnostic[] {
  if (problems.length === 0) return [];
  const lines = new Lines(text);
  return problems.map(({ span, ...rest }) => ({ ...rest, range: lines.range(span) }));
}

/** What was meant as front matter but is none: taking it for the prompt would run the job with the wrong settings. */
function misplaced(text: string, front: FrontMatter): Problem[] | undefined {
  if (front.kind === 'unclosed') {
    return fault('front-matter-unclosed', 'expected a line --- after the last key', front.opening);
  }
  if (front.kind === 'closed') return undefined;
  const blank = /^\s*/.exec(text.slice(front.body.start))?.[0].length ?? 0;
  const start = front.body.start + blank;
  const [opening, key] = /^---[ \t]*[\r\n]+[ \t]*(\w+)[ \t]*:/.exec(text.slice(start, start + 200)) ?? [];
  if (opening !== undefined && isKeyName(key ?? '')) {
    const span = { start, end: start + 3 };
    return fault('front-matter-not-first', 'expected --- in the first line, with nothing before it', span);
  }
  const [first] =
    /^(?:[ \t]*\w+[ \t]*:.*(?:\r\n|\n|\r))+(?=---[ \t]*(?:[\r\n]|$))/.exec(text.slice(start, start + 4096)) ??
    [];
  if (first !== undefined && isKeyName(/^\w+/.exec(first)?.[0] ?? '')) {
    const span = { start, end: endOfLine(text, start) };
    return fault('front-matter-unopened', 'expected a line --- before the first key', span);
  }
  return undefined;
}

function checkBody(text: string, front: FrontMatter): Problem[] {
  if (front.kind === 'unclosed') return [];
  const { start, end } = front.body;
  const body = text.slice(start, end);
  if (!/\S/.test(body)) {
    const span = front.kind === 'closed' ? front.closing : { start, end };
    return fault('prompt-empty', 'expected a prompt below the front matter, found nothing', span);
  }
  const bytes = Buffer.byteLength(body);
  if (bytes <= LONGEST_PROMPT) return [];
  const span = { start, end: endOfLine(text, start) };
  return fault('prompt-too-long', `expected a prompt of at most 1 MiB, found ${bytes} bytes`, span);
}

function fault(code: Problem['code'], message: string, span: Span): Problem[] {
  return [{ severity: 'error', code, message, span }];
}

function checkEngine(fields: Fields, engines: readonly string[] | undefined): Problem[] {
  const engine = fields.one('engine');
  const span = fields.spanOf('engine');
  if (engine === undefined || span === undefined || engines?.includes(engine) !== false) return [];
  const suggestion = nearest(engine, engines);
  const meant = suggestion === undefined ? '' : `; did you mean ${suggestion}?`;
  const message = `engine: expected one of ${engines.join(', ')}, ${found(engine)}${meant}`;
  const problem = { severity: 'error', code: 'unknown-engine', key: 'engine', message, span } as const;
  return [suggestion === undefined ? problem : { ...problem, suggestion }];
}

function manifestOf(fields: Fields, body: string, fileName: string | undefined): Manifest {
  const optional = {
    engine: fields.one('engine'),
    cwd: fields.one('cwd'),
    repo: fields.one('repo'),
    lock: fields.one('lock'),
    base: fields.one('base'),
    setup: fields.one('setup'),
    ship: fields.one('ship'),
    tracker: fields.one('tracker'),
  };
  return {
    ...withoutUndefined(optional),
    title: fields.one('title') ?? titleOf(body, fileName),
    yolo: fields.one('yolo'),
    timeoutMs: fields.one('timeout'),
    priority: fields.one('priority'),
    worktree: fields.one('worktree'),
    review: fields.one('review'),
    retries: fields.one('retries'),
    verify: fields.all('verify'),
    needs: fields.all('needs'),
    requires: fields.all('requires'),
    extra: fields.extra,
  };
}

function withoutUndefined<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
