/** The rows that a group has fetched, with its changes over them. What has not been fetched it throws as Missing. */
import type { WireStage } from '../../fleet/protocol.ts';
import { type Claimant, FLEET_WINDOW_MS, type Transaction } from '../operations/transaction.ts';
import type {
  FactoryRecord,
  JobEvent,
  JobRecord,
  KeyRecord,
  RunEnd,
  RunRecord,
  TokenRecord,
} from '../records.ts';
import type { NewJob } from '../rules/enqueue.ts';
import { isClaimable } from '../rules/lease.ts';
import type { Ready } from '../store.ts';
import { Changes } from './changes.ts';
import type { Fetched } from './fetched.ts';
import { idOf, type Need } from './needs.ts';
import { Queue } from './queue.ts';
import * as rows from './rows.ts';
import type { Shelves } from './shelves.ts';
import { Missing } from './signals.ts';

/** How many the fleet has, as it was counted some seconds ago. */
export interface FleetCount {
  readonly size: number;
  readonly at: number;
}

export interface Circumstances {
  readonly isAlone: boolean;
  /** Claims of this group. */
  readonly claims: number;
  /** Undefined: it is to be counted. */
  readonly fleetAt: (now: number) => number | undefined;
  readonly countedFleet: (count: FleetCount) => void;
}

export class PostgresTransaction implements Transaction {
  readonly now: number;
  readonly isAlone: boolean;
  readonly changes = new Changes();
  readonly announced: Ready[] = [];
  /** Of the operation that runs now: whether it rather waits than hears that there is nothing (queue.ts). */
  isPatient = true;
  readonly #fetched: Fetched;
  readonly #shelves: Shelves;
  readonly #circumstances: Circumstances;
  readonly #queue: Queue;
  readonly #byName = new Map<string, JobRecord>();
  readonly #numbers: number[];

  constructor(fetched: Fetched, shelves: Shelves, circumstances: Circumstances) {
    this.now = fetched.now;
    this.isAlone = circumstances.isAlone;
    this.#fetched = fetched;
    this.#shelves = shelves;
    this.#circumstances = circumstances;
    this.#queue = new Queue(fetched, shelves, this.declinedUntil.bind(this));
    this.#numbers = [...(fetched.answer<number[]>('numbers') ?? [])];
    for (const shelf of fetched.due) this.announce(shelves.at(shelf) as Ready);
  }

  job(productId: string, id: string): JobRecord | undefined {
    const made = this.#byName.get(`${productId}\n${id}`);
    if (made !== undefined) return this.#current(made);
    const locked = this.#fetched.named(productId, id);
    if (locked === undefined) throw new Missing({ kind: 'job', productId, id });
    return locked === null ? undefined : this.#current(locked.job);
  }

  bodyOf({ seq }: JobRecord): string {
    const body = this.changes.inserted.get(seq)?.bodyMd ?? this.#fetched.bodies.get(seq);
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
    this.#put(job, this.changes.inserted.get(seq)?.shelf ?? this.#fetched.bySeq.get(seq)?.shelf ?? 0);
  }

