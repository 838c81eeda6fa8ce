/**
 * The runner loop of one home: takes jobs out of the inbox, keeps as many in work as allowed, and takes up what an
 * earlier runner left. Exactly one per home is alive at a time: whoever starts one holds the home's runner lock.
 *
 * It sleeps until something happens (a file in the inbox, a request, the end of a job, a retry that is due), with
 * a slow look around beside it because file watchers miss things.
 */
import { type Clock, SECOND } from '../platform/clock.ts';
import { isDiskTrouble, messageOf, UserError } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';
import type { Hold } from './budget.ts';
import { attachFleet } from './claimed/attach.ts';
import { transitionOf } from './claimed/told.ts';
import { DISK_RETRY, drive } from './drive.ts';
import type { Inbox, InboxEntry } from './home/inbox.ts';
import { newestIn } from './home/journal.ts';
import type { Store } from './home/store.ts';
import type { Hooks } from './hooks.ts';
import { laterOf, newState } from './job/moves.ts';
import { isDue, type Later, type Plan, plan, waitText } from './job/schedule.ts';
import type { JobState } from './job/state.ts';
import { folderLock, type LockTable } from './lock-table.ts';
import { finishAll } from './quarantine/new-job.ts';
import { tidyQuarantine } from './quarantine/tidy.ts';
import { neededJobs, queuedJobs, takeJob } from './queue.ts';
import type { Settings } from './settings.ts';
import { ACTIVE_STAGES, type Stage } from './stages.ts';
import { releaseOrphans } from './steps/orphans.ts';
import type { Workshop } from './steps/workshop.ts';
import { type Stopped, Work } from './work.ts';

/** A look around although nothing was heard, ms. */
const SLOW_LOOK = 15 * SECOND;
/** The same while another home holds a lock that a job here waits for, ms. */
const LOCK_LOOK = 1 * SECOND;

export interface RunnerOptions {
  readonly store: Store;
  readonly inbox: Inbox;
  readonly clock: Clock;
  readonly log: Log;
  readonly hooks: Hooks;
  readonly locks: LockTable;
  readonly settings: () => Settings;
  readonly workshop: Workshop;
  /** False: only carries out requests and goes on with jobs that they concern; takes nothing from the inbox. */
  readonly takesJobs: boolean;
  /** Called after anything that a person can see has changed. */
  readonly changed: () => void;
}

interface Active {
  readonly work: Work;
  readonly done: Promise<void>;
}

export class Runner {
  readonly options: RunnerOptions;
  readonly #active = new Map<string, Active>();
  readonly #urgent = new Set<string>();
  /** A person runs these now: no ceiling holds them. */
  readonly #anyway = new Set<string>();
  readonly #later = new Map<string, Later>();
  readonly #folders = new Map<string, string>();
  /** A look around and a person's word may want the same job in one moment: it is taken once, and both are told so. */
  readonly #taking = new Map<string, Promise<boolean>>();
  #wake = Promise.withResolvers<void>();
  /** Something has happened since the current look around began. */
  #woken = false;
  #stopping = false;
  readonly #stopped = new AbortController();
  /** A job could not be taken because a job of another home holds its lock. */
  #lockedElsewhere = false;
  /** What has been said of the day's ceiling. */
  #saidHold: string | undefined;
  #loop: Promise<void> | undefined;
  #tidying: Promise<void> | undefined;
  #quiet = Promise.withResolvers<void>();
  /** What is being done with jobs that are in nobody's work. */
  readonly #inHand = new Set<Promise<void>>();

  constructor(options: RunnerOptions) {
    this.options = options;
  }

  /** Takes up what an earlier runner left, then begins. Resolves when every such job is in hand again. */
  async start(): Promise<void> {
    const { store } = this.options;
    await finishAll(this);
    await attachFleet(this);
    if (!this.options.takesJobs) return;
    await this.#remember();
    for (const stage of ACTIVE_STAGES) {
      for (const id of await store.list(stage)) await this.takeUp(id, stage);
    }
    this.#loop = this.#run();
    this.#tidying = this.#tidy();
  }

