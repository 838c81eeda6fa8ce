import type { Range } from './text.ts';

export type DiagnosticCode =
  /** The front matter as a whole: no closing line, no opening line, not at the top, too long. */
  | 'front-matter-unclosed'
  | 'front-matter-unopened'
  | 'front-matter-not-first'
  | 'front-matter-too-long'
  /** Not YAML, or YAML of a kind that a job file has no use for. */
  | 'yaml-syntax'
  | 'yaml-unsupported'
  | 'bad-key'
  | 'duplicate-key'
  | 'unknown-key'
  | 'missing-value'
  | 'bad-value'
  | 'unknown-engine'
  /** Two keys that contradict each other, or one that has no effect beside the other. */
  | 'conflict'
  | 'no-effect'
  | 'prompt-empty'
  | 'prompt-too-long';

/** One thing that is wrong, or doubtful, in a job file. A file with an error is not a job. */
export interface Diagnostic {
  readonly severity: 'error' | 'warning';
  readonly code: DiagnosticCode;
  /** For people: what was expected. Begins with the key where there is one; quotes at most 60 characters of a value, never the prompt. */
  readonly message: string;
  readonly key?: string;
  readonly range: Range;
  /** Text that, put in place of `range`, is probably what was meant. */
  readonly suggestion?: string;
}

/** One line for people, with the place as editors count it: `line 3: timeout: expected …`. */
export function describeDiagnostic(diagnostic: Diagnostic): string {
  return `line ${diagnostic.range.start.line + 1}: ${diagnostic.message}`;
}
