/**
 * Every key of a job's front matter (runner.md, "A job is a Markdown file"): the one table from which
 * validation, completion and hover are derived.
 */

import type { ValueKind } from './kinds.ts';
import * as kinds from './kinds.ts';

export interface KeySpec<T = unknown> {
  readonly kind: ValueKind<T>;
  /** Takes a list of such values; a single one counts as a list of one. */
  readonly list?: true;
  /** The value when the key is absent, as it would be written. */
  readonly fallback?: string;
  /** What happens when the key is absent and there is no such value, in words. */
  readonly otherwise?: string;
  /** One sentence. */
  readonly description: string;
  /** A value, as it would be written. */
  readonly example: string;
  /** Usual values of a key that takes others too. */
  readonly usual?: readonly string[];
  /** Values that only the place where the file is opened knows. */
  readonly known?: 'engines' | 'jobs';
}

const SHIP_MODES = ['merge', 'push', 'pr', 'none'] as const;
export type ShipMode = (typeof SHIP_MODES)[number];
const REVIEWERS = ['person', 'skip'] as const;
export type Reviewer = (typeof REVIEWERS)[number];

/** In the order in which completion offers them: what most jobs need first. */
export const KEYS = {
  engine: {
    kind: kinds.engineName,
    otherwise: 'the default engine of the settings',
    description: 'The engine that does the work.',
    example: 'claude',
    known: 'engines',
  },
  cwd: {
    kind: kinds.directory,
    otherwise: 'the workspace folder, or the top of `repo`',
    description: 'The folder to work in; a relative path starts from the workspace folder, or from `repo`.',
    example: '~/code/app',
  },
  repo: {
    kind: kinds.remote,
    otherwise: 'the repository that `cwd` is in',
    description: 'The repository to work in, by its address: any machine with a clone of it can do the job.',
    example: 'github.com/acme/app',
  },
  yolo: {
    kind: kinds.yesNo,
    fallback: 'false',
    description: 'Whether the engine may act without asking.',
    example: 'true',
  },
  lock: {
    kind: kinds.lockName,
    otherwise: 'no lock',
    description: 'Jobs that name the same lock never run at the same time on this machine.',
    example: 'app-db',
  },
  timeout: {
    kind: kinds.duration,
    fallback: '1h',
    description: 'How long the engine may run before it is ended: seconds, minutes, hours or days.',
    example: '4h',
    usual: ['90s', '30m', '1h', '4h', '1d'],
  },
  title: {
    kind: kinds.titleLine,
    otherwise: 'the first heading of the prompt, else its first line',
    description: 'What the job is called in lists.',
    example: 'Faster imports',
  },
  priority: {
    kind: kinds.wholeNumber(0, 9),
    fallback: '5',
    description: 'Jobs with a higher priority run first; among equals the oldest does.',
    example: '7',
  },
  base: {
    kind: kinds.refName,
    otherwise: 'the commit that is checked out in `cwd`',
    description: 'The branch, tag or commit that the work starts from.',
    example: 'main',
  },
  worktree: {
    kind: kinds.yesNo,
    fallback: 'true',
    description:
      'Whether the job gets a worktree and a branch of its own; with `false` it works in `cwd` itself.',
    example: 'false',
  },
  setup: {
    kind: kinds.command,
    otherwise: 'nothing is run',
    description: 'A command that is run in the new worktree before the engine.',
    example: 'npm ci',
  },
  verify: {
    kind: kinds.command,
    list: true,
    otherwise: 'nothing is run',
    description: 'Commands that have to pass, in a clean checkout of the result, before it is shipped.',
    example: '[npm test]',
  },
  ship: {
    kind: kinds.oneOf(...SHIP_MODES),
    otherwise: '`merge` for a job with a branch of its own, else `none`',
    description:
      'What becomes of an approved result: merged, pushed, proposed as a pull request, or left alone.',
    example: 'pr',
  },
  review: {
    kind: kinds.oneOf(...REVIEWERS),
    fallback: 'person',
    description: 'Whether a person looks at the result before it is tested and shipped.',
    example: 'skip',
  },
  retries: {
    kind: kinds.wholeNumber(0, 20),
    fallback: '0',
    description: 'How often a failed job is tried again by itself.',
    example: '2',
    usual: ['0', '1', '2', '3'],
  },
  needs: {
    kind: kinds.jobId,
    list: true,
    otherwise: 'waits for no other job',
    description: 'The ids of jobs that have to be shipped before this one starts.',
    example: '[other-job]',
    known: 'jobs',
  },
  requires: {
    kind: kinds.capability,
    list: true,
    otherwise: 'runs anywhere',
    description: 'Capabilities that a machine must have to run the job.',
    example: '[tool:docker]',
    usual: ['os:linux', 'os:darwin', 'os:windows', 'tool:docker'],
  },
  tracker: {
    kind: kinds.webAddress,
    otherwise: 'none',
    description:
      'The issue that the job comes from. On GitHub it gets a short comment at each of the job’s transitions.',
    example: 'https://github.com/acme/app/issues/7',
  },
} as const satisfies Record<string, KeySpec>;

export type KeyName = keyof typeof KEYS;

/** The type of one value of a key (of one element, where it takes a list). */
export type ValueOf<K extends KeyName> = (typeof KEYS)[K]['kind'] extends ValueKind<infer T> ? T : never;

/** The type of a key's value once its default has been filled in. */
export type FilledIn<K extends KeyName> = (typeof KEYS)[K] extends { readonly fallback: string }
  ? ValueOf<K>
  : ValueOf<K> | undefined;

export const KEY_NAMES = Object.keys(KEYS) as readonly KeyName[];

export function isKeyName(word: string): word is KeyName {
  return Object.hasOwn(KEYS, word);
}

/** The row of a key, with its value type forgotten. */
export function keySpec(name: KeyName): KeySpec {
  return KEYS[name];
}
