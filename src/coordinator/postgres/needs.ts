/** What a group of operations has to know before it can run: rows by key, by index, or counted. Pure. */
import type { WireStage } from '../../fleet/protocol.ts';
import { MOST_COUNTED } from '../operations/reading.ts';
import type { Operation } from '../store.ts';
import type { Shelves } from './shelves.ts';

/** Of each kind: what one of them names. The names are those that the statements read. */
interface Named {
  /** Locked, as the next two. */
  readonly job: { readonly productId: string; readonly id: string };
  /** Those that wait until this one is shipped. */
  readonly waiting: { readonly productId: string; readonly id: string };
  readonly held: object;
  /** To be made when it is not there. */
  readonly shelf: { readonly productId: string; readonly requires: readonly string[] };
  /** The first that may be given out, locked; of one factory: without those that it has turned down. */
  readonly candidates: {
    readonly shelves: readonly number[];
    readonly factoryId: string | null;
    readonly most: number;
  };
  /** Whether there are any beside those that have been locked here, also such as somebody else is just offering. */
  readonly others: {
    readonly shelves: readonly number[];
    readonly factoryId: string;
    readonly known: readonly number[];
  };
  readonly count: {
    readonly shelves: readonly number[];
    readonly factoryId: string;
    readonly most: number;
    /** Only those that come before it. */
    readonly orderKey: number | null;
    readonly seq: number | null;
  };
  /** Numbers for new jobs. */
  readonly numbers: { readonly count: number };
  readonly body: { readonly seq: number };
  readonly declines: { readonly seq: number };
  readonly events: { readonly seq: number; readonly after: number; readonly limit: number };
  readonly runs: { readonly seq: number };
  readonly list: {
    readonly productId: string;
    readonly stage: WireStage | null;
    readonly limit: number;
    readonly before: number;
  };
  readonly key: { readonly scope: string; readonly key: string };
  readonly token: { readonly hash: string };
  /** Nobody else enrols until this transaction is over. */
  readonly enrolment: object;
  readonly enrolled: { readonly productId: string; readonly factoryId: string };
  readonly factory: { readonly productId: string; readonly factoryId: string };
  readonly factories: { readonly productId: string; readonly limit: number };
  /** How many jobs each factory of the product has. */
  readonly holds: { readonly productId: string };
  readonly fleet: { readonly since: number };
  readonly prune: { readonly before: number; readonly most: number };
}

export type NeedKind = keyof Named;
export type NeedOf<K extends NeedKind> = { [N in K]: { readonly kind: N } & Named[N] }[K];
export type Need = NeedOf<NeedKind>;

/** The same text for the same need; how many are wanted makes no difference. */
export function idOf(need: Need): string {
  switch (need.kind) {
    case 'job':
    case 'waiting':
      return `${need.kind}\n${need.productId}\n${need.id}`;
    case 'key':
      return `key\n${need.scope}\n${need.key}`;
    case 'candidates':
      return `candidates\n${need.shelves.join()}\n${need.factoryId ?? ''}`;
    case 'numbers':
      return 'numbers';
    default:
      return JSON.stringify(need);
  }
}

/** Those whose rows are locked where they stand: they are taken first, in one order, or two groups could each wait for the other. */
const LOCKING: ReadonlySet<NeedKind> = new Set(['job', 'waiting', 'held', 'enrolment']);

export class Needs {
  readonly #needs = new Map<string, Need>();

  get size(): number {
    return this.#needs.size;
  }

