/**
 * The runner's side of the inbox: what it remembers of queued jobs beside their files, which of them are next, and
 * the taking of each, once, with its lock first.
 */
import { SECOND } from '../platform/clock.ts';
import type { Hold } from './budget.ts';
import { transitionOf } from './claimed/told.ts';
import type { InboxEntry } from './home/inbox.ts';
import { newestIn } from './home/journal.ts';
import { laterOf } from './job/moves.ts';
import { isDue, type Later, type Plan, plan, waitText } from './job/schedule.ts';
import type { JobState } from './job/state.ts';
import type { RunnerOptions } from './options.ts';
import { neededJobs, queuedJobs, takeJob } from './queue.ts';

/** A look at the inbox although nothing was heard, ms. */
export const SLOW_LOOK = 15 * SECOND;
/** The same while another home holds a lock that a job here waits for, ms: nothing tells when it lets go. */
const LOCK_LOOK = 1 * SECOND;

/** What the runner has in work. */
export interface Hands {
  readonly running: number;
  has(id: string): boolean;
  /** Resolves when the job is not in work. */
  settled(id: string): Promise<void>;
  /** A job that has just been taken; false: the runner stops, and the next one takes it up. */
  begin(taken: JobState): boolean;
}

export class Intake {
  readonly #options: RunnerOptions;
  readonly #hands: Hands;
  readonly #heard: (name: string) => void;
  readonly #urgent = new Set<string>();
  /** A person runs these now: no ceiling holds them. */
  readonly #anyway = new Set<string>();
  readonly #later = new Map<string, Later>();
  readonly #folders = new Map<string, string>();
  /** A look around and a person's word may want the same job in one moment: it is taken once, and both are told so. */
  readonly #taking = new Map<string, Promise<boolean>>();
  /** A job could not be taken because a job of another home holds its lock. */
  #lockedElsewhere = false;
  /** What has been said of the day's ceiling. */
  #saidHold: string | undefined;

  /** @param heard told of a job whose file should be looked at again */
  constructor(options: RunnerOptions, hands: Hands, heard: (name: string) => void) {
    this.#options = options;
    this.#hands = hands;
    this.#heard = heard;
  }

  /** Jobs that went back into the queue under an earlier runner, with a person's word or a date. */
  async remember(): Promise<void> {
    const { store } = this.#options;
    for (const id of await newestIn(store.layout.journal, 'queued')) {
      if ((await store.locate(id)) !== 'queued') continue;
      const state = await store.readState(id);
      if (state === undefined) continue;
      if (state.urgent === true) this.#urgent.add(id);
      const later = laterOf(state);
      if (later !== undefined) this.#later.set(id, later);
    }
  }

  /** Marks a queued job as next. */
  hurry(name: string): void {
    this.#urgent.add(name);
    this.#heard(name);
  }

  /** A job that goes back into the inbox needs this folder to itself. */
  needsFolder(id: string, lock: string): void {
    this.#folders.set(id, lock);
  }

  /** What could be started now, and what every other job waits for. */
  async plan(): Promise<Plan> {
    const { store, inbox, clock, settings, locks, workshop } = this.#options;
    const queue = queuedJobs(inbox.entries(), {
      urgent: this.#urgent,
      anyway: this.#anyway,
      later: this.#later,
      folders: this.#folders,
    });
    const hold = await workshop.spending.look();
    return plan(queue, {
      hold,
      now: clock.now(),
      running: this.#hands.running,
      maxParallel: settings().maxParallel,
      locks: locks.holders(),
      needed: await neededJobs(store, queue),
      lacking: await workshop.lacking(queue.flatMap((job) => job.requires)),
    });
  }

