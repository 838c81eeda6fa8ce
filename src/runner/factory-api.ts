/** What the views and the command line ask of a home; Factory (factory.ts) is the one implementation. */
import type { Board, Command, CommandAnswer, JobRow } from './board.ts';
import type { QuarantineReader } from './quarantine/reader.ts';
import type { Stage } from './stages.ts';

/** One changed file of a job's work. */
export interface ChangedFile {
  readonly path: string;
  readonly oldPath?: string;
  readonly status: 'added' | 'modified' | 'deleted' | 'renamed' | 'type-changed';
  readonly binary: boolean;
}

/** The work of a job as two commits in a repository. */
export interface Changes {
  /** A folder of the repository that holds both commits. */
  readonly repository: string;
  readonly base: string;
  readonly commit: string;
  readonly files: readonly ChangedFile[];
}

export interface FactoryApi {
  readonly home: string;
  /**
   * All that the Inbox shows. Reads the disk; never waits for a network or a process. `atOnce`: the first time, what
   * was there when the home was last looked at will do; a change is told as soon as it has been looked at again.
   */
  board(options?: { readonly atOnce?: boolean }): Promise<Board>;
  /** One job; undefined when there is no such job. */
  job(id: string): Promise<JobRow | undefined>;
  /** All jobs of a finished stage, newest first, a page at a time. */
  page(stage: Stage, offset: number, limit: number): Promise<readonly JobRow[]>;
  /** Puts a job into the inbox; returns its id. `name` becomes the id, in a legal form. Never overwrites. */
  add(text: string, name: string): Promise<string>;
  /** Moves queued jobs so that they run right before `before` (undefined: last). */
  reorder(ids: readonly string[], before: string | undefined): Promise<void>;
  /** Carries the request out here when this process is the runner, else passes it on; resolves when it is answered. */
  execute(command: Command): Promise<CommandAnswer>;
  /** Today's ceiling holds nothing any more, whoever is the runner; tomorrow's does again. */
  runAnywayToday(): Promise<void>;
  /** The work of a job that has some; throws a UserError in words when it has none or it is gone. */
  changes(id: string): Promise<Changes>;
  /** A file's content at a commit; undefined when it isn't there. */
  fileAt(repository: string, commit: string, path: string): Promise<Uint8Array | undefined>;
  /** Results that lost their lease. */
  readonly quarantine: Pick<QuarantineReader, 'page' | 'entry' | 'compare' | 'compareFile' | 'patch'>;
  /** Becomes the runner as soon as no other process is. Resolves when the wait has begun; `board().runner` tells. */
  startRunner(): Promise<void>;
  /** Takes no more work; engines that run go on, and the next runner takes them up. */
  stopRunner(): Promise<void>;
  /** Called (at most every 50 ms) after anything on the board may have changed. Returns the unsubscribe. */
  onDidChange(listener: () => void): () => void;
  dispose(): Promise<void>;
}
