/** The rows that a group has fetched, with its changes over them. What has not been fetched it throws as Missing. */
import type { WireStage } from '../../fleet/protocol.ts';
import type { Claimant, Transaction } from '../operations/transaction.ts';
import type { JobEvent, JobRecord, RunEnd, RunRecord } from '../records.ts';
import type { NewJob } from '../rules/enqueue.ts';
import { isClaimable } from '../rules/lease.ts';
import * as rows from '../sql/rows.ts';
import type { Ready } from '../store.ts';
import type { Fetched } from './fetched.ts';
import { type Circumstances, FleetRows } from './fleet-rows.ts';
import { Queue } from './queue.ts';
import type { Shelves } from './shelves.ts';
import { Missing } from './signals.ts';

export class PostgresTransaction extends FleetRows implements Transaction {
  readonly announced: Ready[] = [];
  /** Of the operation that runs now: whether it rather waits than hears that there is nothing (queue.ts). */
  isPatient = true;
  readonly #shelves: Shelves;
  readonly #queue: Queue;
  readonly #byName = new Map<string, JobRecord>();
  readonly #numbers: number[];

  constructor(fetched: Fetched, shelves: Shelves, circumstances: Circumstances) {
    super(fetched, circumstances);
    this.#shelves = shelves;
    this.#queue = new Queue(fetched, shelves, this.declinedUntil.bind(this));
    this.#numbers = [...(fetched.answer({ kind: 'numbers', count: 0 }) ?? [])];
    for (const shelf of fetched.due) this.announce(shelves.at(shelf) as Ready);
  }

  job(productId: string, id: string): JobRecord | undefined {
    const made = this.#byName.get(`${productId}\n${id}`);
    if (made !== undefined) return this.#current(made);
    const locked = this.fetched.named(productId, id);
    if (locked === undefined) throw new Missing({ kind: 'job', productId, id });
    return locked === null ? undefined : this.#current(locked.job);
  }

  bodyOf({ seq }: JobRecord): string {
    const body = this.changes.inserted.get(seq)?.bodyMd ?? this.fetched.bodies.get(seq);
    if (body === undefined) throw new Missing({ kind: 'body', seq });
    return body;
  }

  insert(given: NewJob, bodyMd: string): JobRecord {
    const shelf = this.#shelves.numberOf(given);
    const { productId, requires } = given;
    if (shelf === undefined) throw new Missing({ kind: 'shelf', productId, requires });
    const seq = this.#numbers.shift();
    if (seq === undefined) throw new Missing({ kind: 'numbers', count: this.changes.inserted.size + 1 });
    const job = { ...given, seq };
    this.changes.inserted.set(seq, { bodyMd, shelf });
    for (const need of job.waitsFor) this.changes.waits.push({ productId, need, seq });
    this.#byName.set(`${productId}\n${job.id}`, job);
    this.#put(job, shelf);
    return job;
  }

  save(job: JobRecord, before: JobRecord): void {
    const { productId, seq } = job;
    for (const need of before.waitsFor)
      if (!job.waitsFor.includes(need)) this.changes.waitsOver.push({ productId, need, seq });
    this.#put(job, this.changes.inserted.get(seq)?.shelf ?? this.fetched.bySeq.get(seq)?.shelf ?? 0);
  }

  list(productId: string, stage: WireStage | undefined, limit: number, before: number): JobRecord[] {
    const list = this.answer({
      kind: 'list',
      productId,
      stage: stage ?? null,
      limit,
      before,
    });
    const all = new Map(list.map((row) => [row.seq, this.fetched.jobOf(row)]));
    for (const [seq, job] of this.changes.jobs) all.set(seq, job);
    return [...all.values()]
      .filter((job) => job.productId === productId && job.seq < before)
      .filter((job) => stage === undefined || job.stage === stage)
      .sort((a, b) => b.seq - a.seq)
      .slice(0, limit);
  }

