/** What a transaction has changed, and the statements that write it: one for each table, however many rows. */
import type { WireStage } from '../../fleet/protocol.ts';
import type {
  FactoryRecord,
  JobEvent,
  JobRecord,
  KeyRecord,
  RunEnd,
  RunRecord,
  TokenRecord,
} from '../records.ts';
import type { Question } from './pipeline.ts';
import { changingOf } from './rows.ts';
import type { WritingStatements } from './writing.ts';

interface OfJob {
  readonly seq: number;
}

export class Changes {
  /** By number: the body. Their records are in `jobs`, as all that have changed. */
  readonly inserted = new Map<number, { readonly bodyMd: string; readonly shelf: number }>();
  readonly jobs = new Map<number, JobRecord>();
  readonly waits: (OfJob & { readonly productId: string; readonly need: string })[] = [];
  readonly waitsOver: (OfJob & { readonly productId: string; readonly need: string })[] = [];
  readonly declines = new Map<string, OfJob & { readonly factory: string; readonly until: number }>();
  readonly declinesOver = new Set<number>();
  readonly events: { readonly seq: number; readonly event: JobEvent }[] = [];
  readonly runs: { readonly seq: number; readonly run: RunRecord }[] = [];
  readonly runsOver: (OfJob & { readonly epoch: number; readonly end: RunEnd; readonly stage: WireStage })[] =
    [];
  readonly factories = new Map<string, FactoryRecord>();
  readonly tokens = new Map<string, TokenRecord>();
  readonly tokensOver: { readonly productId: string; readonly factoryId: string }[] = [];
  readonly keys = new Map<string, KeyRecord>();

  /** @param dueAt as it stands in the row of a job. */
  questions(sql: WritingStatements, now: number, dueAt: (seq: number) => number | null): Question[] {
    const questions: Question[] = [];
    const write = (
      statement: keyof WritingStatements,
      rows: readonly object[],
      ...values: unknown[]
    ): void => {
      if (rows.length > 0) questions.push({ ...sql[statement], values: [JSON.stringify(rows), ...values] });
    };
    // In one order in every process: where two write the same, one waits for the other, and never both.
    const jobs = [...this.jobs.values()].sort((a, b) => a.seq - b.seq);
    const isNew = ({ seq }: JobRecord) => this.inserted.has(seq);
    const rowOf = (job: JobRecord) => ({ seq: job.seq, ...changingOf(job, now, dueAt(job.seq)) });
    write(
      'insertJobs',
      jobs
        .filter(isNew)
        .sort(byName)
        .map((job) => ({ ...rowOf(job), ...this.#fixedOf(job) })),
    );
    write(
      'insertBodies',
      [...this.inserted].map(([seq, { bodyMd }]) => ({ seq, body: base64(bodyMd) })),
    );
    const changed = jobs.filter((job) => !isNew(job)).map(rowOf);
    write('updateJobs', changed, seqsOf(changed));
    write('insertWaits', this.waits);
    write('deleteWaits', this.waitsOver);
    write(
      'deleteDeclines',
      [...this.declinesOver].map((seq) => ({ seq })),
    );
    write('saveDeclines', [...this.declines.values()]);
    write(
      'insertEvents',
      this.events.map(({ seq, event }) => ({ ...event, seq })),
    );
    write(
      'insertRuns',
      this.runs.map(({ seq, run }) => ({ ...run, seq })),
    );
    write('endRuns', this.runsOver, now, seqsOf(this.runsOver));
    write(
      'saveFactories',
      sorted(this.factories).map((each) => ({ ...each, capabilities: JSON.stringify(each.capabilities) })),
    );
    write('deleteTokens', this.tokensOver);
    write('saveTokens', sorted(this.tokens));
    write('insertKeys', sorted(this.keys), now);
    return questions;
  }

  #fixedOf({ productId, id, priority, retries, enqueuedAt, seq }: JobRecord) {
    return {
      product: productId,
      id,
      priority,
      retries,
      enqueued_at: enqueuedAt,
      shelf: this.inserted.get(seq)?.shelf,
    };
  }
}

function sorted<T>(map: ReadonlyMap<string, T>): T[] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
}

function seqsOf(rows: readonly OfJob[]): number[] {
  return rows.map(({ seq }) => seq);
}

function byName(a: JobRecord, b: JobRecord): number {
  return a.productId === b.productId ? (a.id < b.id ? -1 : 1) : a.productId < b.productId ? -1 : 1;
}

/** A body may hold any character, also the one that no text of PostgreSQL may. */
function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
