/**
 * All that is known of a result in quarantine, as it lies beside its job file: `quarantine/<id>.json`, and the same
 * for people as `quarantine/<id>.txt`, with the plain git commands that recover the work. Written before the job file
 * comes there, so that nobody finds the one without the other; one that is missing is written anew from the state.
 */
import * as z from 'zod/mini';
import { readIfThere, writeDurable } from '../../platform/files.ts';
import type { Layout } from '../home/layout.ts';
import { staleSchema } from '../job/state.ts';
import { recordText } from './record-text.ts';

const fileSchema = z.object({
  path: z.string(),
  oldPath: z.optional(z.string()),
  status: z.enum(['added', 'modified', 'deleted', 'renamed', 'type-changed']),
  binary: z.boolean(),
  submodule: z.boolean(),
});

const workSchema = z.object({
  /** A folder of the repository that holds both commits. */
  repository: z.string(),
  base: z.string(),
  commit: z.string(),
  /** The refs that keep them alive. */
  workRef: z.string(),
  baseRef: z.string(),
  /** The branch that it was to land on, as a full ref. */
  target: z.optional(z.string()),
  fileCount: z.number(),
  /** The first of them, by path. */
  files: z.array(fileSchema),
});

export const recordSchema = z.object({
  version: z.literal(1),
  id: z.string(),
  title: z.string(),
  /** When it came into quarantine, was added, and began: ms since 1970. */
  at: z.number(),
  addedAt: z.number(),
  startedAt: z.optional(z.number()),
  reason: z.object({ code: z.string(), text: z.string() }),
  /** How it came about, in plain words, as far as it is known. */
  why: z.optional(z.string()),
  /** The coordinator's job and our epoch; absent: it was not claimed. */
  jobId: z.optional(z.string()),
  epoch: z.optional(z.number()),
  stale: z.optional(staleSchema),
  engine: z.optional(z.string()),
  session: z.optional(z.string()),
  /** The engine's final answer, shortened. */
  summary: z.optional(z.string()),
  /** Absolute paths: the job file with the prompt, the engine's log, the folder that it worked in. */
  prompt: z.string(),
  log: z.optional(z.string()),
  folder: z.optional(z.string()),
  /** Of the last `verify` command: its log, and the end of that. */
  verify: z.optional(z.object({ log: z.string(), tail: z.string() })),
  work: z.optional(workSchema),
});

export type QuarantineRecord = z.infer<typeof recordSchema>;

/** Undefined when there is none, or none that can be read. */
export async function readRecord(layout: Layout, id: string): Promise<QuarantineRecord | undefined> {
  const text = await readIfThere(layout.quarantineRecord(id));
  if (text === undefined) return undefined;
  try {
    const read = recordSchema.safeParse(JSON.parse(text));
    return read.success && read.data.id === id ? read.data : undefined;
  } catch {
    return undefined;
  }
}

/** The text first: who sees the record can rely on both. On disk when it resolves. */
export async function writeRecord(layout: Layout, record: QuarantineRecord): Promise<void> {
  await writeDurable(layout.quarantineText(record.id), recordText(record));
  await writeDurable(layout.quarantineRecord(record.id), `${JSON.stringify(record, null, 1)}\n`);
}
