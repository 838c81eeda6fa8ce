/**
 * The part of the queue that a group knows: the jobs that may be given out now, of those that it has locked or made
 * itself. Which of them comes first for a claimant can only be said as far as the database has been looked through.
 */
import type { Claimant } from '../operations/transaction.ts';
import type { JobRecord } from '../records.ts';
import { inOrder, orderKey } from '../rules/order.ts';
import type { Fetched, Reach } from './fetched.ts';
import type { NeedOf } from './needs.ts';
import type { Fitting, Shelves } from './shelves.ts';
import { Contended, Missing } from './signals.ts';

interface Standing {
  readonly job: JobRecord;
  readonly shelf: number;
}

export class Queue {
  readonly #fetched: Fetched;
  readonly #shelves: Shelves;
  readonly #declinedUntil: (job: JobRecord, factoryId: string) => number | undefined;
  readonly #ready = new Map<number, Standing>();
  /** Whether those changed here may be given out now, and could before. */
  readonly #changed = new Map<number, Standing & { readonly was: boolean; readonly is: boolean }>();

  constructor(
    fetched: Fetched,
    shelves: Shelves,
    declinedUntil: (job: JobRecord, factoryId: string) => number | undefined,
  ) {
    this.#fetched = fetched;
    this.#shelves = shelves;
    this.#declinedUntil = declinedUntil;
    for (const [seq, { job, shelf, isReady }] of fetched.bySeq)
      if (isReady) this.#ready.set(seq, { job, shelf });
  }

  put(job: JobRecord, shelf: number, isReady: boolean): void {
    const was = this.#changed.get(job.seq)?.was ?? this.#ready.has(job.seq);
    this.#changed.set(job.seq, { job, shelf, was, is: isReady });
    if (isReady) this.#ready.set(job.seq, { job, shelf });
    else this.#ready.delete(job.seq);
  }

  /**
   * @param most how many claims there are that could take what this one would.
   * @param isPatient while others have locked what might be the first, it is not said that there is none.
   * @throws Missing, Contended
   */
  firstFor(claimant: Claimant, most: number, isPatient: boolean): JobRecord | undefined {
    const { productId, factoryId, capabilities } = claimant;
    const fitting = this.#shelves.fitting(productId, capabilities);
    if (fitting.numbers.length === 0) return undefined;
    const shelves = fitting.numbers;
    const best = this.#best(fitting, factoryId);
    const wide: NeedOf<'candidates'> = { kind: 'candidates', shelves, factoryId: null, most };
    const anybodys = this.#fetched.answer(wide);
    if (anybodys === undefined) throw new Missing(wide);
    if (isWithin(best, anybodys)) return best;
    // What is known is taken, or turned down by this factory: only for it is looked further.
    const own: NeedOf<'candidates'> = { ...wide, factoryId };
    const reach = this.#fetched.answer(own);
    if (reach === undefined && !anybodys.isWhole) throw new Missing(own);
    if (reach !== undefined && isWithin(best, reach)) return best;
    if (reach?.isWhole === false) throw new Missing({ ...own, most: reach.most * 2 });
    if (best !== undefined || !isPatient) return best;
    const others: NeedOf<'others'> = {
      kind: 'others',
      shelves,
      factoryId,
      known: [...this.#fetched.bySeq.keys()],
    };
    const areThere = this.#fetched.answer(others);
    if (areThere === undefined) throw new Missing(others);
    if (areThere) throw new Contended();
    return undefined;
  }

  /** @throws Missing */
  countFor({ productId, factoryId, capabilities }: Claimant, most: number, ahead?: JobRecord): number {
    const fitting = this.#shelves.fitting(productId, capabilities);
    if (fitting.numbers.length === 0) return 0;
    const [key, seq] = ahead === undefined ? [null, null] : [orderKey(ahead), ahead.seq];
    const need: NeedOf<'count'> = {
      kind: 'count',
      shelves: fitting.numbers,
      factoryId,
      most,
      orderKey: key,
      seq,
    };
    let count = this.#fetched.answer(need);
    if (count === undefined) throw new Missing(need);
    for (const { job, shelf, was, is } of this.#changed.values()) {
      if (was === is || !fitting.has(shelf) || (ahead !== undefined && inOrder(job, ahead) >= 0)) continue;
      if (is && !this.#isDeclined(job, factoryId)) count += 1;
      else if (was) count -= 1;
    }
    return Math.max(0, Math.min(count, most));
  }

  #best({ has }: Fitting, factoryId: string): JobRecord | undefined {
    let best: JobRecord | undefined;
    for (const { job, shelf } of this.#ready.values()) {
      if (!has(shelf) || (best !== undefined && inOrder(job, best) > 0)) continue;
      if (!this.#isDeclined(job, factoryId)) best = job;
    }
    return best;
  }

  #isDeclined(job: JobRecord, factoryId: string): boolean {
    return (this.#declinedUntil(job, factoryId) ?? 0) > this.#fetched.now;
  }
}

function isWithin(job: JobRecord | undefined, { isWhole, last }: Reach): boolean {
  if (job === undefined) return false;
  return isWhole || (last !== undefined && inOrder(job, last) <= 0);
}
