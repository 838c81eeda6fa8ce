/** The rows that a group has fetched, as they were when its transaction locked or read them. */
import type { ClientBase, QueryResult } from 'pg';
import type { JobRecord } from '../records.ts';
import { type EventRow, type FactoryRow, jobOf, type RunRow, type TokenRow } from '../sql/rows.ts';
import { idOf, type Need, type NeedKind, type NeedOf, type Needs } from './needs.ts';
import { pipelined, type Question } from './pipeline.ts';
import { type ReadingStatements, TIMED } from './reading.ts';
import { type JobRow, type KeyRow, phasesOf } from './rows.ts';
import type { ShelfRow, Shelves } from './shelves.ts';

/** A job whose row is locked by this transaction. */
export interface Locked {
  readonly job: JobRecord;
  readonly shelf: number;
  readonly isReady: boolean;
  readonly dueAt: number | null;
}

/** Of a need for candidates: how far the queue is known. */
export interface Reach {
  /** Everything that is not locked by others is known. */
  readonly isWhole: boolean;
  readonly last: JobRecord | undefined;
  readonly most: number;
}

/** What the statement of each kind of need gives. */
interface Answers extends Record<NeedKind, unknown> {
  readonly candidates: Reach;
  readonly others: boolean;
  readonly count: number;
  readonly numbers: readonly number[];
  readonly waiting: readonly number[];
  readonly events: readonly EventRow[];
  readonly runs: readonly RunRow[];
  readonly list: readonly JobRow[];
  readonly key: KeyRow | null;
  readonly token: TokenRow | null;
  readonly enrolled: boolean;
  readonly factory: FactoryRow | null;
  readonly factories: readonly FactoryRow[];
  readonly holds: readonly { readonly factory: string; readonly count: number }[];
  readonly fleet: number;
  readonly prune: number;
}

type Row = Readonly<Record<string, unknown>>;
type Declines = readonly { readonly seq?: number; readonly factory: string; readonly until: number }[];
type CandidateRow = JobRow & {
  readonly n: number;
  readonly body_md: Buffer;
  readonly declines: Declines | null;
};

interface Look {
  readonly now: number;
  readonly marked: readonly Pick<JobRow, 'seq' | 'shelf' | 'ready' | 'due_at'>[] | null;
  readonly shelves: readonly ShelfRow[] | null;
}

/** Rows that are looked through for one that is not locked, beside those that are wanted. */
const BESIDE = 32;

export class Fetched {
  now = 0;
  readonly bySeq = new Map<number, Locked>();
  readonly bodies = new Map<number, string>();
  readonly declines = new Map<number, ReadonlyMap<string, number>>();
  /** Shelves of the jobs whose time had come. */
  readonly due: number[] = [];
  readonly #byName = new Map<string, number>();
  readonly #answers = new Map<string, unknown>();
  readonly #statements: ReadingStatements;
  readonly #shelves: Shelves;
  /** The time as a test has it; null: the database's own. */
  readonly #given: number | null;
  readonly #patience: number;

  /** @param patience grows when others have locked what a claim would have taken: more is looked through. */
  constructor(statements: ReadingStatements, shelves: Shelves, given: number | null, patience: number) {
    this.#statements = statements;
    this.#shelves = shelves;
    this.#given = given;
    this.#patience = patience;
  }

  /** Undefined: not looked for; null: not there. */
  named(productId: string, id: string): Locked | null | undefined {
    const seq = this.#byName.get(nameOf(productId, id));
    if (seq !== undefined) return this.bySeq.get(seq);
    return this.#answers.has(idOf({ kind: 'job', productId, id })) ? null : undefined;
  }

  /** Undefined: not asked for. */
  answer<N extends Need>(need: N): Answers[N['kind']] | undefined {
    return this.#answers.get(idOf(need)) as Answers[N['kind']] | undefined;
  }

