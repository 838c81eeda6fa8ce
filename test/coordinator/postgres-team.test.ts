/** What several coordinators over one database must do together. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { PostgresStore } from '../../src/coordinator/postgres/store.ts';
import { startServer } from '../../src/coordinator/server/server.ts';
import { DEFAULT_SETTINGS } from '../../src/coordinator/settings.ts';
import { ask, type Operation } from '../../src/coordinator/store.ts';
import { makeToken } from '../../src/coordinator/tokens.ts';
import { silentLog } from '../../src/platform/log.ts';
import { usePostgres } from './support/postgres.ts';
import { CAN, codeOf, Desk, LEASE, PRODUCT, PROMPT, TestClock } from './support/worlds.ts';

const OPEN = path.join(import.meta.dirname, 'fixtures/open-postgres.ts');

describe('coordinators over one PostgreSQL', function () {
  this.timeout(60_000);
  const postgres = usePostgres();
  let clock: TestClock;
  let schema = '';
  let worlds = 0;
  let stores: PostgresStore[];
  let one: PostgresStore;
  let two: PostgresStore;
  let desks: readonly [Desk, Desk];

  function open(): PostgresStore {
    const store = new PostgresStore({ url: postgres.url, settings: DEFAULT_SETTINGS, clock, schema });
    stores.push(store);
    return store;
  }

  async function query<T extends object>(text: string): Promise<T[]> {
    const client = new Client(postgres.url);
    await client.connect();
    const { rows } = await client.query<T>(text);
    await client.end();
    return rows;
  }

  /** While somebody else has rows locked. */
  async function locked<T>(text: string, work: () => Promise<T>): Promise<T> {
    const client = new Client(postgres.url);
    await client.connect();
    try {
      await client.query(`BEGIN; ${text}`);
      return await work();
    } finally {
      await client.end();
    }
  }

  /** The statistics come when a session ends, or a moment later: of all stores that are closed. */
  async function trouble(): Promise<{ deadlocks: number; rollbacks: number }> {
    await sleep(200);
    const [row] = await query<{ deadlocks: string; rollbacks: string }>(
      'SELECT deadlocks, xact_rollback AS rollbacks FROM pg_stat_database WHERE datname = current_database()',
    );
    return { deadlocks: Number(row?.deadlocks), rollbacks: Number(row?.rollbacks) };
  }

  beforeEach(() => {
    worlds += 1;
    schema = `t${worlds}`;
    clock = new TestClock();
    stores = [];
    [one, two] = [open(), open()];
    desks = [new Desk(one), new Desk(two)];
  });
  afterEach(() => Promise.all(stores.map((store) => store.close())));

  it('give each job to exactly one of 64 claimers per epoch, and say that there is none only when there is none', async () => {
    const [desk] = desks;
    const before = await trouble();
    const jobs = 60;
    await one.run(Array.from({ length: jobs }, (_, n) => enqueueOf(`j${n}`)));
    for (let round = 1; round <= 3; round++) {
      const given: string[] = [];
      const claims = Array.from({ length: 64 }, async (_, n) => {
        const job = await (desks[n % 2] as Desk).claim(`f${n}`);
        if (job !== undefined) given.push(`${job.id} ${job.epoch}`);
      });
      await Promise.all(claims);
      assert.deepEqual(given.sort(), Array.from({ length: jobs }, (_, n) => `j${n} ${round}`).sort());
      clock.advance(LEASE);
    }
    assert.equal((await desk.events('j0')).length, 1 + 1 + 2 + 2);
    await Promise.all(stores.map((store) => store.close()));
    // Nobody took what another had, to find out only when he wrote it; the first job of a kind makes its shelf.
    const { rollbacks } = await trouble();
    assert.ok(rollbacks - before.rollbacks <= 4, String(rollbacks - before.rollbacks));
  });

  it('take the next job while somebody else has the first in his hands', async () => {
    const [desk] = desks;
    for (const id of ['first', 'second']) await desk.add(id);
    const started = performance.now();
    const inHand = `SELECT * FROM ${schema}.jobs WHERE id = 'first' FOR UPDATE`;
    for (const epoch of [1, 2]) {
      const late = await locked(inHand, async () => {
        const job = await desk.claim('f1');
        assert.deepEqual([job?.id, job?.epoch], ['second', epoch]);
        assert.ok(performance.now() - started < 2000);
        // He may give it back: it is not said that there is none.
        const claimed = desk.claim('f2');
        await sleep(20);
        return () => claimed.then((given) => `${given?.id} ${given?.epoch}`);
      });
      assert.equal(await late(), `first ${epoch}`);
      // The same of one whose lease has lapsed, and whose holder is just speaking.
      clock.advance(LEASE);
    }
  });

  it('accept at most one of two holders, whatever they say to whom at the same time', async () => {
    const [a, b] = desks;
    for (let n = 0; n < 30; n++) {
      const id = `j${n}`;
      await a.add(id, { requires: [`tool:${id}`] });
      await a.claim('f1', [`tool:${id}`]);
      clock.advance(LEASE);
      const [renewed, taken] = await Promise.all([a.renew(id, 1), b.claim('f2', [`tool:${id}`])]);
      assert.notEqual(codeOf(renewed) === 'accepted', taken?.epoch === 2, id);
      // And of one epoch, one report of each kind: events are without gaps, and none is lost.
      const epoch = taken?.epoch ?? 1;
      await Promise.all([
        a.report(id, epoch, 'building', 'c1'),
        b.report(id, epoch, 'building', 'c2'),
        a.renew(id, epoch),
        b.report(id, epoch, 'building', 'c3'),
      ]);
      const { events } = await a.job(id);
      assert.equal((await b.events(id)).length, events);
    }
  });

  it('know a request by its key, to whichever of them it is repeated, also at the same time', async () => {
    for (let n = 0; n < 20; n++) {
      await desks[0].add(`a${n}`);
      await desks[0].add(`b${n}`);
    }
    for (let n = 0; n < 20; n++) {
      const asked = n % 2 === 0 ? [0, 1] : [0, 1, 0, 1];
      const repeats = await Promise.all(asked.map((at) => (desks[at] as Desk).claim('f1', CAN, `r${n}`)));
      assert.equal(new Set(repeats.map((job) => `${job?.id} ${job?.epoch}`)).size, 1);
    }
    const added = await Promise.all(
      [0, 1, 0, 1].map((at) => ask(stores[at] as PostgresStore, enqueueOf('same'))),
    );
    assert.deepEqual(added.map((each) => 'isNew' in each && each.isNew).filter(Boolean), [true]);
  });

  it('enrol one factory with one token, whichever of them is asked', async () => {
    const token = { kind: 'enrolment', productId: PRODUCT, factoryId: null, ttlMs: 60_000 } as const;
    for (let n = 0; n < 10; n++) {
      await one.run(
        ['x', 'y'].map((hash) => ({ do: 'issue', token: { ...token, hash: `${hash}${n}` } }) as const),
      );
      const enrol = (store: PostgresStore, hash: string, factoryId: string) =>
        ask(store, { do: 'enrol', hash, factoryId, ownHash: `${hash}-${factoryId}-own` });
      const used = await Promise.all([enrol(one, `x${n}`, `a${n}`), enrol(two, `x${n}`, `b${n}`)]);
      assert.deepEqual(used.map(codeOf).sort(), ['accepted', 'unauthorized']);
      const other = await Promise.all([enrol(one, `y${n}`, `c${n}`), enrol(two, `y${n}`, `c${n}`)]);
      assert.deepEqual(other.map(codeOf).sort(), ['accepted', 'unauthorized']);
    }
  });

  it('let no job wait for one that ships in the same moment', async () => {
    const [a, b] = desks;
    for (let n = 0; n < 15; n++) {
      await a.add(`dep${n}`, { requires: ['tool:dep'] });
      await a.claim('f1', ['tool:dep']);
      for (const stage of ['building', 'testing'] as const) await a.report(`dep${n}`, 1, stage);
      const bodyMd = `---\nneeds: dep${n}\nrequires: tool:last\n---\nDo it.\n`;
      await Promise.all([a.report(`dep${n}`, 1, 'shipped'), b.add(`last${n}`, { bodyMd })]);
      assert.equal((await a.claim('f2', ['tool:last']))?.id, `last${n}`);
    }
  });

  it('never each wait for the other', async () => {
    const before = await trouble();
    const numbers = Array.from({ length: 150 }, (_, n) => n);
    await one.run(numbers.map((n) => enqueueOf(`j${n}`, ['tool:x'])));
    await one.run(numbers.map(() => claimOf('f1', ['tool:x'])));
    const call = { what: 'renew', epoch: 1 } as const;
    const renewals = numbers.map(
      (n) => ({ do: 'fenced', productId: PRODUCT, jobId: `j${n}`, caller: null, call }) as const,
    );
    const facts = { productId: PRODUCT, capabilities: CAN, health: 'ok', load: 0 } as const;
    const beats = numbers.map((n) => ({ do: 'heartbeat', factoryId: `f${n}`, ...facts }) as const);
    for (const all of [renewals, beats]) {
      const back = [...all].reverse();
      const many = async (store: PostgresStore, operations: readonly Operation[]) => {
        for (let n = 0; n < 20; n++) await store.run(operations);
      };
      await Promise.all([many(one, all), many(two, back), many(open(), all), many(open(), back)]);
    }
    await Promise.all(stores.map((store) => store.close()));
    assert.equal((await trouble()).deadlocks, before.deadlocks);
  });

  it('tell each other what may be claimed', async () => {
    const announced: string[] = [];
    two.onReady((ready) => announced.push(...ready.map(({ requires }) => requires.join())));
    const settings = DEFAULT_SETTINGS;
    const servers = await Promise.all(
      [one, two].map((store) => startServer({ store, settings, log: silentLog, port: 0 })),
    );
    try {
      const admin = makeToken('admin');
      await ask(one, { do: 'issue', token: { kind: 'admin', hash: admin.hash } });
      const headers = {
        authorization: `Bearer ${admin.token}`,
        'x-product-id': PRODUCT,
        'content-type': 'application/json',
      };
      const body = JSON.stringify({ factoryId: 'f1', capabilities: ['tool:new'], waitSec: 9 });
      const waiting = fetch(`${servers[1]?.api}/fleet/claim`, { method: 'POST', headers, body });
      await sleep(300);
      const started = performance.now();
      await desks[0].add('a', { requires: ['tool:new'] });
      assert.equal((await waiting).status, 200);
      assert.ok(performance.now() - started < 2000, 'it was told, and did not look by chance');
      assert.deepEqual(announced, ['tool:new']);
    } finally {
      await Promise.all(servers.map((server) => server.stop()));
    }
  });

  it('give holders a whole lease when one of them starts, and none of the others was there', async () => {
    const [desk] = desks;
    await desk.add('a');
    assert.equal((await ask(one, { do: 'restart' })).graced, 0);
    await desk.claim('f1');
    clock.advance(LEASE);
    // The first is at work: whoever joins takes nothing from those who could have claimed.
    assert.equal((await ask(two, { do: 'restart' })).graced, 0);
    await one.close();
    assert.equal((await ask(open(), { do: 'restart' })).graced, 0);
    for (const store of stores) await store.close();
    const [last, late] = [open(), open()];
    const begun = await Promise.all([ask(last, { do: 'restart' }), ask(late, { do: 'restart' })]);
    assert.deepEqual(
      begun.map(({ graced }) => graced).sort((a, b) => a - b),
      [0, 1],
    );
    assert.equal(await new Desk(last).claim('f2'), undefined);
    clock.advance(LEASE);
    assert.equal((await new Desk(last).claim('f2'))?.epoch, 2);
  });

  it('make the tables once, however many start at once', async () => {
    const url = await postgres.server.database();
    const starting = Array.from({ length: 8 }, async () => {
      const child = spawn(process.execPath, [OPEN, url], { stdio: ['ignore', 'ignore', 'inherit'] });
      const [code] = (await once(child, 'exit')) as [number | null];
      return code;
    });
    assert.deepEqual(
      await Promise.all(starting),
      Array.from({ length: 8 }, () => 0),
    );
    const client = new Client(url);
    await client.connect();
    const { rows } = await client.query('SELECT version FROM agent_queue.migrations ORDER BY version');
    await client.end();
    assert.deepEqual(rows, [{ version: 1 }]);
  });
});

function enqueueOf(id: string, requires?: readonly string[]): Operation<'enqueue'> {
  return { do: 'enqueue', job: { productId: PRODUCT, id, bodyMd: PROMPT, requires } };
}

function claimOf(factoryId: string, capabilities: readonly string[]): Operation<'claim'> {
  return { do: 'claim', productId: PRODUCT, factoryId, capabilities };
}
