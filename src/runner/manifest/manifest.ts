import type { Reviewer, ShipMode } from './keys.ts';

/** What a job file says, checked, with the defaults that the table of keys gives. */
export interface Manifest {
  /** Absent: the default engine of the settings. */
  readonly engine?: string;
  /** As written: may begin with `~`, may be relative to the workspace folder or, beside `repo`, to the repository's top. */
  readonly cwd?: string;
  /** As written: any spelling of the remote's address. */
  readonly repo?: string;
  readonly yolo: boolean;
  readonly lock?: string;
  readonly timeoutMs: number;
  readonly title: string;
  /** 0 to 9, higher first. */
  readonly priority: number;
  readonly base?: string;
  readonly worktree: boolean;
  readonly setup?: string;
  readonly verify: readonly string[];
  /** Absent: `merge` for a job with a branch of its own, else `none`. */
  readonly ship?: ShipMode;
  readonly review: Reviewer;
  readonly retries: number;
  readonly needs: readonly string[];
  readonly requires: readonly string[];
  readonly tracker?: string;
  /** Keys that this version does not know, with their YAML values. Has no prototype. */
  readonly extra: Readonly<Record<string, unknown>>;
}
