/**
 * A result in quarantine is **open** until it is settled: discarded, adopted or requeued. Settling it is one file, the
 * mark `quarantine/settled/<id>.json`; the job file, its record and its refs stay as they are until retention is over,
 * and taking the mark away opens the result again. The mark alone decides: a crash leaves it or does not.
 */
import { readdir, unlink, utimes } from 'node:fs/promises';
import * as z from 'zod/mini';
import { errnoOf } from '../../platform/errors.ts';
import { readIfThere, syncDirectory, writeDurable } from '../../platform/files.ts';
import type { Layout } from '../home/layout.ts';

const settledSchema = z.object({
  as: z.enum(['discarded', 'adopted', 'requeued']),
  at: z.number(),
  /** The new job that was made of it. */
  job: z.optional(z.string()),
  /** Why, in words. */
  text: z.optional(z.string()),
});

export type Settled = z.infer<typeof settledSchema>;

/** Undefined: it is open. A mark that cannot be read is one all the same. */
export async function settledOf(layout: Layout, id: string): Promise<Settled | undefined> {
  const text = await readIfThere(layout.settledMark(id));
  if (text === undefined) return undefined;
  try {
    return settledSchema.parse(JSON.parse(text));
  } catch {
    return { as: 'discarded', at: 0 };
  }
}

/** On disk when it resolves. */
export async function settle(layout: Layout, id: string, settled: Settled): Promise<void> {
  await writeDurable(layout.settledMark(id), `${JSON.stringify(settled)}\n`);
  await tell(layout);
}

/** Opens it again; false when it was open. */
export async function reopen(layout: Layout, id: string): Promise<boolean> {
  try {
    await unlink(layout.settledMark(id));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
  await syncDirectory(layout.settled);
  await tell(layout);
  return true;
}

/** The ids of all that have been settled. */
export async function settledIds(layout: Layout): Promise<ReadonlySet<string>> {
  const names = await readdir(layout.settled);
  return new Set(names.filter(isRecordName).map((name) => name.slice(0, -'.json'.length)));
}

/** Records, marks and intents; no draft of a writer. */
export function isRecordName(name: string): boolean {
  return name.endsWith('.json') && !name.startsWith('.');
}

/** Other processes that show this home watch the journal. */
async function tell(layout: Layout): Promise<void> {
  const now = new Date();
  await utimes(layout.journal, now, now).catch(() => undefined);
}