  /** Takes no more jobs and lets go of those in work; their engines go on, for the next runner to take up. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#stopped.abort();
    this.#wake.resolve();
    for (const { work } of this.#active.values()) work.abort.abort(new Error('the runner stops'));
    await Promise.all([...this.#active.values()].map(({ done }) => done));
    await Promise.all([this.#loop, this.#tidying, ...this.#inHand]);
    await this.options.hooks.detach();
    // What the fleet has taken away meanwhile is on its way into quarantine: not under the next runner's hands.
    await Promise.all(this.#inHand);
    await this.options.inbox.save();
  }

  /** Aborted when the runner is to stop. */
  get stopped(): AbortSignal {
    return this.#stopped.signal;
  }

  /** Something may have happened. */
  wake(): void {
    this.#woken = true;
    this.#wake.resolve();
  }

  /** Resolves when nothing is in work and nothing in the inbox can be run now. */
  async idle(): Promise<void> {
    await this.#quiet.promise;
  }

  /** The job in work under this id. */
  active(id: string): Work | undefined {
    return this.#active.get(id.toLowerCase())?.work;
  }

  /** Ends a job in work; resolves when nothing of it is left running and its file has moved. */
  async end(id: string, reason: Stopped): Promise<void> {
    const active = this.#active.get(id.toLowerCase());
    active?.work.abort.abort(reason);
    await active?.done;
  }

  /** Marks a queued job as next. */
  hurry(name: string): void {
    this.#urgent.add(name);
    this.#heard(name);
  }

