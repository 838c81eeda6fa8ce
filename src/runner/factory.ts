/**
 * A home and everything that can be done with it, for a window or the command line. Whoever opens one sees the
 * same home; one process at a time is its runner, and requests find their way to it.
 */
import { type Clock, systemClock } from '../platform/clock.ts';
import { errnoOf, messageOf, UserError } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';
import type { Board, Command, CommandAnswer, JobRow } from './board.ts';
import { addJob, moveInQueue } from './enqueue.ts';
import type { Changes, FactoryApi } from './factory-api.ts';
import { Inbox } from './home/inbox.ts';
import { Mailbox } from './home/mailbox.ts';
import { BoardReader } from './home/read-board.ts';
import { Seat } from './home/seat.ts';
import { Store } from './home/store.ts';
import { HomeWatcher } from './home/watch.ts';
import { type Hooks, offline } from './hooks.ts';
import { reordered } from './job/reorder.ts';
import { type Plan, plan, type QueuedJob, type Wait } from './job/schedule.ts';
import { changesOf, fileAt } from './job-changes.ts';
import { LockTable, machineLockDirectory } from './lock-table.ts';
import { QuarantineReader } from './quarantine/reader.ts';
import { NOTHING_REMEMBERED, neededJobs, queuedJobs } from './queue.ts';
import { Runner } from './runner.ts';
import { RunnerHost } from './runner-host.ts';
import {
  type ExplicitSettings,
  effectiveSettings,
  readSharedSettings,
  type Settings,
  writeSharedSettings,
} from './settings.ts';
import type { Stage } from './stages.ts';
import { Workshop } from './steps/workshop.ts';

export interface FactoryOptions {
  /** The home's folder; made when it is missing. */
  readonly home: string;
  /** The bundle of the supervisor; copied into the home before its first use. */
  readonly supervisorScript: string;
  /** What a person has set in the editor; undefined for the command line, which uses what the editor left in the home. */
  readonly settings?: ExplicitSettings;
  /** The folder that a job's relative `cwd` is relative to. */
  readonly workspaceFolder?: string;
  readonly log: Log;
  /** What this process is, for people who wonder who runs their jobs. */
  readonly what: string;
  readonly env: NodeJS.ProcessEnv;
  readonly hooks?: Hooks;
  readonly clock?: Clock;
}

const HOME_UNUSABLE = new Set(['ENOTDIR', 'EEXIST', 'EACCES', 'EPERM']);
/** Changes are told at most this often, ms. */
const TELL_EVERY = 50;
/** How often it is looked whether a runner in another process has anything left, ms. */
const IDLE_LOOK = 500;

/** @throws UserError `home-unusable` when the home is no folder, or one that this person may not use. */
export async function openFactory(options: FactoryOptions): Promise<Factory> {
  const store = new Store(options.home);
  await store.open().catch((error: unknown) => {
    if (!HOME_UNUSABLE.has(errnoOf(error) ?? '')) throw error;
    throw new UserError(
      'home-unusable',
      `The home ${options.home} can't be used (${messageOf(error)}). Nothing was changed.`,
      'Choose another folder with AQ_HOME or the setting `agentQueue.home`.',
      { cause: error },
    );
  });
  if (options.settings !== undefined) await writeSharedSettings(store.layout, options.settings);
  const explicit = options.settings ?? (await readSharedSettings(store.layout));
  return new Factory(options, store, effectiveSettings(explicit, options.env));
}

export class Factory implements FactoryApi {
  readonly #options: FactoryOptions;
  readonly #clock: Clock;
  readonly #store: Store;
  readonly #settings: Settings;
  readonly #inbox: Inbox;
  readonly #boards: BoardReader;
  readonly #workshop: Workshop;
  readonly #host: RunnerHost;
  readonly quarantine: QuarantineReader;
  readonly #watcher: HomeWatcher;
  readonly #listeners = new Set<() => void>();
  #telling: NodeJS.Timeout | undefined;
  #growing: NodeJS.Timeout | undefined;

