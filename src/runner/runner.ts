/**
 * The runner loop of one home: takes jobs out of the inbox, keeps as many in work as allowed, and takes up what an
 * earlier runner left. Exactly one per home is alive at a time: whoever starts one holds the home's runner lock.
 *
 * It sleeps until something happens (a file in the inbox, a request, the end of a job, a retry that is due), with
 * a slow look around beside it because file watchers miss things.
 */
import { isDiskTrouble, messageOf, UserError } from '../platform/errors.ts';
import { attachFleet } from './claimed/attach.ts';
import { transitionOf } from './claimed/told.ts';
import { DISK_RETRY, drive } from './drive.ts';
import { Intake, SLOW_LOOK } from './intake.ts';
import { move, newState } from './job/moves.ts';
import type { JobState } from './job/state.ts';
import { folderLock } from './lock-table.ts';
import type { RunnerOptions } from './options.ts';
import { finishAll } from './quarantine/new-job.ts';
import { tidyQuarantine } from './quarantine/tidy.ts';
import { ACTIVE_STAGES, type Stage } from './stages.ts';
import { endEarlierRuns } from './steps/earlier-runs.ts';
import { releaseOrphans } from './steps/orphans.ts';
import { type Stopped, Work } from './work.ts';

interface Active {
  readonly work: Work;
  readonly done: Promise<void>;
}

export class Runner {
  readonly options: RunnerOptions;
  readonly #active = new Map<string, Active>();
  readonly #intake: Intake;
  #wake = Promise.withResolvers<void>();
  /** Something has happened since the current look around began. */
  #woken = false;
  readonly #stopped = new AbortController();
  #loop: Promise<void> | undefined;
  #tidying: Promise<void> | undefined;
  #quiet = Promise.withResolvers<void>();
  /** What is being done with jobs that are in nobody's work. */
  readonly #inHand = new Set<Promise<void>>();

  constructor(options: RunnerOptions) {
    this.options = options;
    this.#intake = new Intake(options, this, (name) => this.#heard(name));
  }

  /** Takes up what an earlier runner left, then begins. Resolves when every such job is in hand again. */
  async start(): Promise<void> {
    const { store } = this.options;
    await finishAll(this);
    await attachFleet(this);
    if (!this.options.takesJobs) return;
    await this.#intake.remember();
    for (const stage of ACTIVE_STAGES) {
      for (const id of await store.list(stage)) await this.takeUp(id, stage);
    }
    this.#loop = this.#run();
    this.#tidying = this.#tidy();
  }

  /** Takes no more jobs and lets go of those in work; their engines go on, for the next runner to take up. */
  async stop(): Promise<void> {
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
    this.#intake.hurry(name);
  }

  /** Takes a queued job at a person's word, beyond `maxParallel` and every ceiling. Undefined: taken; else what it waits for, in words. */
  takeNow(name: string): Promise<string | undefined> {
    return this.#intake.takeNow(name);
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
    const { store, locks, log } = this.options;
    if (this.has(id)) return;
    const known = await store.readState(id);
    if (known === undefined) return this.#takeUpUnknown(id, stage);
    const state: JobState = { ...known, stage };
    if (stage === 'testing' && options.ship !== true && waitsForShip(state)) return;
    const conflict = locks.take(locksOf(state), id);
    // In testing it is waited for where something is run (steps/test.ts).
    if (conflict !== undefined && stage !== 'testing') {
      log.warn(`${id}: ${conflict.name} is held by ${conflict.holder}. It goes on, because it had begun.`);
    }
    if (!this.begin(state, options.ship)) locks.releaseAll(id);
  }

  /**
   * A job in work of which nothing is known. One that a person has put there by hand goes into the queue; of one that
   * has run, somebody has damaged the record: whose it was and what has become of it a person has to say.
   */
  async #takeUpUnknown(id: string, stage: Stage): Promise<void> {
    const { store, clock, log } = this.options;
    const now = clock.now();
    try {
      const run = await endEarlierRuns(store.layout, id, this.options);
      const state: JobState = { ...newState({ id, title: id, priority: 5, addedAt: now }), stage, run };
      if (run === 0) return void this.begin(state);
      log.error(`${id}: its record is missing or can't be read (${store.layout.state(id)}).`);
      const blocked = move(state, 'blocked', now, UNKNOWN);
      await store.transition(blocked, stage);
      await this.options.hooks.transition(transitionOf(blocked, stage));
      this.options.changed();
    } catch (error) {
      log.error(`${id}: ${messageOf(error)}. It stays where it is, and the next runner looks at it again.`);
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
    while (!this.stopped.aborted) {
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
    const intake = this.#intake;
    const began = clock.now();
    const growing = await inbox.refresh();
    const next = await intake.plan();
    const hold = intake.sayHold(next);
    let took = await intake.takeAll(next.start, () => this.stopped.aborted);
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
    const day = hold === undefined ? SLOW_LOOK : Math.max(hold.until - clock.now(), 0);
    return Math.min(intake.patience(began), growing ?? SLOW_LOOK, day);
  }

  /** How many jobs are in work. */
  get running(): number {
    return this.#active.size;
  }

  /** Whether the job is in work. */
  has(id: string): boolean {
    return this.active(id) !== undefined;
  }

  /**
   * Takes a job into work whose file lies in an active stage. False when the runner stops: it waits for nothing that
   * begins now, and the next one takes it up. A job is in work once: who comes second finds it there.
   */
  begin(state: JobState, ship = false): boolean {
    if (this.has(state.id)) return true;
    if (this.stopped.aborted) return false;
    const work = new Work({
      store: this.options.store,
      state,
      log: this.options.log,
      changed: this.options.changed,
    });
    work.shipAsked = ship;
    const done = drive(work, { ...this.options, stopped: this.stopped }).finally(() => {
      this.#active.delete(work.id.toLowerCase());
      this.options.locks.releaseAll(work.id);
      if (work.folderWanted !== undefined) this.#intake.needsFolder(work.id, work.folderWanted);
      this.#heard(work.id);
      this.options.changed();
    });
    this.#active.set(work.id.toLowerCase(), { work, done });
    this.options.changed();
    return true;
  }
}

const UNKNOWN = {
  code: 'no-state',
  text: 'What was known of the job is missing or cannot be read, so nothing more is done with it. Nothing of it runs any more; its work so far is kept on its ref.',
  action: 'Look at that, then retry the job: it is run anew, as a job of this laptop.',
};

/** It has passed after a person's approval, and ships at a person's word. (One without `review` ships by itself.) */
function waitsForShip({ candidate, landing, approvedAt }: JobState): boolean {
  return candidate !== undefined && landing === undefined && approvedAt !== undefined;
}

/** What it held when its runner died: a runner's locks go with it. */
function locksOf({ locks = [], place }: JobState): string[] {
  return place === undefined || place.kind === 'worktree' ? locks : [...locks, folderLock(place.cwd)];
}
