/** The jobs of one kind that may be claimed now, in order; and those whose time is still to come. */
import type { JobRecord } from '../records.ts';
import { inOrder } from '../rules/order.ts';

/** Sorted; a job is found by halving, so that it stays quick with some ten thousand. */
export class Sorted {
  readonly #compare: (a: JobRecord, b: JobRecord) => number;
  readonly #jobs: JobRecord[] = [];

  constructor(compare: (a: JobRecord, b: JobRecord) => number = inOrder) {
    this.#compare = compare;
  }

  [Symbol.iterator](): Iterator<JobRecord> {
    return this.#jobs[Symbol.iterator]();
  }

  get first(): JobRecord | undefined {
    return this.#jobs[0];
  }

  add(job: JobRecord): void {
    this.#jobs.splice(this.#place(job), 0, job);
  }

  /** @param job as it was added: what it is sorted by is what finds it. */
  remove(job: JobRecord): void {
    const at = this.#place(job);
    if (this.#jobs[at]?.seq === job.seq) this.#jobs.splice(at, 1);
  }

  /** Of the first that does not come before `job`. */
  #place(job: JobRecord): number {
    let low = 0;
    let high = this.#jobs.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#compare(this.#jobs[middle] as JobRecord, job) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
