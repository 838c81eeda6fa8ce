/** Results in quarantine, read from disk: one by one, and as a list, a page at a time. Nothing is written here. */
import { newestIn } from '../home/journal.ts';
import type { Store } from '../home/store.ts';
import type { Workshop } from '../steps/workshop.ts';
import { recordOf } from './admit.ts';
import { type Settled, settledIds, settledOf } from './marks.ts';
import { type QuarantineRecord, readRecord } from './record.ts';

export interface QuarantineEntry extends QuarantineRecord {
  /** Absent while it is open. */
  readonly settled?: Settled;
}

export interface QuarantinePage {
  /** How many there are of what was asked for. */
  readonly count: number;
  readonly entries: readonly QuarantineEntry[];
}

export interface PageRequest {
  readonly offset: number;
  readonly limit: number;
  /** Those that have been settled as well. */
  readonly all?: boolean;
}

/** Newest first. Reads the records of one page, and of all others no more than their names. */
export async function pageOf(
  store: Store,
  shop: Workshop,
  { offset, limit, all = false }: PageRequest,
): Promise<QuarantinePage> {
  const settled = all ? new Set<string>() : await settledIds(store.layout);
  const present = new Set((await store.list('quarantine')).filter((id) => !settled.has(id)));
  const count = present.size;
  const newest = (await newestIn(store.layout.journal, 'quarantine')).filter((id) => present.delete(id));
  const ids = [...newest, ...[...present].sort()].slice(offset, offset + limit);
  const entries = await Promise.all(ids.map((id) => entryOf(store, shop, id)));
  return { count, entries: entries.filter((entry) => entry !== undefined) };
}

/** Undefined: there is no such job in quarantine. */
export async function entryOf(
  store: Store,
  shop: Workshop,
  id: string,
): Promise<QuarantineEntry | undefined> {
  const own = id.toLowerCase();
  if (!(await store.stagesOf(own)).includes('quarantine')) return undefined;
  const record = (await readRecord(store.layout, own)) ?? (await fromState(store, shop, own));
  const settled = await settledOf(store.layout, own);
  return settled === undefined ? record : { ...record, settled };
}

/** For one that came here otherwise than by `admitted`: by hand, or by an older version. */
export async function fromState(store: Store, shop: Workshop, id: string): Promise<QuarantineRecord> {
  const state = await store.readState(id);
  if (state !== undefined) return recordOf(shop, { ...state, stage: 'quarantine' });
  return {
    version: 1,
    id,
    title: id,
    at: 0,
    addedAt: 0,
    reason: { code: 'unknown', text: 'Nothing is known of it but its file.' },
    prompt: store.layout.job('quarantine', id),
  };
}
