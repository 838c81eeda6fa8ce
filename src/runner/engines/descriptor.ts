/**
 * Engines are data: one descriptor says everything that the runner knows of an engine. The built-in ones are in
 * builtin.ts; a person adds their own, of the same form, in the setting `agentQueue.engines`.
 */

/** How a field is found in one JSON event: a dotted path, e.g. `usage.input_tokens`, `message.content.0.text`. */
export type FieldPath = string;
/** An event matches when every path holds exactly this value. */
export type EventMatch = Readonly<Record<FieldPath, string | number | boolean>>;
/** Where a value stands: a path in any event, or in those events only that match `when`. */
export type FieldSource =
  | FieldPath
  | {
      readonly path: FieldPath;
      /** Also spares the reader the parsing of every other event; and keeps echoes of the prompt out of the answer. */
      readonly when?: EventMatch;
      /** The value comes in parts: texts are joined, numbers added. */
      readonly accumulate?: boolean;
      /** Other numbers of the same event that belong to it and are added, where they are there. */
      readonly plus?: readonly FieldPath[];
      /** Numbers of the same event that do not belong to it and are taken away. */
      readonly minus?: readonly FieldPath[];
    };

/** How the lines that an engine prints on standard output are read (one JSON value a line; other lines are text). */
export interface EventRules {
  /** The event after which the engine has nothing more to say. */
  readonly final: readonly EventMatch[];
  /** Events that say by themselves that the engine failed. */
  readonly failed?: readonly EventMatch[];
  /** In a final event: the path of a flag which, when true, says that it failed. */
  readonly errorFlag?: FieldPath;
  /** Where error text, session id, final answer, cost (US dollars) and tokens stand; in one event the first that holds something wins. Last event wins. */
  readonly error?: readonly FieldSource[];
  readonly session?: readonly FieldSource[];
  readonly text?: readonly FieldSource[];
  readonly costUsd?: readonly FieldSource[];
  readonly inputTokens?: readonly FieldSource[];
  readonly outputTokens?: readonly FieldSource[];
  /** Whose cost and tokens these are: the run's (the default), or all that the session has used since it began. */
  readonly usage?: 'run' | 'session';
  /** When a limit that was hit is lifted, in seconds since the epoch. */
  readonly limitedUntil?: readonly FieldSource[];
  /** The HTTP status with which the model service has refused. */
  readonly status?: readonly FieldSource[];
  /** What it wanted to do and was not allowed to, e.g. the name of a tool. */
  readonly denied?: readonly FieldSource[];
}

/** What an engine's events said in the end. Folded line by line by `readEvent` (events.ts). */
export interface EventDigest {
  /** A final event was seen. */
  readonly final: boolean;
  /** An event or a flag said that it failed. */
  readonly failed: boolean;
  readonly error?: string;
  readonly sessionId?: string;
  /** The final answer (or the last text), at most 16 KiB. */
  readonly text?: string;
  readonly costUsd?: number;
  readonly inputTokens?: number;
  readonly outputTokens?: number;
  /** When a limit that was hit is lifted: seconds since the epoch. */
  readonly limitedUntil?: number;
  /** The HTTP status with which the model service has refused. */
  readonly status?: number;
  /** What it was not allowed to do. */
  readonly denied?: string;
}

export interface EngineDescriptor {
  /** The name in a job's `engine:` key, and the capability `engine:<name>`. */
  readonly name: string;
  /** For people, e.g. `Claude Code`. */
  readonly label: string;
  /** Names looked for on the PATH in turn, or one absolute path. Empty only for the built-in `shell`. */
  readonly executable: readonly string[];
  readonly versionArgs: readonly string[];
  /** How the prompt reaches the engine: standard input, or a file whose path replaces `{promptFile}` in `args`. Never an argument itself. */
  readonly prompt: 'stdin' | 'file';
  /** Arguments; `{cwd}`, `{promptFile}`, `{sessionId}` and `{yolo}` (`true` or `false`) are replaced. */
  readonly args: readonly string[];
  /** Added when the job says `yolo: true`. */
  readonly yoloArgs?: readonly string[];
  readonly yoloEnv?: Readonly<Record<string, string>>;
  /** Environment when the job does not say `yolo`, for an engine whose own default is to act without asking. */
  readonly carefulEnv?: Readonly<Record<string, string>>;
  /** The yolo flag is refused by the engine when it runs as root. */
  readonly yoloRefusedForRoot?: boolean;
  /** Environment with any of which it refuses no longer: by these a container says that it is one. */
  readonly rootAllowedWith?: Readonly<Record<string, string>>;
  /** Who names the session: we do (`{sessionId}` in args, a UUID), the engine does (read from its events), or nobody. */
  readonly session: 'given' | 'told' | 'none';
  /** Arguments that replace `args` when a session is resumed; `{sessionId}` names it. Absent: it can't be resumed. */
  readonly resumeArgs?: readonly string[];
  /** How standard output is read; absent for plain text. */
  readonly events?: EventRules;
  /** What certain exit codes mean. */
  readonly exitCodes?: Readonly<Record<string, { readonly code: FailureCode; readonly meaning: string }>>;
  /** Texts (case-insensitive regular expressions) in the error or the last output that tell a known failure. */
  readonly patterns?: readonly { readonly match: string; readonly code: FailureCode }[];
  /** Names of environment variables, beyond the common ones, that the engine may see; a trailing `*` matches any rest. */
  readonly env?: readonly string[];
  /** Extra environment that is always set. */
  readonly setEnv?: Readonly<Record<string, string>>;
  /** Never exits reliably after its final event: ended after this long (ms). Default 10 000. */
  readonly lingerMs?: number;
  /** Whether jobs that a coordinator hands out may use it without being allowed by name. Default true; false for `shell`. */
  readonly claimable?: boolean;
  /** The commands that install it and log in, for error messages. */
  readonly install?: string;
  readonly login?: string;
}

/** Why a run did not succeed, for programs. `rate-limit` and `failed` can be retried as they are; `login`, `root`, `input` need a person. */
export type FailureCode =
  | 'failed'
  | 'rate-limit'
  | 'login'
  | 'input'
  | 'limit'
  | 'root'
  | 'cancelled'
  | 'timeout'
  | 'no-result'
  | 'no-final-event'
  /** The session that it was to go on with is not there any more. */
  | 'no-session'
  | 'interrupted'
  | 'spawn';
