/** From the inbox into work: what planning needs to know of the queue, and the taking of one job. */
import { rename, stat } from 'node:fs/promises';
import type { Clock } from '../platform/clock.ts';
import { errnoOf } from '../platform/errors.ts';
import { syncDirectory } from '../platform/files.ts';
import type { Inbox, InboxEntry } from './home/inbox.ts';
import type { Store } from './home/store.ts';
import { assign, laterOf, newState, retried } from './job/moves.ts';
import { isDue, type Later, type Machine, type QueuedJob } from './job/schedule.ts';
import type { JobState } from './job/state.ts';
import { jobIdFor } from './manifest/id.ts';
import { FINISHED_STAGES, type Stage } from './stages.ts';

/** What the runner remembers of queued jobs beside their files. */
export interface QueueMemory {
  readonly urgent: ReadonlySet<string>;
  /** A person runs these now, whatever a ceiling says. */
  readonly anyway: ReadonlySet<string>;
  readonly later: ReadonlyMap<string, Later>;
  /** Folder locks that a job was found to need when it was last tried. */
  readonly folders: ReadonlyMap<string, string>;
}

/** For those who look at the files alone. */
export const NOTHING_REMEMBERED: QueueMemory = {
  urgent: new Set(),
  anyway: new Set(),
  later: new Map(),
  folders: new Map(),
};

/** What their states tell of jobs that have been in work before. */
export function rememberedIn(states: ReadonlyMap<string, JobState>): QueueMemory {
  const later = [...states].flatMap(([id, state]) => {
    const until = laterOf(state);
    return until === undefined ? [] : [[id, until] as const];
  });
  const urgent = [...states].filter(([, state]) => state.urgent === true).map(([id]) => id);
  return { ...NOTHING_REMEMBERED, urgent: new Set(urgent), later: new Map(later) };
}

export function queuedJobs(entries: readonly InboxEntry[], memory: QueueMemory): QueuedJob[] {
  return entries.map(({ name, mtimeMs, settled, header }) => {
    const folder = memory.folders.get(name);
    const locks = [
      ...(header.lock === undefined ? [] : [header.lock]),
      ...(folder === undefined ? [] : [folder]),
    ];
    return {
      id: name,
      priority: header.priority,
      queuedAt: mtimeMs,
      settled,
      locks,
      needs: header.needs,
      requires: header.requires,
      later: memory.later.get(name),
      urgent: memory.urgent.has(name),
      anyway: memory.anyway.has(name),
    };
  });
}

/** Where each job that some queued job needs stands. */
export async function neededJobs(store: Store, queue: readonly QueuedJob[]): Promise<Machine['needed']> {
  const ids = new Set(queue.flatMap((job) => job.needs.map((id) => id.toLowerCase())));
  const found = await Promise.all(
    [...ids].map(async (id) => [id, standing(await store.locate(id))] as const),
  );
  return new Map(found.flatMap(([id, where]) => (where === undefined ? [] : [[id, where] as const])));
}

function standing(stage: Stage | undefined): 'shipped' | 'pending' | 'failed' | undefined {
  if (stage === undefined || stage === 'shipped') return stage;
  return (FINISHED_STAGES as readonly Stage[]).includes(stage) ? 'failed' : 'pending';
}

/**
 * Claims a queued job: reserves its id where it has none, writes its state and renames its file out of the
 * inbox. Undefined: it is not to be had (somebody else took or changed it, or it is not due yet), and nothing
 * was moved. `held`: it was moved to where it waits for a person instead.
 */
export async function takeJob(options: {
  store: Store;
  inbox: Inbox;
  entry: InboxEntry;
  clock: Clock;
  urgent: boolean;
  /** What is to become of it instead, where it may not be run (budget.ts). */
  within: (queued: JobState) => JobState;
}): Promise<
  { readonly taken: JobState } | { readonly held: JobState } | { readonly later: Later } | undefined
> {
  const { store, inbox, entry, clock } = options;
  const queued = await adopt(store, entry, clock.now());
  if (queued === undefined) return undefined;
  const later = laterOf(queued);
  if (later !== undefined && !isDue(later, clock.now()) && !options.urgent) return { later };
  const allowed = options.within(queued);
  if (allowed.stage !== 'queued') {
    await store.transition(allowed, 'queued');
    return { held: allowed };
  }
  const { lock } = entry.header;
  const assigned = { ...assign(queued, clock.now()), locks: lock === undefined ? [] : [lock] };
  try {
    await store.transition(assigned, 'queued');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  inbox.heard(`${entry.name}.md`);
  inbox.heard(`${assigned.id}.md`);
  await inbox.refresh();
  const after = await stat(store.layout.job('assigned', assigned.id));
  if (after.size !== entry.size || after.mtimeMs !== entry.mtimeMs) {
    await store.transition({ ...queued, changedAt: clock.now() }, 'assigned');
    return undefined;
  }
  return { taken: assigned };
}

/** Gives a queued file its id and state; the file is then called `<id>.md`. Undefined when the file has gone. */
export async function adopt(store: Store, entry: InboxEntry, now: number): Promise<JobState | undefined> {
  const wanted = jobIdFor(entry.name);
  if (wanted === entry.name) {
    const known = await store.readState(wanted);
    if (known?.stage === 'queued') return known;
    const elsewhere = known !== undefined && (await isElsewhere(store, wanted));
    // Taken by a runner that died between the state and the file: it has not begun, and loses nothing.
    if (known?.stage === 'assigned' && !elsewhere)
      return { ...known, stage: 'queued', attempt: known.attempt - 1 };
    // A person moved its file back into the inbox by hand: the same job, to be tried again.
    if (known !== undefined && !elsewhere) {
      // One that was claimed begins anew as a job of this laptop: that is what the person has asked for.
      const { claim: _claim, startFrom: _start, earlier: _earlier, ...own } = known;
      return retried(own, now, false);
    }
  }
  const { title, engine, priority, tracker } = entry.header;
  const state = await store.create(
    wanted,
    (id) => newState({ id, title: title || id, engine, priority, tracker, addedAt: now }),
    entry.name,
  );
  const { id } = state;
  if (id === entry.name) return state;
  try {
    await rename(entry.file, store.layout.job('queued', id));
    await syncDirectory(store.layout.stage('queued'));
    return state;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Whether another stage than the inbox holds a job of this id as well: then the file in the inbox is a new one of the same name. */
async function isElsewhere(store: Store, id: string): Promise<boolean> {
  const stages = await store.stagesOf(id);
  return stages.some((stage) => stage !== 'queued');
}
