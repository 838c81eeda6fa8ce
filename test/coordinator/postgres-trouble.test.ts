/** What is PostgreSQL's own: its clock, its absence, its errors, and text that it would take for something else. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { Client } from 'pg';
import { openPostgresStore, type PostgresStore } from '../../src/coordinator/postgres/store.ts';
import { startServer } from '../../src/coordinator/server/server.ts';
import { DEFAULT_SETTINGS } from '../../src/coordinator/settings.ts';
import { ask, type Operation } from '../../src/coordinator/store.ts';
import { makeToken } from '../../src/coordinator/tokens.ts';
import { HOUR } from '../../src/platform/clock.ts';
import { UserError } from '../../src/platform/errors.ts';
import { silentLog } from '../../src/platform/log.ts';
import { usePostgres } from './support/postgres.ts';
import { CAN, codeOf, Desk, LEASE, must, PRODUCT } from './support/worlds.ts';

describe('a coordinator and its PostgreSQL', function () {
  this.timeout(60_000);
  const postgres = usePostgres();
  const settings = DEFAULT_SETTINGS;
  let schemas = 0;
  let store: PostgresStore;
  let schema: string;
  let desk: Desk;

  const open = () => openPostgresStore({ url: postgres.url, settings, schema });

  async function sql<T extends object>(text: string, url = postgres.url): Promise<T[]> {
    const client = new Client(url);
    await client.connect();
    try {
      return (await client.query<T>(text)).rows;
    } finally {
      await client.end();
    }
  }

  beforeEach(async () => {
    schemas += 1;
    schema = `t${schemas}`;
    store = await open();
    desk = new Desk(store);
  });
  afterEach(() => store.close());

  it('go by the clock of the database, whatever that of the process says', async () => {
    const own = Date.now;
    const before = own();
    Date.now = () => own() + 1000 * HOUR;
    try {
      await desk.add('a');
      const { leaseExpiresAt = null, enqueuedAt = 0 } = (await desk.claim('f1')) ?? {};
      assert.ok(enqueuedAt >= before - 1000 && enqueuedAt <= own() + 1000);
      assert.ok(
        leaseExpiresAt !== null &&
          leaseExpiresAt - LEASE >= enqueuedAt &&
          leaseExpiresAt < own() + LEASE + 1000,
      );
      const { now } = await ask(store, { do: 'tick' });
      assert.ok(Math.abs(now - own()) < 1000);
    } finally {
      Date.now = own;
    }
  });

  it('tell the time only when what others had locked has been given free', async () => {
    await desk.add('a');
    const client = new Client(postgres.url);
    await client.connect();
    await client.query(`BEGIN; SELECT * FROM ${schema}.jobs FOR UPDATE`);
    const cancelled = ask(store, { do: 'cancel', productId: PRODUCT, jobId: 'a' });
    await sleep(200);
    const { rows } = await client.query('SELECT floor(extract(epoch FROM clock_timestamp()) * 1000) AS now');
    await client.query('COMMIT');
    await client.end();
    assert.ok(must(await cancelled).now >= Number(rows[0]?.now));
  });

  it('take no text for anything but text', async () => {
    const [, before] = await Promise.all([
      desk.add('a'),
      sql<{ n: number }>(`SELECT count(*)::int AS n FROM pg_class`),
    ]);
    const odd = [
      `'; DROP SCHEMA ${schema} CASCADE; --`,
      `"}]'::json); DELETE FROM ${schema}.jobs; --`,
      `$1 $2 %s \\'; SELECT pg_sleep(9); --`,
      '{"n":0}\\',
      '\u{1F4A3} \u202e \t',
      `E'\\047 OR 1=1`,
    ];
    for (const text of odd) {
      const key = { scope: text, key: text, fingerprint: text };
      const job = { productId: text, id: text, bodyMd: text, requires: [text, 'tool:x'] };
      const added = must(await ask(store, { do: 'enqueue', job, key }));
      assert.deepEqual([added.job.id, added.isNew, added.job.requires.includes(text)], [text, true, true]);
      const again = must(await ask(store, { do: 'enqueue', job: { ...job, id: 'other' }, key }));
      assert.equal(again.job.id, text);
      const capabilities = [text, 'tool:x'];
      const beat = { productId: text, factoryId: text, capabilities, health: 'ok', load: 0.1 } as const;
      assert.equal((await ask(store, { do: 'heartbeat', ...beat })).claimable, 1);
      const got = await ask(store, { do: 'claim', productId: text, factoryId: text, capabilities });
      assert.ok(typeof got === 'object' && 'bodyMd' in got && got.bodyMd === text);
      const checkpoint = { wipBranch: text, wipCommit: `\0${text}` };
      const call = { what: 'report', epoch: 1, stage: 'building', checkpoint } as const;
      const named = { productId: text, jobId: text };
      const told = await ask(store, { do: 'fenced', ...named, call, caller: text });
      assert.deepEqual(must(told).job.checkpoint, checkpoint);
      must(await ask(store, { do: 'fenced', ...named, call: { what: 'release', epoch: 1 }, caller: text }));
      assert.equal(
        must(await ask(store, { do: 'why', ...named, factoryId: text })).code,
        'released_recently',
      );
      assert.equal(must(await ask(store, { do: 'job', ...named })).job.checkpoint?.wipCommit, `\0${text}`);
      assert.equal(must(await ask(store, { do: 'runs', ...named })).runs[0]?.factoryId, text);
      assert.equal(must(await ask(store, { do: 'events', ...named, after: 0, limit: 9 })).events.length, 4);
      const list = { do: 'jobs', productId: text, stage: text as 'queued', limit: 9 } as const;
      assert.deepEqual((await ask(store, list)).jobs, []);
      const { factories } = await ask(store, { do: 'factories', productId: text, limit: 9 });
      assert.deepEqual(
        factories.map(({ factoryId }) => factoryId),
        [text],
      );
      const token = { kind: 'enrolment', hash: text, productId: text, factoryId: text, ttlMs: 1000 } as const;
      await ask(store, { do: 'issue', token });
      must(await ask(store, { do: 'enrol', hash: text, factoryId: text, ownHash: `${text}own` }));
      const { token: own } = await ask(store, { do: 'token', hash: `${text}own` });
      assert.ok(own?.kind === 'factory' && own.factoryId === text && own.productId === text);
    }
    const after = await sql<{ n: number }>(`SELECT count(*)::int AS n FROM pg_class`);
    assert.deepEqual([after, (await desk.job('a')).stage], [before, 'queued']);
  });

  it('keep every character of a job, and know no job by a name that no text can be', async () => {
    const bodyMd = 'a\0b\u{1F600}\r\n\ud800';
    await desk.add('a', { bodyMd });
    const got = must(await ask(store, { do: 'job', productId: PRODUCT, jobId: 'a' }));
    assert.equal(got.bodyMd, 'a\0b\u{1F600}\r\n\ufffd');
    for (const jobId of ['a\0', '\ud800']) {
      const calls: Operation[] = [
        { do: 'job', productId: PRODUCT, jobId },
        { do: 'cancel', productId: PRODUCT, jobId },
        {
          do: 'fenced',
          productId: PRODUCT,
          jobId,
          caller: null,
          call: { what: 'report', epoch: 1, stage: 'shipped', checkpoint: null },
        },
      ];
      for (const result of await store.run(calls)) assert.equal(codeOf(result as object), 'job_not_found');
    }
  });

  it('hear nothing that was not written, and write nothing that they do not say', async () => {
    await desk.add('a');
    await sql(`CREATE FUNCTION ${schema}.full() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN IF NEW.job = 'c' THEN RAISE 'too much' USING ERRCODE = 'disk_full'; END IF; RETURN NEW; END $$;
      CREATE TRIGGER filled BEFORE INSERT ON ${schema}.keys FOR EACH ROW EXECUTE FUNCTION ${schema}.full()`);
    const key = (name: string) => ({ scope: 's', key: name, fingerprint: name });
    const job = (id: string) => ({ productId: PRODUCT, id, bodyMd: 'x' });
    const [good, bad, claimed] = await Promise.allSettled([
      ask(store, { do: 'enqueue', job: job('b'), key: key('b') }),
      ask(store, { do: 'enqueue', job: job('c'), key: key('c') }),
      desk.claim('f1', CAN, 'r1'),
    ]);
    assert.deepEqual([good.status, bad.status, claimed.status], ['fulfilled', 'rejected', 'fulfilled']);
    assert.equal(bad.status === 'rejected' && bad.reason.name, 'StoreUnavailable');
    await assert.rejects(desk.job('c'), /job_not_found/);
    assert.equal((await desk.events('a')).length, 2);
  });

  it('answer that they are not available while the database is away, and go on when it is back', async () => {
    const failed: string[] = [];
    const server = await startServer({
      store,
      settings,
      log: { ...silentLog, error: (message) => failed.push(String(message)) },
      port: 0,
    });
    try {
      const admin = makeToken('admin');
      await ask(store, { do: 'issue', token: { kind: 'admin', hash: admin.hash } });
      const headers = { authorization: `Bearer ${admin.token}`, 'x-product-id': PRODUCT };
      const jobs = () => fetch(`${server.api}/fleet/jobs`, { headers });
      assert.equal((await jobs()).status, 200);
      await postgres.server.crash();
      const away = await jobs();
      const problem = (await away.json()) as Record<string, unknown>;
      assert.deepEqual([away.status, problem['code'], problem['detail']], [503, 'unavailable', undefined]);
      assert.equal((await fetch(`${server.api}/healthz`)).status, 503);
      await assert.rejects(ask(store, { do: 'tick' }), { name: 'StoreUnavailable' });
      await postgres.server.up();
      const until = performance.now() + 10_000;
      while ((await jobs()).status !== 200) assert.ok(performance.now() < until, 'it does not come back');
      await desk.add('a');
      assert.equal((await desk.claim('f1'))?.id, 'a');
      assert.deepEqual(failed, []);
    } finally {
      await server.stop();
    }
  });

  it('listen again when that connection is lost', async () => {
    const other = await open();
    try {
      const heard: string[] = [];
      store.onReady((ready) => heard.push(...ready.map(({ requires }) => requires.join())));
      await ask(store, { do: 'restart' });
      const listening = `query LIKE 'LISTEN%' OR query LIKE '%advisory%'`;
      await sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()
        AND pid <> pg_backend_pid() AND (${listening})`);
      const until = performance.now() + 10_000;
      for (let n = 0; heard.length === 0; n += 1) {
        assert.ok(performance.now() < until, 'it hears nothing any more');
        await new Desk(other).add(`j${n}`, { requires: ['tool:new'] });
        await sleep(100);
      }
      assert.equal(heard[0], 'tool:new');
      await ask(store, { do: 'tick' });
    } finally {
      await other.close();
    }
  });

  it('say what is wrong with an address, and never its password', async () => {
    await sql(
      `CREATE ROLE guest LOGIN; REVOKE CREATE ON DATABASE ${new URL(postgres.url).pathname.slice(1)} FROM PUBLIC`,
    );
    await sql(
      `CREATE SCHEMA newer; CREATE TABLE newer.migrations (version integer); INSERT INTO newer.migrations VALUES (99)`,
    );
    const guest = postgres.url.replace('postgres:secret@', 'guest:secret@');
    for (const [url, code] of [
      ['postgres://me:secret@127.0.0.1:1/fleet', 'database-unreachable'],
      ['postgres://me:secret@no-such-host.invalid/fleet', 'database-unreachable'],
      [postgres.server.url('nowhere'), 'database-not-found'],
      [guest, 'database-denied'],
      [postgres.url.replace('postgres:secret@', 'nobody:secret@'), 'database-denied'],
      ['postgres://me:secret@host:x/fleet', 'invalid-database'],
      ['mysql://me:secret@host/fleet', 'invalid-database'],
    ] as const) {
      const opening = openPostgresStore({ url, settings, schema: 'fresh' });
      await assert.rejects(opening, (error: unknown) => {
        assert.ok(error instanceof UserError, inspect(error));
        assert.deepEqual([url, error.code], [url, code]);
        assert.match(`${error.message} ${error.action}`, /Nothing was (?:changed|started)\. [A-Z].*\.$/);
        assert.doesNotMatch(inspect(error, { depth: 9 }), /secret/);
        return true;
      });
    }
    const newer = openPostgresStore({ url: postgres.url, settings, schema: 'newer' });
    await assert.rejects(newer, { name: 'UserError', code: 'newer-database' });
    // Who may use the tables need not be able to make them.
    await sql(`GRANT USAGE ON SCHEMA ${schema} TO guest; GRANT ALL ON ALL TABLES IN SCHEMA ${schema} TO guest;
      GRANT ALL ON ALL SEQUENCES IN SCHEMA ${schema} TO guest`);
    const used = await openPostgresStore({ url: guest, settings, schema });
    await new Desk(used).add('a');
    await used.close();
  });
});
