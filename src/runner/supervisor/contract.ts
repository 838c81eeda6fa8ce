/**
 * What the runner and a supervisor say to each other.
 *
 * A supervisor is a small detached process that runs one command to its end: an engine, a `setup` or a
 * `verify`. It outlives the editor. It is told what to do by one line of JSON on its standard input (never by
 * argv, never by a file: the order holds the environment and the secrets to redact), and from then on speaks
 * only through files in its run directory, so that any later process can take the run up:
 *
 * | file | written | content |
 * | --- | --- | --- |
 * | `begun.json` | atomically, before the command starts; again once it has | RunBegun |
 * | `engine.log` | as output comes, redacted, valid UTF-8, stdout and stderr interleaved by line | text |
 * | `stop.json` | by whoever wants the run to end | StopRequest |
 * | `end.json` | atomically, when nothing of the command's process tree is left | RunEnd |
 */
import type { EventDigest, EventRules } from '../engines/descriptor.ts';

export const BEGUN_FILE = 'begun.json';
export const LOG_FILE = 'engine.log';
export const STOP_FILE = 'stop.json';
export const END_FILE = 'end.json';
/** The environment variable that marks every process of one run, with the order's `mark` as its value. */
export const MARK_VARIABLE = 'AQ_RUN_MARK';

export interface RunOrder {
  /** Absolute path of the run directory, which exists and is private to this run. */
  readonly dir: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** The command's complete environment; the supervisor adds only MARK_VARIABLE. */
  readonly env: Readonly<Record<string, string>>;
  /** File that becomes the command's standard input; null for an empty one. Never an open pipe. */
  readonly stdin: string | null;
  /** Milliseconds of awake time (monotonic clock) until the run is ended; null for no limit. */
  readonly timeoutMs: number | null;
  /** Random, unguessable; finds daemonised children. */
  readonly mark: string;
  /** Values that must not reach the log. */
  readonly secrets: readonly string[];
  /** How the command's standard output is read; null for plain text. */
  readonly events: EventRules | null;
  /** After its final event the command gets this long (ms) to exit by itself; then it is ended, and it counts as ended by `final-event`. */
  readonly lingerMs: number;
  /** The way out of a stop: SIGINT, then SIGTERM after `interruptMs`, then SIGKILL of all that is left after `terminateMs` more. */
  readonly grace: { readonly interruptMs: number; readonly terminateMs: number };
}

export interface ProcessIdentity {
  readonly pid: number;
  /** When the process started, in the platform's own unit: with the pid it names one process for ever. */
  readonly startTime: string;
}

export interface RunBegun {
  readonly version: 1;
  readonly mark: string;
  readonly supervisor: ProcessIdentity;
  /** Absent until the command has been started. */
  readonly child?: ProcessIdentity;
  /** Wall clock, ms since the epoch. */
  readonly startedAt: number;
}

export interface StopRequest {
  readonly reason: 'cancel' | 'revoked' | 'shutdown';
}

export interface RunEnd {
  readonly version: 1;
  /** What made it end. `itself`: it exited without being asked to; `timeout`: it had not had its last word by then. */
  readonly endedBy: 'itself' | 'timeout' | 'stop' | 'final-event' | 'spawn-error';
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** Only with `spawn-error`: the system's reason, e.g. `ENOENT`. */
  readonly spawnError?: string;
  readonly stopReason?: StopRequest['reason'];
  readonly startedAt: number;
  readonly endedAt: number;
  /** Awake time, by the monotonic clock. */
  readonly durationMs: number;
  readonly logBytes: number;
  /** What the command's events said; for plain text only `text` (the last lines of output, at most 16 KiB). */
  readonly digest: EventDigest;
  /** Processes that could not be ended (0 unless the system refused). */
  readonly survivors: number;
}
