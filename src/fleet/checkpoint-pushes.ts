/**
 * Brings a job's work to its own ref on the remote before the report that names it, so that whoever has the job
 * next need not begin anew (rule 10). It runs beside the loop, which may have renewals to send meanwhile, and only
 * under a lease that is held: one that comes into doubt, or is lost, ends it.
 */
import { messageOf } from '../platform/errors.ts';
import type { AttachedRunner } from '../runner/hooks.ts';
import { type Held, keyFor } from './held.ts';
import type { FleetOptions } from './options.ts';
import type { Report } from './outbox.ts';
import type { PushPhase } from './session.ts';

interface Surroundings {
  readonly options: FleetOptions;
  readonly runner: AttachedRunner | undefined;
}

export class CheckpointPushes {
  readonly #side: Surroundings;
  readonly #done: () => void;
  readonly #underWay = new Map<string, AbortController>();
  /** The commit that was pushed last, or tried: one that cannot be pushed does not hold its report up for ever. */
  readonly #tried = new Map<string, string>();

  /** @param done called when a push has ended and the loop should go on with the job's reports */
  constructor(side: Surroundings, done: () => void) {
    this.#side = side;
    this.#done = done;
  }

  /** @param report the oldest that waits */
  phaseOf(held: Held, report: Report | undefined): PushPhase {
    const key = keyFor(held);
    if (this.#underWay.has(key)) return 'under way';
    const commit = report?.checkpoint?.wipCommit;
    const isDue =
      this.#side.options.config.pushCheckpoints && commit !== undefined && this.#tried.get(key) !== commit;
    return isDue ? 'due' : 'none';
  }

  get isUnderWay(): boolean {
    return this.#underWay.size > 0;
  }

  begin(held: Held): void {
    void this.#push(held);
  }

  /** Of one job, or of all: nothing more leaves this machine until its lease is renewed. */
  giveUp(held?: Held): void {
    const keys = held === undefined ? [...this.#underWay.keys()] : [keyFor(held)];
    for (const key of keys) this.#underWay.get(key)?.abort();
  }

  /** The claim is at its end. */
  forget(held: Held): void {
    this.giveUp(held);
    this.#tried.delete(keyFor(held));
  }

  async #push(held: Held): Promise<void> {
    const { outbox, log } = this.#side.options;
    const checkpoint = outbox.next(held.id)?.checkpoint;
    const { runner } = this.#side;
    if (checkpoint === undefined || runner === undefined) return;
    const key = keyFor(held);
    const over = new AbortController();
    this.#underWay.set(key, over);
    try {
      await runner.pushCheckpoint(held.id, checkpoint, over.signal);
    } catch (error) {
      if (!over.signal.aborted)
        log.warn(
          `${held.id}: its checkpoint could not be pushed (${messageOf(error)}). It is safe here, but another laptop would begin anew.`,
        );
    }
    this.#underWay.delete(key);
    if (!over.signal.aborted) this.#tried.set(key, checkpoint.wipCommit);
    this.#done();
  }
}
