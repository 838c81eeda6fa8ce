/** What names a process for ever: pids are used again, and a start time tells one user of a pid from the next. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it started, in the platform's own unit; only ever compared for equality. */
  readonly startTime: string;
}

/** A process that runs. Zombies do not: nothing is left of them but an exit status that nobody has fetched. */
export interface ProcessEntry extends ProcessIdentity {
  readonly ppid: number;
  /** Its process group; its own pid on Windows, which has none. */
  readonly pgid: number;
}

/** A process is inherited the variable by its parent, so it marks all that a marked process starts. */
export interface EnvironmentMark {
  readonly name: string;
  readonly value: string;
}

/** How one operating system is asked. */
export interface ProcessSource {
  /** The processes that run; with `only`, those of the given pids. */
  list(only?: readonly number[]): Promise<ProcessEntry[]>;
  /** Those whose environment, as it was when they started, holds the mark. */
  marked(mark: EnvironmentMark): Promise<ProcessEntry[]>;
}
