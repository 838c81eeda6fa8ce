/**
 * Claims under way, and jobs that were declined, on disk: a claim whose answer was lost is repeated with the same
 * request id (rule 3), and a job that the laptop's policy forbids is not claimed and released for ever (rule 12).
 */
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import * as z from 'zod/mini';
import { HOUR } from '../platform/clock.ts';
import { readIfThere, writeDurable } from '../platform/files.ts';

/** A declined job is not taken for so long, ms: as long as our coordinator does not offer it again. */
const DECLINED_FOR = 1 * HOUR;
/** Of the newest only: the file stays small whatever the coordinator does. */
const MOST_DECLINED = 200;

const fileSchema = z.object({
  version: z.literal(1),
  unfinished: z.array(z.string()),
  declined: z.array(z.object({ jobId: z.string(), at: z.number() })),
  draining: z.optional(z.boolean()),
  leaving: z.optional(z.boolean()),
});

type Claims = z.infer<typeof fileSchema>;

export class ClaimJournal {
  readonly #file: string;
  #claims: Claims = { version: 1, unfinished: [], declined: [] };
  /** Writes are done one after the other: an older one must not come last. */
  #saved: Promise<void> = Promise.resolve();

  constructor(dir: string) {
    this.#file = path.join(dir, 'claims.json');
  }

  /** Reads what an earlier process has left; what cannot be read counts as nothing. */
  async load(): Promise<void> {
    this.#claims = { version: 1, unfinished: [], declined: [] };
    try {
      const read = fileSchema.safeParse(JSON.parse((await readIfThere(this.#file)) ?? 'null'));
      if (read.success) this.#claims = read.data;
    } catch {
      // Half a file of another version: the coordinator takes the lease back by itself.
    }
  }

  /** Request ids of claims whose outcome is not known, oldest first. */
  get unfinished(): readonly string[] {
    return this.#claims.unfinished;
  }

  /** A fresh request id, on disk before the request leaves. @throws what a disk says that takes no writes; then there is none */
  async begin(): Promise<string> {
    const requestId = randomUUID();
    try {
      await this.#save({ ...this.#claims, unfinished: [...this.#claims.unfinished, requestId] });
    } catch (error) {
      // It is not on disk, so it must not be taken for one that may be repeated.
      const unfinished = this.#claims.unfinished.filter((each) => each !== requestId);
      this.#claims = { ...this.#claims, unfinished };
      throw error;
    }
    return requestId;
  }

  /** The claim's answer has been dealt with: there was no job, or it is on disk. */
  async finish(requestId: string): Promise<void> {
    const unfinished = this.#claims.unfinished.filter((each) => each !== requestId);
    await this.#save({ ...this.#claims, unfinished });
  }

  /** A person wants nothing more to be claimed. */
  get isDraining(): boolean {
    return this.#claims.draining === true;
  }

  /** A person wants fleet mode to end as soon as nothing of it is left to settle. */
  get isLeaving(): boolean {
    return this.#claims.leaving === true;
  }

  /** @param leaving as well: fleet mode is to end afterwards */
  drain(draining: boolean, leaving = false): Promise<void> {
    return this.#save({ ...this.#claims, draining, leaving });
  }

  async decline(jobId: string, now: number): Promise<void> {
    const others = this.#claims.declined.filter((each) => each.jobId !== jobId);
    await this.#save({ ...this.#claims, declined: [...others, { jobId, at: now }].slice(-MOST_DECLINED) });
  }

  /** Whether the job was declined within the last hour; a clock that was set back counts as just now. */
  isDeclined(jobId: string, now: number): boolean {
    return this.#claims.declined.some((each) => each.jobId === jobId && now - each.at < DECLINED_FOR);
  }

  async #save(claims: Claims): Promise<void> {
    this.#claims = claims;
    const before = this.#saved.catch(() => undefined);
    this.#saved = before.then(() => writeDurable(this.#file, `${JSON.stringify(this.#claims)}\n`));
    await this.#saved;
  }
}
