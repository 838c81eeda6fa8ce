/** Putting jobs into the inbox, and into another order. */
import { readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { errnoOf } from '../platform/errors.ts';
import { syncDirectory } from '../platform/files.ts';
import type { Store } from './home/store.ts';
import { newState } from './job/moves.ts';
import type { NewPlace } from './job/reorder.ts';
import { setFrontMatterValue } from './manifest/edit.ts';
import { readHeader } from './manifest/header.ts';
import { jobIdFor } from './manifest/id.ts';

/** How much older (ms) than its arrival a file's content is said to be: by that an inbox knows that it came whole (home/inbox.ts). */
const OLDER = 20;

/** Adds a job under the first free id made of `name`. On disk when it resolves. `folder`: what a relative `cwd` is relative to. */
export async function addJob(
  store: Store,
  job: { readonly text: string; readonly name: string; readonly folder?: string | undefined },
  now: number,
): Promise<string> {
  const header = readHeader(job.text, { fileName: job.name });
  const { id } = await store.create(jobIdFor(job.name), (id) => ({
    ...newState({ ...header, id, title: header.title || id, addedAt: now }),
    ...(job.folder !== undefined && { folder: job.folder }),
  }));
  await putIntoInbox(store, id, job.text, now);
  return id;
}

/** Gives queued jobs their new places. Those that have been taken or deleted meanwhile are passed over. */
export async function moveInQueue(store: Store, places: readonly NewPlace[]): Promise<void> {
  for (const place of places) {
    try {
      await movePlace(store, place);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
  }
}

async function movePlace(store: Store, { id, priority, queuedAt }: NewPlace): Promise<void> {
  const file = store.layout.job('queued', id);
  if (priority !== undefined) {
    // Out of the inbox while it is rewritten, so that nobody takes it under our hands and it comes to lie there twice.
    const held = path.join(store.layout.moving, `${process.pid}-${id}.md`);
    await rename(file, held);
    const text = await readFile(held, 'utf8');
    await putIntoInbox(store, id, setFrontMatterValue(text, 'priority', priority), queuedAt);
    await rm(held);
  }
  await utimes(file, queuedAt / 1000, queuedAt / 1000);
}

/** Puts a job file into the inbox, whole, as queued at `queuedAt`. On disk when it resolves. */
export async function putIntoInbox(store: Store, id: string, text: string, queuedAt: number): Promise<void> {
  const inbox = store.layout.stage('queued');
  const draft = path.join(inbox, `.${id}.tmp`);
  try {
    await writeFile(draft, text, { mode: 0o600, flush: true });
    const seconds = (queuedAt - OLDER) / 1000;
    await utimes(draft, seconds, seconds);
    await rename(draft, store.layout.job('queued', id));
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
  await syncDirectory(inbox);
}
