/** The journal of transitions, read from its end: which jobs came last into a stage. */
import { open } from 'node:fs/promises';
import { errnoOf } from '../../platform/errors.ts';
import type { Stage } from '../stages.ts';
import type { JournalEntry } from './store.ts';

/** Read of the journal's end, in bytes: some eight thousand transitions. */
const TAIL = 1 << 20;

/** The ids whose newest transition led into `stage`, newest first. Lines that cannot be read (a torn last one) are passed over. */
export async function newestIn(journal: string, stage: Stage): Promise<string[]> {
  const lines = (await readTail(journal)).split('\n');
  const seen = new Set<string>();
  const ids: string[] = [];
  for (const line of lines.reverse()) {
    const entry = parseEntry(line);
    if (entry === undefined || seen.has(entry.id)) continue;
    seen.add(entry.id);
    if (entry.to === stage) ids.push(entry.id);
  }
  return ids;
}

async function readTail(file: string): Promise<string> {
  const handle = await open(file, 'r').catch((error: unknown) => {
    if (errnoOf(error) !== 'ENOENT') throw error;
  });
  if (handle === undefined) return '';
  try {
    const { size } = await handle.stat();
    const start = Math.max(0, size - TAIL);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(size - start), 0, size - start, start);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** A line of it; undefined for one that can't be read. */
export function parseEntry(line: string): JournalEntry | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line) as JournalEntry;
  } catch {
    return undefined;
  }
}
