/** Makes the board of a home from what is on disk, without asking the runner. */
import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { Activity, JobRow, StageRows } from '../board.ts';
import { laterOf } from '../job/moves.ts';
import { isDue, type QueuedJob, runOrder, type Wait, waitText } from '../job/schedule.ts';
import type { JobState } from '../job/state.ts';
import type { JobUsage, Usage } from '../job/usage.ts';
import { jobIdFor } from '../manifest/id.ts';
import { settledIds, settledOf } from '../quarantine/marks.ts';
import { queuedJobs, rememberedIn } from '../queue.ts';
import { ACTIVE_STAGES, FINISHED_STAGES, STAGES, type Stage } from '../stages.ts';
import { LOG_FILE } from '../supervisor/contract.ts';
import type { Inbox, InboxEntry } from './inbox.ts';
import { newestIn } from './journal.ts';
import { Requeued } from './requeued.ts';
import type { Store } from './store.ts';

/** How many of a finished stage are on the board itself. */
const NEWEST = 50;
/** A directory's time is believed to tell of every change when it is so old, ms. */
const FRESH = 1000;

interface Listing {
  readonly mtimeMs: number;
  readonly ids: readonly string[];
  /** The newest of them; nothing changes in a finished job while its directory stands still. */
  readonly rows: readonly JobRow[];
}

export class BoardReader {
  readonly #store: Store;
  readonly #inbox: Inbox;
  readonly #requeued: Requeued;
  /** Finished stages, newest first, as long as their directories have not changed. */
  readonly #finished = new Map<Stage, Listing>();

  constructor(store: Store, inbox: Inbox) {
    this.#store = store;
    this.#inbox = inbox;
    this.#requeued = new Requeued(store);
  }