  /** Begins the transaction, in one round trip with everything that is needed. */
  async begin(client: ClientBase, needs: Needs): Promise<void> {
    const lock = this.#lock(needs);
    const look: Question = { ...this.#statements.look, values: [this.#given, this.#shelves.known] };
    const before: Question[] = [{ text: 'BEGIN ISOLATION LEVEL READ COMMITTED' }];
    if (needs.of('enrolment').length > 0) before.push({ ...this.#statements.enrolment, values: [] });
    if (lock !== undefined) before.push(lock);
    const { questions, take } = this.#reads(needs);
    const results = await pipelined(client, [...before, look, ...questions]);
    const looked = results[before.length]?.rows[0] as unknown as Look;
    this.now = looked.now;
    this.#shelves.learn(looked.shelves ?? []);
    if (lock !== undefined) this.#addJobs(results[before.length - 1]?.rows as JobRow[]);
    for (const need of needs.of('job')) this.#answers.set(idOf(need), true);
    if (needs.of('enrolment').length > 0) this.#answers.set(idOf({ kind: 'enrolment' }), true);
    if (needs.of('held').length > 0) this.#answers.set(idOf({ kind: 'held' }), true);
    for (const { seq, shelf, ready, due_at } of looked.marked ?? []) {
      if (ready) this.due.push(shelf);
      const job = this.bySeq.get(seq);
      if (job !== undefined) this.bySeq.set(seq, { ...job, isReady: ready, dueAt: due_at });
    }
    take(results.slice(before.length + 1));
  }

  /** Nothing that has to be locked where it stands. */
  async more(client: ClientBase, needs: Needs): Promise<void> {
    const { questions, take } = this.#reads(needs);
    take(await pipelined(client, questions));
  }

  jobOf(row: JobRow): JobRecord {
    const shelf = this.#shelves.at(row.shelf);
    if (shelf === undefined) throw new UnknownShelf();
    return jobOf(row, shelf.requires);
  }

  #lock(needs: Needs): Question | undefined {
    const [named, waiting, held] = [needs.of('job'), needs.of('waiting'), needs.of('held')];
    if (named.length + waiting.length + held.length === 0) return undefined;
    const names = [named, waiting].map((needs) => JSON.stringify(needs.filter(canBeThere)));
    const values = [...names, held.length > 0];
    return { ...this.#statements.lock, values };
  }

  #reads(needs: Needs): { questions: Question[]; take: (results: readonly QueryResult[]) => void } {
    const questions: Question[] = [];
    const takers: ((rows: Row[]) => void)[] = [];
    const ask = <K extends NeedKind & keyof ReadingStatements>(
      kind: K,
      answer: (rows: Row[], need: NeedOf<K>) => unknown,
      asked: (need: NeedOf<K>) => object = () => ({}),
    ): void => {
      const list = needs.of(kind);
      if (list.length === 0) return;
      const named = list.map((need, n) => ({ ...need, ...asked(need), n }));
      const json = JSON.stringify(named.filter(canBeThere));
      const { name, text } = this.#statements[kind];
      questions.push({ name, text, values: TIMED.has(kind) ? [json, this.#given] : [json] });
      takers.push((rows) => {
        const groups = list.map((): Row[] => []);
        for (const row of rows) groups[Number(row['need'] ?? row['n'])]?.push(row);
        for (const [n, need] of list.entries())
          this.#answers.set(idOf(need as Need), answer(groups[n] ?? [], need));
      });
    };
    const all = (rows: Row[]) => rows;
    const first = ([row]: Row[]) => row ?? null;
    const isAny = (rows: Row[]) => rows.length > 0;
    const count = ([row]: Row[]) => Number(row?.['count']);

    ask('candidates', this.#addCandidates, ({ most }) => ({ window: (most + BESIDE) * this.#patience }));
    ask('others', isAny);
    ask('count', count);
    ask('numbers', (rows) => rows.map((row) => Number(row['seq'])).sort((a, b) => a - b));
    ask('waiting', (rows) => rows.map((row) => Number(row['seq'])));
    ask('body', ([row], { seq }) => this.bodies.set(seq, textOf(row?.['body_md'] as Buffer | undefined)));
    ask('declines', (rows, { seq }) => this.#addDeclines(seq, rows as unknown as Declines));
    ask('events', all);
    ask('runs', all);
    ask('list', all, ({ stage }) => ({ phases: phasesOf(stage) }));
    ask('key', first);
    ask('token', first);
    ask('enrolled', isAny);
    ask('factory', first);
    ask('factories', all);
    ask('holds', all);
    ask('fleet', count);
    ask('prune', count);
    return {
      questions,
      take: (results) => {
        for (const [n, taker] of takers.entries()) taker(results[n]?.rows ?? []);
      },
    };
  }

  readonly #addCandidates = (rows: Row[], { most }: NeedOf<'candidates'>): Reach => {
    const list = rows as unknown as CandidateRow[];
    for (const row of list) {
      this.bodies.set(row.seq, textOf(row.body_md));
      this.#addDeclines(row.seq, row.declines ?? []);
    }
    this.#addJobs(list);
    const last = list.at(-1);
    return { isWhole: list.length < most, last: last && this.bySeq.get(last.seq)?.job, most };
  };

  /** What is known already is locked already, and has not changed since. */
  #addJobs(rows: readonly JobRow[]): void {
    for (const row of rows) {
      if (this.bySeq.has(row.seq)) continue;
      const job = this.jobOf(row);
      this.bySeq.set(row.seq, { job, shelf: row.shelf, isReady: row.ready, dueAt: row.due_at });
      this.#byName.set(nameOf(job.productId, job.id), row.seq);
    }
  }

  #addDeclines(seq: number, list: Declines): void {
    if (!this.declines.has(seq))
      this.declines.set(seq, new Map(list.map(({ factory, until }) => [factory, until])));
  }
}

/** Another process has made it in this moment: whoever asks again knows it. */
export class UnknownShelf extends Error {}

/** What PostgreSQL cannot hold as text is the name of nothing in it. */
function canBeThere(named: object): boolean {
  return Object.values(named).every(
    (value) => typeof value !== 'string' || (!value.includes('\0') && value.isWellFormed()),
  );
}

function textOf(body: Buffer | undefined): string {
  return body?.toString() ?? '';
}

function nameOf(productId: string, id: string): string {
  return `${productId}\n${id}`;
}