  /** Takes a queued job at a person's word, beyond `maxParallel` and every ceiling. Undefined: taken; else what it waits for, in words. */
  async takeNow(name: string): Promise<string | undefined> {
    this.#urgent.add(name);
    this.#anyway.add(name);
    try {
      const wait = (await this.#plan()).waits.get(name);
      const text = wait && waitText(wait);
      if (text !== undefined) return text;
      // A look around may have been quicker: then it runs as well.
      return (await this.#take(name)) || this.active(name) !== undefined
        ? undefined
        : 'is no longer in the inbox, or another home holds its lock';
    } finally {
      this.#urgent.delete(name);
      this.#anyway.delete(name);
    }
  }

  /** Something that is being done with a job and that the runner does not leave half done. Resolves with it. */
  async seeTo(doing: Promise<void>): Promise<void> {
    const over = doing.then(
      () => undefined,
      () => undefined,
    );
    this.#inHand.add(over);
    try {
      await doing;
    } finally {
      this.#inHand.delete(over);
      this.wake();
    }
  }

  /** Resolves when nothing is in work. */
  async drained(): Promise<void> {
    while (this.#active.size > 0) await Promise.all([...this.#active.values()].map(({ done }) => done));
  }

  /** Resolves when the job is not in work: it has come to its stage for now. */
  async settled(id: string): Promise<void> {
    await this.#active.get(id.toLowerCase())?.done;
  }

  /** A job whose file has just come to where it waits for a person is in our hands for a moment longer: until then. */
  async atRest(id: string): Promise<void> {
    const state = this.active(id)?.state;
    if (state === undefined) return;
    const isActive = (ACTIVE_STAGES as readonly Stage[]).includes(state.stage);
    if (!isActive || (state.stage === 'testing' && waitsForShip(state))) await this.settled(id);
  }

  /** @throws UserError `busy` while the job is in work. */
  mustBeIdle(id: string): void {
    if (this.active(id) === undefined) return;
    throw new UserError(
      'busy',
      `${id} is being worked on. Nothing was changed.`,
      'Cancel it first, or wait until it is done.',
    );
  }

  /** Takes a job in an active stage into work; does nothing for one that waits for a person or is in hand already. */
  async takeUp(id: string, stage: Stage, options: { readonly ship?: boolean } = {}): Promise<void> {
    const { store, clock, locks, log } = this.options;
    if (this.#active.has(id.toLowerCase())) return;
    const known = (await store.readState(id)) ?? reconstructed(id, clock.now());
    const state: JobState = { ...known, stage };
    if (stage === 'testing' && options.ship !== true && waitsForShip(state)) return;
    const conflict = locks.take(locksOf(state), id);
    // In testing it is waited for where something is run (steps/test.ts).
    if (conflict !== undefined && stage !== 'testing') {
      log.warn(`${id}: ${conflict.name} is held by ${conflict.holder}. It goes on, because it had begun.`);
    }
    this.#begin(state, options.ship ?? false);
  }

  /** Jobs that went back into the queue under an earlier runner, with a person's word or a date. */
  async #remember(): Promise<void> {
    const { store } = this.options;
    for (const id of await newestIn(store.layout.journal, 'queued')) {
      if ((await store.locate(id)) !== 'queued') continue;
      const state = await store.readState(id);
      if (state === undefined) continue;
      if (state.urgent === true) this.#urgent.add(id);
      const later = laterOf(state);
      if (later !== undefined) this.#later.set(id, later);
    }
  }

  async #tidy(): Promise<void> {
    const { workshop, store, log } = this.options;
    try {
      await releaseOrphans(workshop, store, (id) => this.active(id) !== undefined);
    } catch (error) {
      log.warn(`Left-over worktrees were not looked at: ${messageOf(error)}`);
    }
    try {
      await tidyQuarantine(workshop, store);
    } catch (error) {
      log.warn(`Quarantine was not looked at: ${messageOf(error)}`);
    }
  }

  #heard(name: string): void {
    this.options.inbox.heard(`${name}.md`);
    this.wake();
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      this.#wake = Promise.withResolvers();
      this.#woken = false;
      let again = SLOW_LOOK;
      try {
        again = await this.#round();
      } catch (error) {
        this.#say(error);
        again = DISK_RETRY;
      }
      await Promise.race([this.#wake.promise, this.#pause(again)]);
    }
  }

  #say(error: unknown): void {
    const { log } = this.options;
    if (!isDiskTrouble(error)) return log.error(error instanceof Error ? error : messageOf(error));
    log.warn(
      `No job is taken: the disk takes no writes (${messageOf(error)}); waiting for it. Nothing is lost.`,
    );
  }

  async #pause(ms: number): Promise<void> {
    const timer = new AbortController();
    void this.#wake.promise.then(() => timer.abort());
    await this.options.clock.sleep(ms, timer.signal).catch(() => undefined);
  }