  get mustLock(): boolean {
    return [...this.#needs.values()].some(({ kind }) => LOCKING.has(kind) || kind === 'shelf');
  }

  /** @throws TypeError when something is not named that has to be. */
  add(need: Need): void {
    if (Object.values(need).includes(undefined)) throw new TypeError(`A ${need.kind} without a name.`);
    const id = idOf(need);
    const there = this.#needs.get(id);
    if (there?.kind === 'candidates' && need.kind === 'candidates')
      this.#needs.set(id, { ...there, most: Math.max(there.most, need.most) });
    else if (there?.kind === 'numbers' && need.kind === 'numbers')
      this.#needs.set(id, { ...there, count: Math.max(there.count, need.count) });
    else this.#needs.set(id, need);
  }

  addAll(needs: Needs): void {
    for (const need of needs.#needs.values()) this.add(need);
  }

  of<K extends NeedKind>(kind: K): NeedOf<K>[] {
    return [...this.#needs.values()].filter((need) => need.kind === kind) as NeedOf<K>[];
  }

  forget(kind: NeedKind): void {
    for (const [id, need] of this.#needs) if (need.kind === kind) this.#needs.delete(id);
  }
}

/** What an operation that is met often is sure to need, so that it is fetched at once. The others say so when they run. */
export function foreseen(operations: readonly Operation[], shelves: Shelves): Needs {
  const needs = new Needs();
  let enqueued = 0;
  const claims: (readonly number[])[] = [];
  for (const operation of operations) {
    if ('key' in operation && operation.key !== undefined)
      needs.add({ kind: 'key', scope: operation.key.scope, key: operation.key.key });
    switch (operation.do) {
      case 'claim':
        claims.push(shelves.fitting(operation.productId, operation.capabilities).numbers);
        break;
      case 'fenced': {
        const { productId, jobId: id, call } = operation;
        needs.add({ kind: 'job', productId, id });
        if (call.what === 'report' && call.stage === 'shipped') needs.add({ kind: 'waiting', productId, id });
        break;
      }
      case 'enqueue':
        enqueued += 1;
        needs.add({ kind: 'job', productId: operation.job.productId, id: operation.job.id });
        break;
      case 'adopt': {
        const { productId, jobId, id } = operation;
        enqueued += 1;
        needs.add({ kind: 'job', productId, id: jobId });
        needs.add({ kind: 'job', productId, id });
        break;
      }
      case 'cancel':
      case 'requeue':
      case 'job':
      case 'runs':
      case 'events':
      case 'why':
        needs.add({ kind: 'job', productId: operation.productId, id: operation.jobId });
        break;
      case 'heartbeat': {
        const { productId, factoryId, capabilities } = operation;
        const { numbers } = shelves.fitting(productId, capabilities);
        needs.add({ kind: 'factory', productId, factoryId });
        if (numbers.length > 0)
          needs.add({
            kind: 'count',
            shelves: numbers,
            factoryId,
            most: MOST_COUNTED,
            orderKey: null,
            seq: null,
          });
        break;
      }
      case 'token':
        needs.add({ kind: 'token', hash: operation.hash });
        break;
      case 'enrol':
        needs.add({ kind: 'enrolment' });
        break;
      case 'restart':
        needs.add({ kind: 'held' });
        break;
      default:
    }
  }
  if (enqueued > 0) needs.add({ kind: 'numbers', count: enqueued });
  for (const need of candidates(claims)) needs.add(need);
  return needs;
}

/** Of each set of shelves as many as there are claims that might take one of them. */
function candidates(claims: readonly (readonly number[])[]): NeedOf<'candidates'>[] {
  const sets = new Map<string, { readonly shelves: readonly number[]; count: number }>();
  for (const shelves of claims) {
    if (shelves.length === 0) continue;
    const set = sets.get(shelves.join()) ?? { shelves, count: 0 };
    set.count += 1;
    sets.set(shelves.join(), set);
  }
  const all = [...sets.values()];
  return all.map(({ shelves }) => {
    const mine = new Set(shelves);
    const rivals = all.filter((other) => other.shelves.some((shelf) => mine.has(shelf)));
    const most = rivals.reduce((sum, { count }) => sum + count, 0);
    return { kind: 'candidates', shelves, factoryId: null, most };
  });
}