  list(productId: string, stage: WireStage | undefined, limit: number, before: number): JobRecord[] {
    const list = this.#answer<rows.JobRow[]>({
      kind: 'list',
      productId,
      stage: stage ?? null,
      limit,
      before,
    });
    const all = new Map(list.map((row) => [row.seq, this.#fetched.jobOf(row)]));
    for (const [seq, job] of this.changes.jobs) all.set(seq, job);
    return [...all.values()]
      .filter((job) => job.productId === productId && job.seq < before)
      .filter((job) => stage === undefined || job.stage === stage)
      .sort((a, b) => b.seq - a.seq)
      .slice(0, limit);
  }

  held(): JobRecord[] {
    this.#answer({ kind: 'held' });
    const all = new Map([...this.#fetched.bySeq].map(([seq, { job }]) => [seq, job]));
    for (const [seq, job] of this.changes.jobs) all.set(seq, job);
    return [...all.values()].filter(({ held }) => held);
  }

  waitingFor(productId: string, id: string): JobRecord[] {
    const need = { kind: 'waiting', productId, id } as const;
    const seqs = new Set(this.#answer<number[]>(need));
    for (const { need: wanted, seq, ...of } of this.changes.waits)
      if (of.productId === productId && wanted === id) seqs.add(seq);
    return [...seqs].map((seq) => {
      const job = this.changes.jobs.get(seq) ?? this.#fetched.bySeq.get(seq)?.job;
      // It has been enqueued while this transaction waited for a lock: the next try locks it with the others.
      if (job === undefined) throw new Missing(need);
      return job;
    });
  }

  firstFor(claimant: Claimant): JobRecord | undefined {
    return this.#queue.firstFor(claimant, this.#circumstances.claims, this.isPatient);
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
    const known = this.#fetched.declines.get(seq);
    if (known === undefined) throw new Missing({ kind: 'declines', seq });
    return known.get(factoryId);
  }

  forgetDeclines({ seq }: JobRecord): void {
    this.changes.declinesOver.add(seq);
    for (const [key, decline] of this.changes.declines)
      if (decline.seq === seq) this.changes.declines.delete(key);
  }

  addEvent({ seq }: JobRecord, event: JobEvent): void {
    this.changes.events.push({ ...event, seq });
  }

  events({ seq }: JobRecord, after: number, limit: number): JobEvent[] {
    const list = this.#answer<rows.EventRow[]>({ kind: 'events', seq, after, limit }).map(rows.eventOf);
    const added = this.changes.events.filter((event) => event.seq === seq && event.n > after);
    return [...list, ...added.map(({ seq: _, ...event }) => event)].slice(0, limit);
  }

  beginRun({ seq, epoch, stage }: JobRecord, factoryId: string): void {
    this.changes.runs.push({ seq, epoch, factoryId, startedAt: this.now, endedAt: null, stage, end: null });
  }

  endRun({ seq }: JobRecord, epoch: number, end: RunEnd, stage: WireStage): void {
    this.changes.runsOver.push({ seq, epoch, end, stage });
  }

  runs({ seq }: JobRecord): RunRecord[] {
    const list = this.#answer<rows.RunRow[]>({ kind: 'runs', seq }).map(rows.runOf);
    const begun = this.changes.runs.filter((run) => run.seq === seq).map(({ seq: _, ...run }) => run);
    const over = new Map(
      this.changes.runsOver.filter((run) => run.seq === seq).map((run) => [run.epoch, run] as const),
    );
    return [...list, ...begun].map((run) => {
      const ended = over.get(run.epoch);
      if (ended === undefined) return run;
      return { ...run, endedAt: this.now, end: ended.end, stage: ended.stage };
    });
  }

  factory(productId: string, factoryId: string): FactoryRecord | undefined {
    const saved = this.changes.factories.get(`${productId}\n${factoryId}`);
    if (saved !== undefined) return saved;
    const row = this.#answer<rows.FactoryRow | null>({ kind: 'factory', productId, factoryId });
    return row === null ? undefined : rows.factoryOf(row);
  }

  saveFactory(factory: FactoryRecord): void {
    this.changes.factories.set(`${factory.productId}\n${factory.factoryId}`, factory);
  }

  factories(productId: string, limit: number): (FactoryRecord & { readonly holds: number })[] {
    const list = this.#answer<(rows.FactoryRow & { readonly holds: number })[]>({
      kind: 'factories',
      productId,
      limit,
    });
    const all = new Map(list.map((row) => [row.factory, { ...rows.factoryOf(row), holds: row.holds }]));
    for (const factory of this.changes.factories.values())
      if (factory.productId === productId)
        all.set(factory.factoryId, { ...factory, holds: all.get(factory.factoryId)?.holds ?? 0 });
    for (const [seq, job] of this.changes.jobs)
      for (const [each, sign] of [[this.#fetched.bySeq.get(seq)?.job, -1] as const, [job, 1] as const]) {
        const factory =
          each?.productId === productId && each.held ? all.get(each.factoryId ?? '') : undefined;
        if (factory !== undefined) factory.holds += sign;
      }
    return [...all.values()]
      .sort((a, b) => b.lastSeenAt - a.lastSeenAt || (a.factoryId < b.factoryId ? -1 : 1))
      .slice(0, limit);
  }

  fleetSize(): number {
    const known = this.#circumstances.fleetAt(this.now);
    if (known !== undefined) return known;
    const size = this.#answer<number>({ kind: 'fleet', since: this.now - FLEET_WINDOW_MS });
    this.#circumstances.countedFleet({ size, at: this.now });
    return size;
  }

  token(hash: string): TokenRecord | undefined {
    const saved = this.changes.tokens.get(hash);
    if (saved !== undefined) return saved;
    const row = this.#answer<rows.TokenRow | null>({ kind: 'token', hash });
    if (row === null) return undefined;
    const token = rows.tokenOf(row);
    return token.kind === 'factory' && this.#hasEnded(token.productId, token.factoryId) ? undefined : token;
  }

  saveToken(token: TokenRecord): void {
    this.changes.tokens.set(token.hash, token);
  }

  isEnrolled(productId: string, factoryId: string): boolean {
    this.#answer({ kind: 'enrolment' });
    for (const token of this.changes.tokens.values())
      if (token.kind === 'factory' && token.productId === productId && token.factoryId === factoryId)
        return true;
    if (this.#hasEnded(productId, factoryId)) return false;
    return this.#answer<boolean>({ kind: 'enrolled', productId, factoryId });
  }

  endTokensOf(productId: string, factoryId: string): void {
    this.changes.tokensOver.push({ productId, factoryId });
    for (const [hash, token] of this.changes.tokens)
      if (token.kind === 'factory' && token.productId === productId && token.factoryId === factoryId)
        this.changes.tokens.delete(hash);
  }

  key(scope: string, key: string): KeyRecord | undefined {
    const saved = this.changes.keys.get(`${scope}\n${key}`);
    if (saved !== undefined) return saved;
    const row = this.#answer<{ fingerprint: string; job: string | null; epoch: number | null } | null>({
      kind: 'key',
      scope,
      key,
    });
    return row === null
      ? undefined
      : { scope, key, fingerprint: row.fingerprint, jobId: row.job, epoch: row.epoch };
  }

  saveKey(record: KeyRecord): void {
    const { scope, key } = record;
    if (this.key(scope, key) === undefined) this.changes.keys.set(`${scope}\n${key}`, record);
  }

  prune(keysBefore: number, most: number): boolean {
    return this.#answer<number>({ kind: 'prune', before: keysBefore, most }) < most;
  }

  announce({ productId, requires }: Ready): void {
    this.announced.push({ productId, requires });
  }

  #answer<T>(need: Need): T {
    const answer = this.#fetched.answer<T>(idOf(need));
    if (answer === undefined) throw new Missing(need);
    return answer;
  }

  #current(job: JobRecord): JobRecord {
    return this.changes.jobs.get(job.seq) ?? job;
  }

  #put(job: JobRecord, shelf: number): void {
    this.changes.jobs.set(job.seq, job);
    this.#queue.put(job, shelf, isClaimable(job, this.now));
  }

  #hasEnded(productId: string, factoryId: string): boolean {
    return this.changes.tokensOver.some(
      (over) => over.productId === productId && over.factoryId === factoryId,
    );
  }
}