  held(): JobRecord[] {
    this.answer({ kind: 'held' });
    const all = new Map([...this.fetched.bySeq].map(([seq, { job }]) => [seq, job]));
    for (const [seq, job] of this.changes.jobs) all.set(seq, job);
    return [...all.values()].filter(({ held }) => held);
  }

  waitingFor(productId: string, id: string): JobRecord[] {
    const need = { kind: 'waiting', productId, id } as const;
    const seqs = new Set(this.answer(need));
    for (const { need: wanted, seq, ...of } of this.changes.waits)
      if (of.productId === productId && wanted === id) seqs.add(seq);
    return [...seqs].map((seq) => {
      const job = this.changes.jobs.get(seq) ?? this.fetched.bySeq.get(seq)?.job;
      // It has been enqueued while this transaction waited for a lock: the next try locks it with the others.
      if (job === undefined) throw new Missing(need);
      return job;
    });
  }

  firstFor(claimant: Claimant): JobRecord | undefined {
    return this.#queue.firstFor(claimant, this.circumstances.claims, this.isPatient);
  }

  countFor(claimant: Claimant, most: number, ahead?: JobRecord): number {
    return this.#queue.countFor(claimant, most, ahead);
  }

  decline({ seq }: JobRecord, factory: string, until: number): void {
    this.changes.declines.set(`${seq}\n${factory}`, { seq, factory, until });
  }

  declinedUntil({ seq }: JobRecord, factoryId: string): number | undefined {
    const until = this.changes.declines.get(`${seq}\n${factoryId}`)?.until;
    if (until !== undefined) return until;
    if (this.changes.declinesOver.has(seq) || this.changes.inserted.has(seq)) return undefined;
    const known = this.fetched.declines.get(seq);
    if (known === undefined) throw new Missing({ kind: 'declines', seq });
    return known.get(factoryId);
  }

  forgetDeclines({ seq }: JobRecord): void {
    this.changes.declinesOver.add(seq);
    for (const [key, decline] of this.changes.declines)
      if (decline.seq === seq) this.changes.declines.delete(key);
  }

  addEvent({ seq }: JobRecord, event: JobEvent): void {
    this.changes.events.push({ seq, event });
  }

  events({ seq }: JobRecord, after: number, limit: number): JobEvent[] {
    const list = this.answer({ kind: 'events', seq, after, limit }).map(rows.eventOf);
    const added = this.changes.events.filter((each) => each.seq === seq && each.event.n > after);
    return [...list, ...added.map(({ event }) => event)].slice(0, limit);
  }

  beginRun({ seq, epoch, stage }: JobRecord, factoryId: string): void {
    const run = { epoch, factoryId, startedAt: this.now, endedAt: null, stage, end: null };
    this.changes.runs.push({ seq, run });
  }

  endRun({ seq }: JobRecord, epoch: number, end: RunEnd, stage: WireStage): void {
    this.changes.runsOver.push({ seq, epoch, end, stage });
  }

  runs({ seq }: JobRecord): RunRecord[] {
    const list = this.answer({ kind: 'runs', seq }).map(rows.runOf);
    const begun = this.changes.runs.filter((each) => each.seq === seq).map(({ run }) => run);
    const over = new Map(
      this.changes.runsOver.filter((run) => run.seq === seq).map((run) => [run.epoch, run] as const),
    );
    return [...list, ...begun].map((run) => {
      const ended = over.get(run.epoch);
      if (ended === undefined) return run;
      return { ...run, endedAt: this.now, end: ended.end, stage: ended.stage };
    });
  }

  announce({ productId, requires }: Ready): void {
    this.announced.push({ productId, requires });
  }

  #current(job: JobRecord): JobRecord {
    return this.changes.jobs.get(job.seq) ?? job;
  }

  #put(job: JobRecord, shelf: number): void {
    this.changes.jobs.set(job.seq, job);
    this.#queue.put(job, shelf, isClaimable(job, this.now));
  }
}
