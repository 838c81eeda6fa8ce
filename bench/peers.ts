/** What others' queues do on the same PostgreSQL: no-op jobs fetched and completed one at a time, without HTTP and without a fence. */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { SECOND } from '../src/platform/clock.ts';
import { installPackages } from '../test/vscode/packages.ts';

const AT_ONCE = 64;
const JOBS = 4000;

interface Boss {
  start(): Promise<unknown>;
  stop(options: object): Promise<unknown>;
  createQueue(name: string): Promise<unknown>;
  insert(name: string, jobs: readonly object[]): Promise<unknown>;
  fetch(name: string): Promise<readonly { id: string }[]>;
  complete(name: string, id: string): Promise<unknown>;
  on(event: 'error', listener: (error: unknown) => void): void;
}

interface Graphile {
  readonly Logger: new (factory: () => (level: string, message: string) => void) => object;
  run(options: object): Promise<{ stop(): Promise<void> }>;
  makeWorkerUtils(options: object): Promise<{
    migrate(): Promise<void>;
    addJobs(jobs: readonly object[]): Promise<unknown>;
    release(): Promise<void>;
  }>;
}

async function load(name: string): Promise<unknown> {
  const folder = await installPackages('bench-peers', () => Promise.resolve());
  const entry = path.join(folder, 'index.mjs');
  const { createRequire } = await import('node:module');
  return import(pathToFileURL(createRequire(entry).resolve(name)).href);
}

/** Jobs per second. */
export async function pgBoss(url: string): Promise<number> {
  const { PgBoss } = (await load('pg-boss')) as { PgBoss: new (options: object) => Boss };
  const boss = new PgBoss({ connectionString: url, max: 10, supervise: false, schedule: false });
  boss.on('error', (error) => console.error(error));
  await boss.start();
  await boss.createQueue('noop');
  await boss.insert(
    'noop',
    Array.from({ length: JOBS }, () => ({})),
  );
  let done = 0;
  const start = performance.now();
  const work = async (): Promise<void> => {
    for (;;) {
      const [job] = await boss.fetch('noop');
      if (job === undefined) return;
      await boss.complete('noop', job.id);
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  const rate = (done / (performance.now() - start)) * SECOND;
  await boss.stop({ graceful: false, close: true });
  return rate;
}

/** Jobs per second, as it comes. */
export async function graphileWorker(url: string): Promise<number> {
  const graphile = (await load('graphile-worker')) as Graphile;
  const logger = new graphile.Logger(() => (level: string, message: string) => {
    if (level === 'error') console.error(message);
  });
  const utils = await graphile.makeWorkerUtils({ connectionString: url, logger });
  await utils.migrate();
  await utils.addJobs(Array.from({ length: JOBS }, () => ({ identifier: 'noop', payload: {} })));
  await utils.release();
  let done = 0;
  const finished = Promise.withResolvers<void>();
  const start = performance.now();
  const runner = await graphile.run({
    connectionString: url,
    concurrency: AT_ONCE,
    maxPoolSize: 10,
    noHandleSignals: true,
    logger,
    taskList: {
      noop: () => {
        done += 1;
        if (done === JOBS) finished.resolve();
      },
    },
  });
  await finished.promise;
  const rate = (done / (performance.now() - start)) * SECOND;
  await runner.stop();
  return rate;
}
