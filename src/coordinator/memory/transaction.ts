/** The rows of a store that lives in memory. There is no rollback: an operation that is refused has written nothing. */
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
import { claimableFrom } from '../rules/lease.ts';
import { missing, offers } from '../rules/matching.ts';
import { inOrder } from '../rules/order.ts';
import type { Ready } from '../store.ts';
import { Sorted } from './ready.ts';

interface Shelf {
  readonly productId: string;
  readonly requires: readonly string[];
  readonly ready: Sorted;
}

export class MemoryTransaction implements Transaction {
  now = 0;
  readonly isAlone = true;
  announced: Ready[] = [];
  readonly #jobs: JobRecord[] = [];
  readonly #byId = new Map<string, number>();
  readonly #bodies: string[] = [];
  readonly #events: JobEvent[][] = [];
  readonly #runs: RunRecord[][] = [];
  readonly #declines = new Map<number, Map<string, number>>();
  readonly #waiting = new Map<string, Set<number>>();
  /** Jobs that ask for the same stand together: a claim looks at the first of every shelf that it can do. */
  readonly #shelves = new Map<string, Shelf>();
  readonly #due = new Sorted((a, b) => (claimableFrom(a) ?? 0) - (claimableFrom(b) ?? 0) || a.seq - b.seq);
  readonly #held = new Set<number>();
  readonly #factories = new Map<string, FactoryRecord>();
  readonly #tokens = new Map<string, TokenRecord>();
  readonly #keys = new Map<string, { readonly record: KeyRecord; readonly at: number }>();

  begin(now: number): void {
    this.now = now;
    this.announced = [];
    for (;;) {
      const first = this.#due.first;
      if (first === undefined || (claimableFrom(first) ?? Infinity) > this.now) return;
      this.#due.remove(first);
      this.#shelfOf(first).ready.add(first);
      this.announce(first);
    }
  }

  job(productId: string, id: string): JobRecord | undefined {
    return this.#jobs[this.#byId.get(keyOf(productId, id)) ?? -1];
  }

  bodyOf({ seq }: JobRecord): string {
    return this.#bodies[seq] ?? '';
  }