  /** One look around; returns in how many ms to look again if nothing happens. */
  async #round(): Promise<number> {
    const { inbox, clock, settings, hooks } = this.options;
    const began = clock.now();
    const growing = await inbox.refresh();
    const next = await this.#plan();
    const hold = this.#sayHold(next);
    let took = 0;
    this.#lockedElsewhere = false;
    for (const name of next.start) if (!this.#stopping && (await this.#take(name))) took += 1;
    const hasRoom = hold === undefined && this.#active.size < settings().maxParallel;
    if (took === 0 && next.start.length === 0 && hasRoom) {
      // Local files come first: whatever happens in the inbox meanwhile does not wait for a coordinator.
      const claimed = hooks.claim(this.#stopped.signal);
      if (await Promise.race([claimed, this.#wake.promise.then(() => false)])) took += 1;
    }
    const isQuiet = this.#active.size === 0 && this.#inHand.size === 0 && growing === undefined;
    if (took === 0 && isQuiet && !this.#woken) {
      this.#quiet.resolve();
      await inbox.save();
    }
    // Nothing tells of a lock that another home lets go of.
    const patience = this.#lockedElsewhere ? LOCK_LOOK : SLOW_LOOK;
    const day = hold === undefined ? SLOW_LOOK : Math.max(hold.until - clock.now(), 0);
    return Math.min(patience, this.#nextRetry(began), growing ?? SLOW_LOOK, day);
  }

  /** Says once that the day's ceiling holds new work, if any waits. */
  #sayHold({ waits }: Plan): Hold | undefined {
    const { hold } = this.options.workshop.spending;
    const isWaitedFor = [...waits.values()].some(({ code }) => code === 'budget');
    if (hold !== undefined && isWaitedFor && this.#saidHold !== hold.text) {
      this.options.log.warn(
        `Nothing new is started ${hold.text}. What runs goes on. To start more today, raise \`agentQueue.budget.perDay${hold.unit === 'usd' ? 'Usd' : 'Tokens'}\`.`,
      );
    }
    if (isWaitedFor) this.#saidHold = hold?.text;
    return hold;
  }

  /** In how many ms the next automatic retry is due. One that was due at `began` waits for something else, which wakes us. */
  #nextRetry(began: number): number {
    const { inbox, clock } = this.options;
    for (const name of this.#later.keys()) if (inbox.get(name) === undefined) this.#later.delete(name);
    const ahead = [...this.#later.values()].filter((later) => !isDue(later, began));
    return Math.min(...ahead.map(({ at }) => Math.max(at - clock.now(), 0)));
  }

  async #plan(): Promise<Plan> {
    const { store, inbox, clock, settings, locks, workshop } = this.options;
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
      running: this.#active.size,
      maxParallel: settings().maxParallel,
      locks: locks.holders(),
      needed: await neededJobs(store, queue),
      lacking: await workshop.lacking(queue.flatMap((job) => job.requires)),
    });
  }

  /** Takes a job out of the inbox into work. Its lock comes first: who can't have that leaves the job where it is. */
  #take(name: string): Promise<boolean> {
    const taking = this.#taking.get(name) ?? this.#takeNew(name).finally(() => this.#taking.delete(name));
    this.#taking.set(name, taking);
    return taking;
  }

  async #takeNew(name: string): Promise<boolean> {
    const { inbox, locks } = this.options;
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
      this.#begin(taken, false);
      return true;
    } finally {
      locks.releaseAll(claimant);
    }
  }

  async #claim(entry: InboxEntry): Promise<JobState | undefined> {
    const { store, inbox, clock, hooks } = this.options;
    const { name } = entry;
    const { spending } = this.options.workshop;
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
      this.options.changed();
      return undefined;
    }
    this.#folders.delete(name);
    await hooks.transition(transitionOf(took.taken, 'queued'));
    return took.taken;
  }

  /** Takes a job into work whose file lies in an active stage. Nothing once the runner stops: the next one takes it up. */
  begin(state: JobState): void {
    if (!this.#stopping) this.#begin(state, false);
  }

  /** How many jobs are in work. */
  get running(): number {
    return this.#active.size;
  }

  #begin(state: JobState, ship: boolean): void {
    const work = new Work({
      store: this.options.store,
      state,
      log: this.options.log,
      changed: this.options.changed,
    });
    work.shipAsked = ship;
    const done = drive(work, this.options).finally(() => {
      this.#active.delete(work.id.toLowerCase());
      this.options.locks.releaseAll(work.id);
      if (work.folderWanted !== undefined) this.#folders.set(work.id, work.folderWanted);
      this.#heard(work.id);
      this.options.changed();
    });
    this.#active.set(work.id.toLowerCase(), { work, done });
    this.options.changed();
  }
}

/** A state for a job whose own is missing: a person put its file here by hand, or the state could not be read. */
function reconstructed(id: string, now: number): JobState {
  return newState({ id, title: id, priority: 5, addedAt: now });
}

/** It has passed after a person's approval, and ships at a person's word. (One without `review` ships by itself.) */
function waitsForShip({ candidate, landing, approvedAt }: JobState): boolean {
  return candidate !== undefined && landing === undefined && approvedAt !== undefined;
}

/** What it held when its runner died: a runner's locks go with it. */
function locksOf({ locks = [], place }: JobState): string[] {
  return place === undefined || place.kind === 'worktree' ? locks : [...locks, folderLock(place.cwd)];
}