  /** Takes those of them that are still to be had, until `until` says so; how many. */
  async takeAll(names: readonly string[], until: () => boolean): Promise<number> {
    let took = 0;
    this.#lockedElsewhere = false;
    for (const name of names) if (!until() && (await this.#take(name))) took += 1;
    return took;
  }

  /** Takes a queued job at a person's word, beyond `maxParallel` and every ceiling. Undefined: taken; else what it waits for, in words. */
  async takeNow(name: string): Promise<string | undefined> {
    this.#urgent.add(name);
    this.#anyway.add(name);
    try {
      const wait = (await this.plan()).waits.get(name);
      const text = wait && waitText(wait);
      if (text !== undefined) return text;
      // A look around may have been quicker: then it runs as well.
      return (await this.#take(name)) || this.#hands.has(name)
        ? undefined
        : 'is no longer in the inbox, or another home holds its lock';
    } finally {
      this.#urgent.delete(name);
      this.#anyway.delete(name);
    }
  }

  /** Says once that the day's ceiling holds new work, if any waits. */
  sayHold({ waits }: Plan): Hold | undefined {
    const { hold } = this.#options.workshop.spending;
    const isWaitedFor = [...waits.values()].some(({ code }) => code === 'budget');
    if (hold !== undefined && isWaitedFor && this.#saidHold !== hold.text) {
      this.#options.log.warn(
        `Nothing new is started ${hold.text}. What runs goes on. To start more today, raise \`agentQueue.budget.perDay${hold.unit === 'usd' ? 'Usd' : 'Tokens'}\`.`,
      );
    }
    if (isWaitedFor) this.#saidHold = hold?.text;
    return hold;
  }

  /** In how many ms to look again if nothing is heard. What was due at `began` (wall clock, ms) waits for something else, which wakes us. */
  patience(began: number): number {
    const { inbox, clock } = this.#options;
    for (const name of this.#later.keys()) if (inbox.get(name) === undefined) this.#later.delete(name);
    const ahead = [...this.#later.values()].filter((later) => !isDue(later, began));
    const nextDue = Math.min(...ahead.map(({ at }) => Math.max(at - clock.now(), 0)));
    return Math.min(this.#lockedElsewhere ? LOCK_LOOK : SLOW_LOOK, nextDue);
  }

  /** Takes a job out of the inbox into work. Its lock comes first: who can't have that leaves the job where it is. */
  #take(name: string): Promise<boolean> {
    const taking = this.#taking.get(name) ?? this.#takeNew(name).finally(() => this.#taking.delete(name));
    this.#taking.set(name, taking);
    return taking;
  }

  async #takeNew(name: string): Promise<boolean> {
    const { inbox, locks } = this.#options;
    const entry = inbox.get(name);
    if (entry === undefined) return false;
    const claimant = `${name} in the inbox`;
    const { lock } = entry.header;
    if (lock !== undefined && locks.take([lock], claimant) !== undefined) {
      this.#lockedElsewhere = true;
      return false;
    }
    try {
      const taken = await this.#claim(entry);
      if (taken === undefined) return false;
      locks.handOver(claimant, taken.id);
      if (!this.#hands.begin(taken)) locks.releaseAll(taken.id);
      return true;
    } finally {
      locks.releaseAll(claimant);
    }
  }

  async #claim(entry: InboxEntry): Promise<JobState | undefined> {
    const { store, inbox, clock, hooks } = this.#options;
    const { name } = entry;
    const { spending } = this.#options.workshop;
    const took = await takeJob({
      ...{ store, inbox, entry, clock, urgent: this.#urgent.has(name) },
      within: (queued) => (this.#anyway.has(name) ? queued : spending.within(queued)),
    });
    this.#urgent.delete(name);
    this.#later.delete(name);
    if (took === undefined) {
      this.#heard(name);
      return undefined;
    }
    if ('later' in took) {
      this.#later.set(name, took.later);
      return undefined;
    }
    if ('held' in took) {
      this.#heard(name);
      await hooks.transition(transitionOf(took.held, 'queued'));
      this.#options.changed();
      return undefined;
    }
    this.#folders.delete(name);
    // Its file had come back into the inbox, but the work that put it there may not be quite over, nor have told of it.
    await this.#hands.settled(took.taken.id);
    await hooks.transition(transitionOf(took.taken, 'queued'));
    return took.taken;
  }
}
