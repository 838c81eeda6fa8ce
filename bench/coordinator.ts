/**
 * What a coordinator does in a second, as a process of its own, over HTTP: whole fenced cycles (enqueue, claim, three
 * reports) with 1, 8 and 64 factories and with a thousand to a million jobs waiting, beside a server that does nothing
 * and beside others' queues doing fetch and complete; how long a claim that waits takes; what heartbeats cost.
 */
import path from 'node:path';
import { openPostgresStore } from '../src/coordinator/postgres/store.ts';
import { DEFAULT_SETTINGS } from '../src/coordinator/settings.ts';
import { SqliteStore } from '../src/coordinator/sqlite/store.ts';
import type { Operation, Store } from '../src/coordinator/store.ts';
import { SECOND, systemClock } from '../src/platform/clock.ts';
import { Postgres } from '../test/coordinator/support/postgres.ts';
import { type Api, PER_CYCLE, withCoordinator, withNoop } from './coordinator-client.ts';
import { graphileWorker, pgBoss } from './peers.ts';
import { printTable, scratch } from './support.ts';

/** Where a coordinator keeps its jobs. */
export interface Target {
  readonly name: string;
  /** Of a fresh database: a file, or a URL. */
  fresh(): Promise<string>;
  /** The same database, to be filled without HTTP. */
  store(database: string): Promise<Store>;
}

const EMBEDDED: Target = {
  name: 'embedded',
  fresh: () => Promise.resolve(path.join(scratch('coordinator'), 'coordinator.db')),
  store: (file) => Promise.resolve(new SqliteStore({ file, clock: systemClock, settings: DEFAULT_SETTINGS })),
};

export async function benchCoordinator(): Promise<void> {
  const postgres = await Postgres.start().catch((error: unknown) => {
    console.log(`\nWithout PostgreSQL, and what others do on it: ${String(error)}`);
    return undefined;
  });
  const targets = [EMBEDDED, ...(postgres === undefined ? [] : [onPostgres(postgres)])];
  try {
    await cycles(targets, postgres);
    await sizes(targets);
    await latency(targets);
    await heartbeats(targets);
  } finally {
    await postgres?.stop();
  }
}

function onPostgres(postgres: Postgres): Target {
  return {
    name: 'PostgreSQL',
    fresh: () => postgres.database(),
    store: (url) => openPostgresStore({ url, settings: DEFAULT_SETTINGS }),
  };
}

async function cycles(targets: readonly Target[], postgres: Postgres | undefined): Promise<void> {
  const rows = [['', '1 factory', '8', '64', 'requests/s at 64']];
  const noop = await withNoop(eachCount);
  rows.push(rowOf('a server that does nothing', noop));
  for (const target of targets) {
    const measured = await withCoordinator(await target.fresh(), eachCount);
    rows.push(rowOf(target.name, measured));
    rows.push(['  of doing nothing', ...measured.map((value, n) => ratio(value, noop[n])), '']);
  }
  if (postgres !== undefined) {
    const others = [
      ['pg-boss', await pgBoss(await postgres.database())],
      ['graphile-worker', await graphileWorker(await postgres.database())],
    ] as const;
    for (const [name, rate] of others)
      rows.push([`${name}, fetch and complete`, '', '', rate.toFixed(0), '']);
  }
  printTable('Fenced cycles per second over HTTP (enqueue, claim, three reports)', rows);
}

async function eachCount(api: Api): Promise<number[]> {
  const found: number[] = [];
  for (const count of [1, 8, 64]) found.push(await api.cycles(count));
  return found;
}

async function sizes(targets: readonly Target[]): Promise<void> {
  const rows = [['', '1 k waiting', '100 k', '1 M', '1 M / 1 k']];
  for (const target of targets) {
    const found: number[] = [];
    for (const count of [1000, 100_000, 1_000_000]) {
      const database = await target.fresh();
      await fill(await target.store(database), count);
      found.push(await withCoordinator(database, (api) => api.cycles(64)));
    }
    rows.push([target.name, ...found.map((value) => value.toFixed(0)), ratio(found[2] ?? 0, found[0])]);
  }
  printTable('The same at 64 factories, with jobs waiting', rows);
}

async function latency(targets: readonly Target[]): Promise<void> {
  const rows = [['', 'p50 ms', 'p99 ms']];
  for (const target of targets) {
    const times = await withCoordinator(await target.fresh(), (api) => api.latencies(64, 400));
    const sorted = times.sort((a, b) => a - b);
    const at = (part: number) => (sorted[Math.floor(sorted.length * part)] ?? Number.NaN).toFixed(1);
    rows.push([target.name, at(0.5), at(0.99)]);
  }
  printTable('From submit to claimed, 64 factories waiting', rows);
}

async function heartbeats(targets: readonly Target[]): Promise<void> {
  const count = 10_000;
  const rows = [['', 'per second', `s for ${count}`]];
  for (const target of targets) {
    const ms = await withCoordinator(await target.fresh(), (api) => api.heartbeats(count));
    rows.push([target.name, ((count / ms) * SECOND).toFixed(0), (ms / SECOND).toFixed(1)]);
  }
  printTable(`Heartbeats of ${count} factories`, rows);
}

function rowOf(name: string, found: readonly number[]): string[] {
  const cells = found.map((value) => value.toFixed(0));
  return [name, ...cells, ((found.at(-1) ?? 0) * PER_CYCLE).toFixed(0)];
}

function ratio(value: number, of: number | undefined): string {
  return (value / (of ?? Number.NaN)).toFixed(2);
}

/** Jobs that nobody here can do lie among them, as in any fleet. */
async function fill(store: Store, count: number): Promise<void> {
  const batch = 500;
  for (let from = 0; from < count; from += batch) {
    const operations = Array.from({ length: Math.min(batch, count - from) }, (_, n): Operation => {
      const requires = n % 10 === 0 ? ['tool:none'] : [];
      return { do: 'enqueue', job: { productId: '', id: `w-${from + n}`, bodyMd: '# Do it\n', requires } };
    });
    await store.run(operations);
  }
  await store.close();
}