  /** Every stage, those that hold nothing too. `waits` says what queued jobs wait for. */
  async read(waits: ReadonlyMap<string, Wait>): Promise<StageRows[]> {
    return Promise.all(STAGES.map((stage) => this.#stage(stage, waits)));
  }

  /** What the inbox holds, with what is known of jobs that have been in work before. */
  async queue(): Promise<QueuedJob[]> {
    const entries = this.#inbox.entries();
    return queuedJobs(entries, rememberedIn(await this.#requeued.states(entries)));
  }

  /** Rows of a finished stage, newest first; of quarantine the open ones. */
  async page(stage: Stage, offset: number, limit: number): Promise<JobRow[]> {
    const { ids } = await this.#listing(stage);
    return this.#rows(stage, ids.slice(offset, offset + limit));
  }

  /** The jobs that the runner has in hand. */
  async active(): Promise<JobRow[]> {
    const rows = await Promise.all(
      ACTIVE_STAGES.map(async (stage) => this.#rows(stage, await this.#store.list(stage))),
    );
    return rows.flat().filter((each) => each.activity !== undefined);
  }

  async job(id: string): Promise<JobRow | undefined> {
    const entry = this.#inbox.get(id);
    if (entry !== undefined) {
      const state = (await this.#requeued.states([entry])).get(entry.name);
      const later = state && laterOf(state);
      const wait = later && !isDue(later, Date.now()) ? { code: later.why, until: later.at } : undefined;
      return queuedRow(entry, state, wait);
    }
    const own = id.toLowerCase();
    const stage = await this.#store.locate(own);
    const [found] = stage === undefined ? [] : await this.#rows(stage, [own]);
    if (found?.stage !== 'quarantine') return found;
    const settled = await settledOf(this.#store.layout, own);
    return settled === undefined ? found : { ...found, settled };
  }

  async #stage(stage: Stage, waits: ReadonlyMap<string, Wait>): Promise<StageRows> {
    if (stage === 'queued') return this.#queued(waits);
    if ((FINISHED_STAGES as readonly Stage[]).includes(stage)) {
      const { ids, rows } = await this.#listing(stage);
      return { stage, count: ids.length, rows };
    }
    const rows = await this.#rows(stage, await this.#store.list(stage));
    return { stage, count: rows.length, rows: rows.sort((a, b) => a.changedAt - b.changedAt) };
  }

  async #queued(waits: ReadonlyMap<string, Wait>): Promise<StageRows> {
    const entries = this.#inbox.entries();
    const byName = new Map(entries.map((entry) => [entry.name, entry]));
    const states = await this.#requeued.states(entries);
    const order = queuedJobs(entries, rememberedIn(states)).sort(runOrder);
    const rows = order.map(({ id }) =>
      queuedRow(byName.get(id) as InboxEntry, states.get(id), waits.get(id)),
    );
    return { stage: 'queued', count: rows.length, rows };
  }

  async #listing(stage: Stage): Promise<Listing> {
    const { layout } = this.#store;
    const isQuarantine = stage === 'quarantine';
    const { mtimeMs: moved } = await stat(layout.stage(stage));
    const mtimeMs = isQuarantine ? Math.max(moved, (await stat(layout.settled)).mtimeMs) : moved;
    const before = this.#finished.get(stage);
    if (before?.mtimeMs === mtimeMs) return before;
    const settled = isQuarantine ? await settledIds(layout) : new Set<string>();
    const present = new Set((await this.#store.list(stage)).filter((id) => !settled.has(id)));
    const newest = (await newestIn(this.#store.layout.journal, stage)).filter((id) => present.delete(id));
    const ids = [...newest, ...[...present].sort()];
    const listing = { mtimeMs, ids, rows: await this.#rows(stage, ids.slice(0, NEWEST)) };
    // A directory that changes twice within its clock's tick would look unchanged.
    if (Date.now() - mtimeMs > FRESH) this.#finished.set(stage, listing);
    return listing;
  }

  #rows(stage: Stage, ids: readonly string[]): Promise<JobRow[]> {
    return Promise.all(
      ids.map(async (id) =>
        row(this.#store, stage, id, await this.#store.readState(id).catch(() => undefined)),
      ),
    );
  }
}

function queuedRow(entry: InboxEntry, state: JobState | undefined, wait: Wait | undefined): JobRow {
  const text = wait && waitText(wait);
  return {
    id: entry.name,
    stage: 'queued',
    title: entry.header.title || jobIdFor(entry.name),
    file: entry.file,
    ...(entry.header.engine !== undefined && { engine: entry.header.engine }),
    priority: entry.header.priority,
    addedAt: entry.mtimeMs,
    changedAt: entry.mtimeMs,
    attempt: 0,
    ...optional('reason', state?.reason),
    ...(text !== undefined && { waitsFor: text }),
  };
}

function row(store: Store, stage: Stage, id: string, state: JobState | undefined): JobRow {
  const file = store.layout.job(stage, id);
  if (state === undefined) {
    return { id, stage, title: id, file, priority: 5, addedAt: 0, changedAt: 0, attempt: 0 };
  }
  const activity = activityOf(stage, state);
  return {
    id,
    stage,
    title: state.title,
    file,
    ...optional('engine', state.engine),
    priority: state.priority,
    addedAt: state.addedAt,
    changedAt: state.changedAt,
    ...optional('startedAt', state.startedAt),
    attempt: state.attempt,
    ...optional('activity', activity),
    ...optional('reason', state.reason),
    ...optional('locks', isActive(stage) ? state.locks : undefined),
    ...(stage === 'testing' && { readyToShip: activity === undefined }),
    ...optional('files', state.result?.files),
    ...optional('summary', state.result?.summary),
    ...optional('landed', state.landed),
    ...optional('usage', state.usage && shown(state.usage)),
    ...optional('claim', state.claim && { jobId: state.claim.jobId, epoch: state.claim.epoch }),
    ...optional('folder', state.place?.cwd),
    ...(state.command && { log: path.join(state.command.dir, LOG_FILE) }),
  };
}

/** Without what only the next run is interested in. */
function shown({ run: _run, totals: _totals, ...usage }: JobUsage): Usage {
  return usage;
}

function isActive(stage: Stage): boolean {
  return (ACTIVE_STAGES as readonly Stage[]).includes(stage);
}

function activityOf(stage: Stage, state: JobState): Activity | undefined {
  switch (stage) {
    case 'assigned':
      return state.command?.kind === 'setup' ? 'setup' : 'preparing';
    case 'building':
      return 'engine';
    case 'testing':
      if (state.landing !== undefined) return 'shipping';
      return state.candidate === undefined ? 'verify' : undefined;
    default:
      return undefined;
  }
}

function optional<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { [P in K]?: V };
}
