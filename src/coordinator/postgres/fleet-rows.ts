/** Factories, tokens and keys, and what every row is asked for with: the half of a transaction that knows no job. */
import { FLEET_WINDOW_MS } from '../operations/transaction.ts';
import type { FactoryRecord, JobRecord, KeyRecord, TokenRecord } from '../records.ts';
import * as rows from '../sql/rows.ts';
import { Changes } from './changes.ts';
import type { Fetched } from './fetched.ts';
import type { Need } from './needs.ts';
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

export class FleetRows {
  readonly now: number;
  readonly isAlone: boolean;
  readonly changes = new Changes();
  protected readonly fetched: Fetched;
  protected readonly circumstances: Circumstances;

  constructor(fetched: Fetched, circumstances: Circumstances) {
    this.now = fetched.now;
    this.isAlone = circumstances.isAlone;
    this.fetched = fetched;
    this.circumstances = circumstances;
  }

  factory(productId: string, factoryId: string): FactoryRecord | undefined {
    const saved = this.changes.factories.get(`${productId}\n${factoryId}`);
    if (saved !== undefined) return saved;
    const row = this.answer({ kind: 'factory', productId, factoryId });
    return row === null ? undefined : rows.factoryOf(row);
  }

  saveFactory(factory: FactoryRecord): void {
    this.changes.factories.set(`${factory.productId}\n${factory.factoryId}`, factory);
  }

  factories(productId: string, limit: number): (FactoryRecord & { readonly holds: number })[] {
    const list = this.answer({ kind: 'factories', productId, limit }).map(rows.factoryOf);
    const counted = this.answer({ kind: 'holds', productId });
    const holds = new Map(counted.map(({ factory, count }) => [factory, count]));
    const count = (job: JobRecord | undefined, by: number) => {
      if (job?.productId === productId && job.held && job.factoryId !== null)
        holds.set(job.factoryId, (holds.get(job.factoryId) ?? 0) + by);
    };
    for (const [seq, job] of this.changes.jobs) {
      count(this.fetched.bySeq.get(seq)?.job, -1);
      count(job, 1);
    }
    const all = new Map(list.map((factory) => [factory.factoryId, factory]));
    for (const factory of this.changes.factories.values())
      if (factory.productId === productId) all.set(factory.factoryId, factory);
    return [...all.values()]
      .sort((a, b) => b.lastSeenAt - a.lastSeenAt || (a.factoryId < b.factoryId ? -1 : 1))
      .slice(0, limit)
      .map((factory) => ({ ...factory, holds: holds.get(factory.factoryId) ?? 0 }));
  }

  fleetSize(): number {
    const known = this.circumstances.fleetAt(this.now);
    if (known !== undefined) return known;
    const size = this.answer({ kind: 'fleet', since: this.now - FLEET_WINDOW_MS });
    this.circumstances.countedFleet({ size, at: this.now });
    return size;
  }

  token(hash: string): TokenRecord | undefined {
    const saved = this.changes.tokens.get(hash);
    if (saved !== undefined) return saved;
    const row = this.answer({ kind: 'token', hash });
    if (row === null) return undefined;
    const token = rows.tokenOf(row);
    return token.kind === 'factory' && this.#hasEnded(token.productId, token.factoryId) ? undefined : token;
  }

  saveToken(token: TokenRecord): void {
    this.changes.tokens.set(token.hash, token);
  }

  isEnrolled(productId: string, factoryId: string): boolean {
    this.answer({ kind: 'enrolment' });
    for (const token of this.changes.tokens.values())
      if (token.kind === 'factory' && token.productId === productId && token.factoryId === factoryId)
        return true;
    if (this.#hasEnded(productId, factoryId)) return false;
    return this.answer({ kind: 'enrolled', productId, factoryId });
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
    const row = this.answer({
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
    return this.answer({ kind: 'prune', before: keysBefore, most }) < most;
  }

  /** @throws Missing */
  protected answer<N extends Need>(need: N) {
    const answer = this.fetched.answer(need);
    if (answer === undefined) throw new Missing(need);
    return answer;
  }

  #hasEnded(productId: string, factoryId: string): boolean {
    return this.changes.tokensOver.some(
      (over) => over.productId === productId && over.factoryId === factoryId,
    );
  }
}
