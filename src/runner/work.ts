/** One job in the runner's hands: what is known of it, and the ways to keep that on disk. */
import type { Log } from '../platform/log.ts';
import type { Store } from './home/store.ts';
import type { Revocation } from './hooks.ts';
import type { JobState } from './job/state.ts';
import type { Manifest } from './manifest/parse.ts';
import type { StopRequest } from './supervisor/contract.ts';

/** Thrown by a step when the job has been cancelled or revoked under it. */
export class Stopped extends Error {
  override readonly name = 'Stopped';
  readonly reason: StopRequest['reason'];

  /** Of a job that was taken away. */
  readonly why: Revocation | undefined;

  constructor(reason: StopRequest['reason'], why?: Revocation) {
    super(`stopped: ${reason}`);
    this.reason = reason;
    this.why = why;
  }
}

export class Work {
  readonly store: Store;
  readonly log: Log;
  /** Aborted with a Stopped when the job is to end, or with another reason when the runner only lets go of it. */
  readonly abort = new AbortController();
  /** A person has asked to ship it. */
  shipAsked = false;
  /** The lock of the folder that it must have to itself and could not get. */
  folderWanted: string | undefined;
  #state: JobState;
  readonly #changed: () => void;

  constructor(options: { store: Store; state: JobState; log: Log; changed: () => void }) {
    this.store = options.store;
    this.log = options.log;
    this.#state = options.state;
    this.#changed = options.changed;
  }

  get id(): string {
    return this.#state.id;
  }

  get state(): JobState {
    return this.#state;
  }

  get signal(): AbortSignal {
    return this.abort.signal;
  }

  /** Keeps facts without changing the stage. On disk when it resolves. */
  save(patch: Partial<JobState>): Promise<void> {
    return this.replace({ ...this.#state, ...patch });
  }

  /** The same for facts that are no longer true. */
  async replace(state: JobState): Promise<void> {
    await this.store.keep(state);
    this.#state = state;
    this.#changed();
  }

  /** Facts that need no write of their own: they are on disk with the next one, which is near. */
  note(state: JobState): void {
    this.#state = state;
  }

  /** To the stage that `state` names. On disk when it resolves. */
  async transition(state: JobState): Promise<void> {
    await this.store.transition(state, this.#state.stage);
    this.#state = state;
    this.#changed();
  }
}

/** A job file that can be run: read and free of errors. */
export interface ReadJob {
  readonly manifest: Manifest;
  readonly body: string;
}