  constructor(options: FactoryOptions, store: Store, settings: Settings) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#store = store;
    this.#settings = settings;
    this.#inbox = new Inbox(store.layout, this.#clock);
    this.#boards = new BoardReader(store, this.#inbox);
    this.#workshop = new Workshop({
      layout: store.layout,
      clock: this.#clock,
      log: options.log,
      hooks: options.hooks ?? offline,
      settings,
      env: options.env,
      supervisorScript: options.supervisorScript,
      locks: new LockTable(machineLockDirectory()),
      ...(options.workspaceFolder !== undefined && { workspaceFolder: options.workspaceFolder }),
    });
    this.#host = new RunnerHost({
      seat: new Seat(store.layout, options.what),
      mailbox: new Mailbox(store.layout),
      clock: this.#clock,
      log: options.log,
      newRunner: (takesJobs) => this.#newRunner(takesJobs),
      changed: () => this.#tell(),
    });
    this.quarantine = new QuarantineReader(store, this.#workshop, (command) => this.execute(command));
    this.#watcher = new HomeWatcher(store.layout, {
      inbox: (name) => {
        this.#inbox.heard(name);
        this.#host.wake();
        this.#tell();
      },
      commands: () => this.#host.mailCame(),
      board: () => this.#tell(),
      spend: () => this.#spendingChanged(),
      config: () => void this.#readBudget(),
    });
  }

  get home(): string {
    return this.#store.layout.root;
  }

  async board({ atOnce = false }: { readonly atOnce?: boolean } = {}): Promise<Board> {
    if (atOnce && (await this.#inbox.recall())) this.#lookLater();
    else this.#tellWhenWritten(await this.#inbox.refresh());
    const [stages, runner, today] = await Promise.all([
      this.#boards.read(await this.#waits()),
      this.#host.place(),
      this.#workshop.spending.today(),
    ]);
    return { stages, runner, today };
  }

  async job(id: string): Promise<JobRow | undefined> {
    this.#inbox.heard(`${id}.md`);
    await this.#inbox.refresh();
    return this.#boards.job(id);
  }

  page(stage: Stage, offset: number, limit: number): Promise<readonly JobRow[]> {
    return this.#boards.page(stage, offset, limit);
  }

  async add(text: string, name: string): Promise<string> {
    const job = { text, name, folder: this.#options.workspaceFolder };
    const id = await addJob(this.#store, job, this.#clock.now());
    this.#queueChanged(`${id}.md`);
    return id;
  }

  async reorder(ids: readonly string[], before: string | undefined): Promise<void> {
    await this.#inbox.refresh();
    await moveInQueue(this.#store, reordered(this.#queue(), ids, before));
    this.#queueChanged(undefined);
  }

  execute(command: Command): Promise<CommandAnswer> {
    return this.#host.execute(command);
  }

  async runAnywayToday(): Promise<void> {
    await this.#workshop.spending.runAnywayToday();
    this.#spendingChanged();
  }

  changes(id: string): Promise<Changes> {
    return changesOf(this.#store, this.#workshop.git, id);
  }

  fileAt(repository: string, commit: string, file: string): Promise<Uint8Array | undefined> {
    return fileAt(this.#workshop.git, repository, commit, file);
  }

  startRunner(): Promise<void> {
    return this.#host.start();
  }

  stopRunner(): Promise<void> {
    return this.#host.stop();
  }

  /** Resolves when the runner, here or in another process, has nothing in work and nothing that could be run now. */
  async idle(): Promise<void> {
    const found = new AbortController();
    await Promise.race([this.#host.idle(), this.#idleElsewhere(found.signal)]);
    found.abort();
  }

  /** What this machine offers to jobs: its system, the engines that are installed, and its clones. */
  capabilities(): Promise<readonly string[]> {
    return this.#workshop.capabilities();
  }

  onDidChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async dispose(): Promise<void> {
    this.#watcher.close();
    clearTimeout(this.#telling);
    clearTimeout(this.#growing);
    this.#listeners.clear();
    await this.#host.stop();
    await this.#inbox.save();
    await this.#workshop.dispose();
  }

  #newRunner(takesJobs: boolean): Runner {
    return new Runner({
      store: this.#store,
      inbox: this.#inbox,
      clock: this.#clock,
      log: this.#options.log,
      hooks: this.#options.hooks ?? offline,
      locks: this.#workshop.locks,
      settings: () => this.#settings,
      workshop: this.#workshop,
      takesJobs,
      changed: () => this.#tell(),
    });
  }

  #spendingChanged(): void {
    this.#host.wake();
    this.#tell();
  }

  /** Where the editor's settings count that it has left in the home, other ceilings are in force as soon as they are there. */
  async #readBudget(): Promise<void> {
    if (this.#options.settings !== undefined) return;
    const explicit = await readSharedSettings(this.#store.layout);
    this.#workshop.spending.budget = effectiveSettings(explicit, this.#options.env).budget ?? {};
    this.#spendingChanged();
  }

  #lookLater(): void {
    this.#inbox.refresh().then(
      () => this.#tell(),
      (error: unknown) => this.#options.log.warn(`The inbox could not be read: ${messageOf(error)}`),
    );
  }

  /** Nobody tells of a file that has stopped growing: what is shown of it is told anew then. @param growing ms, if any grows */
  #tellWhenWritten(growing: number | undefined): void {
    if (growing === undefined) return;
    clearTimeout(this.#growing);
    this.#growing = setTimeout(() => this.#tell(), growing);
    this.#growing.unref();
  }

  #queue(): QueuedJob[] {
    return queuedJobs(this.#inbox.entries(), NOTHING_REMEMBERED);
  }

  #queueChanged(file: string | undefined): void {
    this.#inbox.heard(file);
    this.#host.wake();
    this.#tell();
  }

  /** Seen from the disk, and twice in a row, because a job that is just moving can be missed. */
  async #idleElsewhere(signal: AbortSignal): Promise<void> {
    for (let quiet = 0; quiet < 2 && !signal.aborted; ) {
      await this.#clock.sleep(IDLE_LOOK, signal).catch(() => undefined);
      const { kind } = await this.#host.place();
      quiet = kind === 'elsewhere' && (await this.#nothingToRun()) ? quiet + 1 : 0;
    }
  }

  async #nothingToRun(): Promise<boolean> {
    await this.#inbox.refresh();
    const active = await this.#boards.active();
    const { start, waits } = await this.#plan(active);
    const soon = [...waits.values()].some(({ code }) => code === 'writing' || code === 'slot');
    return active.length === 0 && start.length === 0 && !soon;
  }

  async #waits(): Promise<ReadonlyMap<string, Wait>> {
    return (await this.#plan(await this.#boards.active())).waits;
  }

  async #plan(active: readonly JobRow[]): Promise<Plan> {
    const queue = await this.#boards.queue();
    return plan(queue, {
      hold: await this.#workshop.spending.look(),
      now: this.#clock.now(),
      running: active.length,
      maxParallel: this.#settings.maxParallel,
      locks: new Map(active.flatMap((row) => (row.locks ?? []).map((lock) => [lock, row.id] as const))),
      needed: await neededJobs(this.#store, queue),
      lacking: await this.#workshop.lacking(queue.flatMap((job) => job.requires)),
    });
  }

  #tell(): void {
    if (this.#telling !== undefined) return;
    this.#telling = setTimeout(() => {
      this.#telling = undefined;
      for (const listener of this.#listeners) listener();
    }, TELL_EVERY);
    this.#telling.unref();
  }
}
