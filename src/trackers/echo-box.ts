/**
 * Comments that have not been made yet, on disk (`outbox/tracker.json`) before anything else happens with them: a
 * crash, or a laptop that is offline, loses none. Whoever holds the home's runner lock is its only writer.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod/mini';
import { readIfThere, syncDirectory, writeDurable } from '../platform/files.ts';
import { added, type Entry, tried, untried } from './waiting.ts';
import { STAGES } from './words.ts';

const fileSchema = z.object({
  version: z.literal(1),
  waiting: z.array(
    z.object({
      id: z.string(),
      run: z.number(),
      mark: z.string(),
      issue: z.string(),
      at: z.number(),
      triedAt: z.optional(z.number()),
      steps: z.array(z.object({ stage: z.enum(STAGES), reason: z.optional(z.string()) })),
      isCut: z.optional(z.boolean()),
    }),
  ),
});

export class EchoBox {
  readonly #file: string;
  #waiting: readonly Entry[] = [];
  #loading: Promise<string | undefined> | undefined;
  /** Writes are done one after the other. */
  #writing: Promise<void> = Promise.resolve();

  constructor(file: string) {
    this.#file = file;
  }

  get waiting(): readonly Entry[] {
    return this.#waiting;
  }

  /**
   * Reads, once, what an earlier process has left. A file that is none of ours is set aside, and its new name returned.
   * Rejects when the disk fails; then the next call tries again.
   */
  load(): Promise<string | undefined> {
    this.#loading ??= this.#load().catch((error: unknown) => {
      this.#loading = undefined;
      throw error;
    });
    return this.#loading;
  }

  /** On disk when it resolves. Returns how many older entries had to make way. */
  async add(entry: Omit<Entry, 'mark'>): Promise<number> {
    await this.load();
    const before = this.#waiting;
    const after = added(before, { ...entry, mark: randomBytes(6).toString('hex') });
    await this.#become(after);
    return after === before
      ? 0
      : before.filter(({ mark }) => !after.some((each) => each.mark === mark)).length;
  }

  /** The entry as it is to be sent: nothing is added to it from here on. Undefined when it is no longer there. */
  async tried(mark: string, at: number): Promise<Entry | undefined> {
    const after = tried(this.#waiting, mark, at);
    // Before the disk is waited for: what is put in meanwhile must find it so.
    await this.#become(after);
    return after.find((entry) => entry.mark === mark);
  }

  untried(mark: string): Promise<void> {
    return this.#become(untried(this.#waiting, mark));
  }

  /** They have been made, or are given up. */
  remove(marks: ReadonlySet<string>): Promise<void> {
    return this.#become(this.#waiting.filter(({ mark }) => !marks.has(mark)));
  }

  #become(waiting: readonly Entry[]): Promise<void> {
    this.#waiting = waiting;
    const writing = this.#writing.catch(() => undefined).then(() => this.#write());
    this.#writing = writing;
    return writing;
  }

  /** An empty box is no file: whoever looks whether there is anything to be told need not read it. */
  async #write(): Promise<void> {
    if (this.#waiting.length > 0)
      return writeDurable(this.#file, `${JSON.stringify({ version: 1, waiting: this.#waiting })}\n`);
    await rm(this.#file, { force: true });
    await syncDirectory(path.dirname(this.#file));
  }

  async #load(): Promise<string | undefined> {
    await mkdir(path.dirname(this.#file), { recursive: true, mode: 0o700 });
    const text = await readIfThere(this.#file);
    if (text === undefined) return undefined;
    const read = parse(text);
    if (read !== undefined) {
      this.#waiting = read;
      return undefined;
    }
    // A name of its own: an earlier one that was set aside stays as well.
    const aside = `${this.#file}.${randomBytes(3).toString('hex')}.unreadable`;
    await rename(this.#file, aside);
    return aside;
  }
}

function parse(text: string): readonly Entry[] | undefined {
  try {
    const read = fileSchema.safeParse(JSON.parse(text));
    return read.success ? read.data.waiting : undefined;
  } catch {
    return undefined;
  }
}