  insert(given: NewJob, bodyMd: string): JobRecord {
    const job = { ...given, seq: this.#jobs.length };
    this.#jobs.push(job);
    this.#bodies.push(bodyMd);
    this.#byId.set(keyOf(job.productId, job.id), job.seq);
    for (const need of job.waitsFor) {
      const key = keyOf(job.productId, need);
      this.#waiting.set(key, (this.#waiting.get(key) ?? new Set()).add(job.seq));
    }
    this.#place(job);
    return job;
  }

  save(job: JobRecord, before: JobRecord): void {
    // Whether it stood on its shelf or was still to come is not known here; it is in one of them at most.
    this.#shelfOf(before).ready.remove(before);
    this.#due.remove(before);
    this.#jobs[job.seq] = job;
    for (const need of before.waitsFor)
      if (!job.waitsFor.includes(need)) this.#waiting.get(keyOf(job.productId, need))?.delete(job.seq);
    this.#place(job);
  }

  list(productId: string, stage: WireStage | undefined, limit: number, before: number): JobRecord[] {
    return this.#jobs
      .filter((job) => job.productId === productId && job.seq < before)
      .filter((job) => stage === undefined || job.stage === stage)
      .reverse()
      .slice(0, limit);
  }

  held(): JobRecord[] {
    return [...this.#held].map((seq) => this.#jobs[seq] as JobRecord);
  }

  waitingFor(productId: string, id: string): JobRecord[] {
    return [...(this.#waiting.get(keyOf(productId, id)) ?? [])].map((seq) => this.#jobs[seq] as JobRecord);
  }

  firstFor(claimant: Claimant): JobRecord | undefined {
    let best: JobRecord | undefined;
    for (const shelf of this.#shelvesFor(claimant)) {
      for (const job of shelf.ready) {
        if (this.#isDeclined(job, claimant.factoryId)) continue;
        if (best === undefined || inOrder(job, best) < 0) best = job;
        break;
      }
    }
    return best;
  }

  countFor(claimant: Claimant, most: number, ahead?: JobRecord): number {
    let count = 0;
    for (const shelf of this.#shelvesFor(claimant)) {
      for (const job of shelf.ready) {
        if (count === most || (ahead !== undefined && inOrder(job, ahead) >= 0)) break;
        if (!this.#isDeclined(job, claimant.factoryId)) count += 1;
      }
    }
    return count;
  }

  decline({ seq }: JobRecord, factoryId: string, until: number): void {
    this.#declines.set(seq, (this.#declines.get(seq) ?? new Map()).set(factoryId, until));
  }

  declinedUntil({ seq }: JobRecord, factoryId: string): number | undefined {
    return this.#declines.get(seq)?.get(factoryId);
  }

  forgetDeclines({ seq }: JobRecord): void {
    this.#declines.delete(seq);
  }

  addEvent({ seq }: JobRecord, event: JobEvent): void {
    (this.#events[seq] ??= []).push(event);
  }

  events({ seq }: JobRecord, after: number, limit: number): JobEvent[] {
    return (this.#events[seq] ?? []).filter(({ n }) => n > after).slice(0, limit);
  }

  beginRun({ seq, epoch, stage }: JobRecord, factoryId: string): void {
    const run = { epoch, factoryId, startedAt: this.now, endedAt: null, stage, end: null };
    (this.#runs[seq] ??= []).push(run);
  }

  endRun({ seq }: JobRecord, epoch: number, end: RunEnd, stage: WireStage): void {
    this.#runs[seq] = (this.#runs[seq] ?? []).map((run) =>
      run.epoch === epoch ? { ...run, endedAt: this.now, end, stage } : run,
    );
  }

  runs({ seq }: JobRecord): RunRecord[] {
    return this.#runs[seq] ?? [];
  }

  factory(productId: string, factoryId: string): FactoryRecord | undefined {
    return this.#factories.get(keyOf(productId, factoryId));
  }

  saveFactory(factory: FactoryRecord): void {
    this.#factories.set(keyOf(factory.productId, factory.factoryId), factory);
  }

  factories(productId: string, limit: number): (FactoryRecord & { readonly holds: number })[] {
    const held = this.held();
    const holds = ({ factoryId }: FactoryRecord) =>
      held.filter((job) => job.productId === productId && job.factoryId === factoryId).length;
    return [...this.#factories.values()]
      .filter((factory) => factory.productId === productId)
      .sort((a, b) => b.lastSeenAt - a.lastSeenAt || (a.factoryId < b.factoryId ? -1 : 1))
      .slice(0, limit)
      .map((factory) => ({ ...factory, holds: holds(factory) }));
  }

  fleetSize(): number {
    const since = this.now - FLEET_WINDOW_MS;
    let size = 0;
    for (const { lastSeenAt } of this.#factories.values()) if (lastSeenAt > since) size += 1;
    return size;
  }

  token(hash: string): TokenRecord | undefined {
    return this.#tokens.get(hash);
  }

  saveToken(token: TokenRecord): void {
    this.#tokens.set(token.hash, token);
  }

  isEnrolled(productId: string, factoryId: string): boolean {
    return this.#tokensOf(productId, factoryId).length > 0;
  }

  endTokensOf(productId: string, factoryId: string): void {
    for (const { hash } of this.#tokensOf(productId, factoryId)) this.#tokens.delete(hash);
  }

  key(scope: string, key: string): KeyRecord | undefined {
    return this.#keys.get(keyOf(scope, key))?.record;
  }

  saveKey(record: KeyRecord): void {
    const id = keyOf(record.scope, record.key);
    if (!this.#keys.has(id)) this.#keys.set(id, { record, at: this.now });
  }

  prune(keysBefore: number, most: number): boolean {
    let left = most;
    for (const [id, { at }] of this.#keys) {
      if (at >= keysBefore || left === 0) break;
      this.#keys.delete(id);
      left -= 1;
    }
    for (const declines of this.#declines.values())
      for (const [factoryId, until] of declines) if (until <= this.now) declines.delete(factoryId);
    return left > 0;
  }

  announce({ productId, requires }: Ready): void {
    this.announced.push({ productId, requires });
  }

  #place(job: JobRecord): void {
    if (job.held) this.#held.add(job.seq);
    else this.#held.delete(job.seq);
    const from = claimableFrom(job);
    if (from === undefined) return;
    if (from <= this.now) this.#shelfOf(job).ready.add(job);
    else this.#due.add(job);
  }

  #shelfOf({ productId, requires }: Ready): Shelf {
    const key = keyOf(productId, requires.join(' '));
    const shelf = this.#shelves.get(key) ?? { productId, requires, ready: new Sorted() };
    this.#shelves.set(key, shelf);
    return shelf;
  }

  #shelvesFor({ productId, capabilities }: Claimant): Shelf[] {
    const offered = offers(capabilities);
    return [...this.#shelves.values()].filter(
      (shelf) => shelf.productId === productId && missing(shelf.requires, offered).length === 0,
    );
  }

  #isDeclined({ seq }: JobRecord, factoryId: string): boolean {
    return (this.#declines.get(seq)?.get(factoryId) ?? 0) > this.now;
  }

  #tokensOf(productId: string, factoryId: string): TokenRecord[] {
    return [...this.#tokens.values()].filter(
      (token) => token.kind === 'factory' && token.productId === productId && token.factoryId === factoryId,
    );
  }
}

/** Neither a product nor a factory has a line break in its name. */
function keyOf(a: string, b: string): string {
  return `${a}\n${b}`;
}
