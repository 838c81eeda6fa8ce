/**
 * Reports that the coordinator has not accepted yet, on disk before anything else happens with them (rule 7). One
 * file per claimed job, replaced as a whole; it goes when the lease has come to its end. The key of a report is
 * made of job, epoch and its number here, so that a repeat after a crash is known as one (rule 3).
 */
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod/mini';
import { errnoOf } from '../platform/errors.ts';
import { syncDirectory, writeDurable } from '../platform/files.ts';
import { WIRE_STAGES } from './protocol.ts';

const reportSchema = z.object({
  /** Counted per claim; never used twice. */
  sequence: z.number(),
  /** The stage to report; `release` gives the lease back instead. */
  what: z.enum([...WIRE_STAGES, 'release']),
  checkpoint: z.optional(z.object({ wipBranch: z.string(), wipCommit: z.string() })),
});

const fileSchema = z.object({
  version: z.literal(1),
  /** The local id of the job. */
  id: z.string(),
  jobId: z.string(),
  epoch: z.number(),
  nextSequence: z.number(),
  waiting: z.array(reportSchema),
  /** The newest that was put in, accepted or not; what the coordinator will know in the end. */
  told: z.optional(z.string()),
});

export type Report = z.infer<typeof reportSchema>;
type Box = z.infer<typeof fileSchema>;

export interface BoxOwner {
  readonly id: string;
  readonly jobId: string;
  readonly epoch: number;
}

const NAME = /^(.+)\.reports\.json$/;

export class Outbox {
  readonly #dir: string;
  readonly #boxes = new Map<string, Box>();
  /** Writes of one box are done one after the other. */
  readonly #writing = new Map<string, Promise<void>>();
  /** Boxes whose last write came to nothing. */
  readonly #unwritten = new Set<string>();

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** Forgets what it knew, and reads what an earlier process has left. What cannot be read is set aside under another name, and its name returned. */
  async load(): Promise<string[]> {
    await mkdir(this.#dir, { recursive: true, mode: 0o700 });
    this.#boxes.clear();
    const unreadable: string[] = [];
    for (const name of await readdir(this.#dir)) {
      if (!NAME.test(name)) continue;
      const file = path.join(this.#dir, name);
      const box = parse(await readFile(file, 'utf8'));
      if (box === undefined) {
        await rename(file, `${file}.unreadable`);
        unreadable.push(`${file}.unreadable`);
      } else this.#boxes.set(box.id, box);
    }
    return unreadable;
  }

  /**
   * Puts a report in, after those that are there. A newer checkpoint of the same stage takes the place of one that has
   * not been sent, so that a night without a network is not told minute by minute. On disk when it resolves.
   */
  async add(owner: BoxOwner, what: Report['what'], checkpoint?: Report['checkpoint']): Promise<void> {
    const { id, jobId, epoch } = owner;
    const box = this.#boxes.get(id) ?? { version: 1, id, jobId, epoch, nextSequence: 1, waiting: [] };
    const report = { sequence: box.nextSequence, what, ...(checkpoint !== undefined && { checkpoint }) };
    const [head, ...rest] = box.waiting;
    const before = rest.at(-1)?.what === what ? rest.slice(0, -1) : rest;
    this.#boxes.set(id, {
      ...box,
      nextSequence: box.nextSequence + 1,
      waiting: head === undefined ? [report] : [head, ...before, report],
      told: what,
    });
    await this.#write(id);
  }

  /**
   * Before anything of a box is sent: what a full disk has not taken is written now. A report whose number is not on
   * disk would give its key, after a crash, to another one.
   * @throws what the disk says
   */
  async settle(id: string): Promise<void> {
    await this.#writing.get(id)?.catch(() => undefined);
    if (this.#unwritten.has(id)) await this.#write(id);
  }

  /** The oldest report that waits. */
  next(id: string): Report | undefined {
    return this.#boxes.get(id)?.waiting[0];
  }

  waiting(id: string): number {
    return this.#boxes.get(id)?.waiting.length ?? 0;
  }

  /** What the coordinator was told last, or will be. */
  told(id: string): string | undefined {
    return this.#boxes.get(id)?.told;
  }

  /** The local ids of all boxes. */
  ids(): string[] {
    return [...this.#boxes.keys()];
  }

  owner(id: string): BoxOwner | undefined {
    return this.#boxes.get(id);
  }

  /** The report has been accepted, or is not to be repeated. */
  async done(id: string, sequence: number): Promise<void> {
    const box = this.#boxes.get(id);
    if (box === undefined) return;
    this.#boxes.set(id, { ...box, waiting: box.waiting.filter((report) => report.sequence !== sequence) });
    await this.#write(id);
  }

  /** The claim has come to its end: nothing of it is to be reported any more. */
  async drop(id: string): Promise<void> {
    this.#boxes.delete(id);
    await this.#write(id);
  }

  #write(id: string): Promise<void> {
    this.#unwritten.add(id);
    const after = (this.#writing.get(id) ?? Promise.resolve()).catch(() => undefined);
    const writing = after.then(() => this.#writeNow(id));
    this.#writing.set(id, writing);
    return writing;
  }

  async #writeNow(id: string): Promise<void> {
    const file = path.join(this.#dir, `${id}.reports.json`);
    const box = this.#boxes.get(id);
    if (box !== undefined) {
      await writeDurable(file, `${JSON.stringify(box)}\n`);
      // What has been put in meanwhile is still to be written.
      if (this.#boxes.get(id) === box) this.#unwritten.delete(id);
      return;
    }
    await rm(file, { force: true });
    await syncDirectory(this.#dir);
    this.#unwritten.delete(id);
    this.#writing.delete(id);
  }
}

/** The Idempotency-Key of a report: the same for every repeat of it, and for no other. */
export function keyOf(
  { jobId, epoch }: Pick<BoxOwner, 'jobId' | 'epoch'>,
  sequence: number | string,
): string {
  return `${jobId}.${epoch}.${sequence}`;
}

function parse(text: string): Box | undefined {
  try {
    const read = fileSchema.safeParse(JSON.parse(text));
    return read.success ? read.data : undefined;
  } catch (error) {
    if (errnoOf(error) !== undefined) throw error;
    return undefined;
  }
}
