/** Threads that run seeds: as many at a time as there are processors. */
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { MINUTE } from '../src/platform/clock.ts';
import type { Mutation } from './interpose.ts';
import type { Answer, Task } from './protocol.ts';

/** A thread is a new one after so many seeds: whatever runs leave behind in it stays small. */
const SEEDS_EACH = 500;
/** No run takes nearly as long, ms: one that does goes round for ever, and which seed that is has to be known. */
const LONGEST = 5 * MINUTE;

const WORKER = path.join(import.meta.dirname, 'worker.ts');

export class Thread {
  readonly #worker: Worker;

  /** @param mutation the variant of the product that it loads */
  constructor(mutation?: Mutation) {
    this.#worker = new Worker(WORKER, {
      workerData: { ...(mutation !== undefined && { mutation }) },
      // Nothing of this machine's: what a run finds of it could be different elsewhere.
      env: { PATH: '/usr/bin:/bin', HOME: '/home/user', TZ: 'UTC' },
    });
  }

  /** @throws Error that names the seed, when the thread ends or does not answer */
  async ask(task: Task): Promise<Answer> {
    const over = new AbortController();
    const tooLong = sleep(LONGEST, undefined, { signal: over.signal }).then(() => {
      throw new Error(`Seed ${task.seed}: it has not come to its end within ${LONGEST / MINUTE} minutes.`);
    });
    try {
      return await Promise.race([this.#answer(task), tooLong]);
    } finally {
      over.abort();
      tooLong.catch(() => undefined);
    }
  }

  #answer(task: Task): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const fail = (error: Error) =>
        reject(new Error(`Seed ${task.seed}: ${error.message}`, { cause: error }));
      this.#worker.once('error', fail);
      this.#worker.once('message', (answer: Answer) => {
        this.#worker.off('error', fail);
        resolve(answer);
      });
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
      this.#worker.postMessage(task);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate();
  }
}

/** Runs what `next` gives until it gives no more, or `told` says that it is enough. */
export async function runAll(
  next: () => Task | undefined,
  told: (answer: Answer) => boolean,
  threads = os.availableParallelism(),
): Promise<void> {
  let isEnough = false;
  const work = async () => {
    let task = next();
    while (task !== undefined && !isEnough) {
      await using thread = new Thread();
      for (let n = 0; n < SEEDS_EACH && task !== undefined && !isEnough; n += 1, task = next())
        isEnough = told(await thread.ask(task)) || isEnough;
    }
  };
  await Promise.all(Array.from({ length: threads }, work));
}
