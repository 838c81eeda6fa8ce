/** The contract over HTTP, on whichever store (fleet-protocol.md): every endpoint, every problem. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { HOUR, MINUTE } from '../../../src/platform/clock.ts';
import { House, type Reply } from './http.ts';
import { type Kind, LEASE, TestClock } from './worlds.ts';

export function serverConformance({ name, world }: Kind): void {
  describe(`the coordinator's server on the ${name} store`, () => {
    let clock: TestClock;
    let house: House;

    const start = async (...given: Parameters<House['open']>) => {
      clock = new TestClock();
      house = await new House(world(given[0])(clock)).open(...given);
    };
    beforeEach(() => start());
    afterEach(() => house.close());

    it('carries a job from enqueue to shipped, and tells of it', async () => {
      const enqueued = await house.call('POST', '/fleet/jobs', {
        body: { bodyMd: '---\npriority: 7\n---\nHi.\n' },
      });
      assert.equal(enqueued.status, 201);
      const { id } = enqueued.body;
      assert.match(id, /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/);
      const beat = { factoryId: 'f1', capabilities: ['os:linux'], health: 'ok', load: 0.5 };
      const pulse = await house.call('POST', '/fleet/factories/heartbeat', { body: beat });
      assert.deepEqual(pulse.body, { nextHeartbeatSec: 30, claimable: 1, leaseTtlSec: 900, longPollSec: 25 });
      const given = await house.claim('f1');
      assert.equal(given.status, 200);
      assert.deepEqual(
        [given.body.job.id, given.body.job.bodyMd, given.body.leaseEpoch, given.body.leaseTtlSec],
        [id, '---\npriority: 7\n---\nHi.\n', 1, 900],
      );
      assert.equal(Date.parse(given.body.leaseExpiresAt), clock.at + LEASE);
      assert.equal((await house.claim('f1')).status, 204);
      const checkpoint = { wipBranch: 'refs/aq/wip', wipCommit: 'abc' };
      for (const stage of ['building', 'review', 'testing', 'shipped']) {
        const answer = await house.call('PATCH', `/fleet/jobs/${id}`, {
          body: { stage, checkpoint, leaseEpoch: 1 },
        });
        assert.deepEqual([answer.status, answer.body.stage, answer.body.leaseEpoch], [200, stage, 1]);
      }
      const job = await house.call('GET', `/fleet/jobs/${id}`);
      assert.deepEqual(
        [job.body.stage, job.body.leaseEpoch, job.body.holder, job.body.checkpoint, job.body.bodyMd.length],
        ['shipped', 1, null, checkpoint, 24],
      );
      const { body: runs } = await house.call('GET', `/fleet/jobs/${id}/runs`);
      assert.deepEqual(
        runs.runs.map((run: Record<string, unknown>) => [run['factoryId'], run['leaseEpoch'], run['end']]),
        [['f1', 1, 'shipped']],
      );
      const { body: events } = await house.call('GET', `/fleet/jobs/${id}/events?limit=2&after=1`);
      assert.deepEqual(
        events.events.map((event: Record<string, unknown>) => [event['n'], event['kind'], event['to']]),
        [
          [2, 'claimed', 'assigned'],
          [3, 'reported', 'building'],
        ],
      );
      const { body: list } = await house.call('GET', '/fleet/factories');
      assert.deepEqual([list.factories[0].factoryId, list.factories[0].holds], ['f1', 0]);
    });

    it('renews, releases, cancels and requeues', async () => {
      await house.add('a');
      await house.claim('f1');
      clock.advance(MINUTE);
      const renewed = await house.call('POST', '/fleet/jobs/a/lease/renew', { body: { leaseEpoch: 1 } });
      assert.deepEqual([renewed.status, renewed.body.leaseTtlSec, renewed.body.holder], [200, 900, 'f1']);
      const released = await house.call('POST', '/fleet/jobs/a/lease/release', { body: { leaseEpoch: 1 } });
      assert.deepEqual(
        [released.status, released.body.stage, released.body.leaseTtlSec],
        [200, 'queued', undefined],
      );
      const { body: reason } = await house.call('GET', '/fleet/jobs/a/why?factoryId=f1');
      assert.equal(reason.code, 'factory_unknown');
      assert.match(reason.text, /^[A-Z].*f1.*\.$/);
      for (const [what, stage] of [
        ['cancel', 'failed'],
        ['requeue', 'queued'],
      ]) {
        const answer = await house.call('POST', `/fleet/jobs/a/${what}`, { raw: '' });
        assert.deepEqual([answer.status, answer.body.stage], [200, stage]);
      }
      assert.equal((await house.claim('f1')).body.leaseEpoch, 2);
    });

    it('has a problem for everything that goes wrong', async () => {
      await house.add('a');
      await house.add('b');
      await house.claim('f1');
      const long = 'x'.repeat(300);
      const cases: [Promise<Reply>, number, string][] = [
        [house.report('a', 'building', 7), 409, 'stale_epoch'],
        [house.report('a', 'shipped', 1), 422, 'illegal_transition'],
        [house.report('a', 'queued', 1), 422, 'illegal_transition'],
        [house.report('nobody', 'building', 1), 404, 'job_not_found'],
        [house.call('GET', '/fleet/jobs/nobody/runs'), 404, 'job_not_found'],
        [house.call('GET', '/fleet/jobs/nobody/events'), 404, 'job_not_found'],
        [house.call('GET', '/fleet/jobs/nobody/why?factoryId=f1'), 404, 'job_not_found'],
        [house.call('POST', '/fleet/jobs/nobody/cancel'), 404, 'job_not_found'],
        [house.report('a', 'flying', 1), 400, 'invalid_request'],
        [house.call('PATCH', '/fleet/jobs/a', { body: { stage: 'building' } }), 400, 'invalid_request'],
        [
          house.call('PATCH', '/fleet/jobs/a', { body: { stage: 'building', leaseEpoch: '1' } }),
          400,
          'invalid_request',
        ],
        [
          house.call('PATCH', '/fleet/jobs/a', { body: { stage: 'building', leaseEpoch: 1.5 } }),
          400,
          'invalid_request',
        ],
        [house.call('PATCH', '/fleet/jobs/a', { raw: '{' }), 400, 'invalid_request'],
        [house.call('PATCH', '/fleet/jobs/a'), 400, 'invalid_request'],
        [house.call('PATCH', '/fleet/jobs/a', { raw: '{"__proto__":{"x":1}}' }), 400, 'invalid_request'],
        [
          house.report('a', 'building', 1, { headers: { 'content-type': 'text/plain' } }),
          415,
          'invalid_request',
        ],
        [house.report('a', 'building', 1, { key: long }), 400, 'invalid_request'],
        [house.claim('a b'), 400, 'invalid_request'],
        [house.claim('f1', { product: 'a b' }), 400, 'invalid_request'],
        [house.call('POST', '/fleet/jobs', { body: { bodyMd: 'x', id: '../up' } }), 400, 'invalid_request'],
        [house.call('POST', '/fleet/jobs', { body: { bodyMd: 'x', priority: 10 } }), 400, 'invalid_request'],
        [house.call('POST', '/fleet/jobs', { body: { bodyMd: 'other', id: 'a' } }), 409, 'invalid_request'],
        [house.call('GET', '/fleet/jobs?stage=flying'), 400, 'invalid_request'],
        [house.call('GET', '/fleet/jobs?limit=-1'), 400, 'invalid_request'],
        [house.call('GET', '/fleet/jobs/a/why'), 400, 'invalid_request'],
        [house.call('GET', '/nowhere'), 404, 'invalid_request'],
        [house.call('GET', '/fleet/jobs', { token: '' }), 401, 'unauthorized'],
        [house.call('GET', '/fleet/jobs', { token: `aq_admin_${'A'.repeat(43)}` }), 401, 'unauthorized'],
      ];
      for (const [index, [answer, status, code]] of cases.entries()) {
        const got = await answer;
        assert.deepEqual([index, got.status, got.body.code], [index, status, code]);
        assert.match(got.headers.get('content-type') ?? '', /^application\/problem\+json/);
        assert.equal(typeof got.body.detail, 'string');
        assert.equal(got.body.currentEpoch, code === 'stale_epoch' ? 1 : undefined);
      }
      const job = await house.call('GET', '/fleet/jobs/a');
      assert.deepEqual([job.body.stage, job.body.leaseEpoch], ['assigned', 1]);
      assert.deepEqual(house.logged, []);
    });

    it('answers a repeat under one key as before, and no other request', async () => {
      const body = { bodyMd: 'Once.' };
      const first = await house.call('POST', '/fleet/jobs', { key: 'k1', body });
      const again = await house.call('POST', '/fleet/jobs', { key: 'k1', body });
      assert.deepEqual([first.status, again.status, again.body.id], [201, 200, first.body.id]);
      const other = await house.call('POST', '/fleet/jobs', { key: 'k1', body: { bodyMd: 'Twice.' } });
      assert.deepEqual([other.status, other.body.code], [422, 'idempotency_mismatch']);
      const { id } = first.body;
      for (const _ of [1, 2]) assert.equal((await house.claim('f1', { key: 'r1' })).body.leaseEpoch, 1);
      assert.equal((await house.claim('f2', { key: 'r1' })).body.code, 'idempotency_mismatch');
      for (const _ of [1, 2])
        assert.equal((await house.report(id, 'building', 1, { key: 'p1' })).status, 200);
      assert.equal((await house.report(id, 'review', 1, { key: 'p1' })).body.code, 'idempotency_mismatch');
      assert.equal((await house.call('GET', `/fleet/jobs/${id}/events`)).body.events.length, 3);
    });

    it('lets a factory act only as itself, in its product', async () => {
      const token = await house.enrol('f1');
      const other = await house.enrol('f2');
      const foreign = await house.enrol('f1', 'other');
      await house.add('a');
      assert.equal((await house.claim('f2', { token })).status, 403);
      assert.equal((await house.claim('f1', { token: foreign })).status, 403);
      assert.equal((await house.claim('f1', { token, product: 'other' })).status, 403);
      assert.equal((await house.claim('f1', { token: foreign, product: '' })).status, 204);
      const beat = { factoryId: 'f2', capabilities: [], health: 'ok', load: 0 };
      assert.equal(
        (await house.call('POST', '/fleet/factories/heartbeat', { token, body: beat })).status,
        403,
      );
      assert.equal((await house.claim('f1', { token })).status, 200);
      const turned = await house.report('a', 'building', 1, { token: other });
      assert.deepEqual([turned.status, turned.body.code], [403, 'unauthorized']);
      assert.equal((await house.report('a', 'building', 1, { token: foreign, product: '' })).status, 404);
      assert.equal((await house.report('a', 'building', 1, { token })).status, 200);
      for (const [method, path, body] of [
        ['POST', '/fleet/jobs', { bodyMd: 'x' }],
        ['POST', '/fleet/jobs/a/cancel', undefined],
        ['POST', '/fleet/jobs/a/requeue', undefined],
        ['POST', '/fleet/tokens', { kind: 'admin' }],
      ] as const)
        assert.equal((await house.call(method, path, { token, body })).status, 403, path);
      for (const path of ['/fleet/jobs', '/fleet/jobs/a', '/fleet/factories', '/fleet/jobs/a/why'])
        assert.equal((await house.call('GET', path, { token })).status, 200, path);
      // An admin acts as any factory.
      assert.equal((await house.report('a', 'review', 1)).status, 200);
    });

    it('enrols once with a token that is not good for anything else', async () => {
      const made = await house.call('POST', '/fleet/tokens', { body: { kind: 'enrolment', ttlSec: 3600 } });
      const { token } = made.body;
      assert.equal(made.headers.get('cache-control'), 'no-store');
      assert.equal(Date.parse(made.body.expiresAt), clock.at + HOUR);
      assert.equal((await house.call('GET', '/fleet/jobs', { token })).status, 401);
      const enrol = (bearer: string, factoryId: string) =>
        house.call('POST', '/fleet/enrol', { token: bearer, product: '', body: { factoryId } });
      assert.equal((await enrol('', 'f1')).status, 401);
      const first = await enrol(token, 'f1');
      assert.deepEqual([first.status, first.body.factoryId, first.body.productId], [200, 'f1', 'acme']);
      const second = await enrol(token, 'f2');
      assert.deepEqual([second.status, second.body.code], [401, 'unauthorized']);
      assert.equal((await enrol(first.body.token, 'f2')).status, 401);
      const late = await house.call('POST', '/fleet/tokens', { body: { kind: 'enrolment', ttlSec: 60 } });
      clock.advance(MINUTE);
      assert.equal((await enrol(late.body.token, 'f3')).status, 401);
      const named = await house.call('POST', '/fleet/tokens', {
        body: { kind: 'enrolment', factoryId: 'f1' },
      });
      const renewed = await enrol(named.body.token, 'f1');
      assert.equal((await house.call('GET', '/fleet/jobs', { token: renewed.body.token })).status, 200);
      assert.equal((await house.call('GET', '/fleet/jobs', { token: first.body.token })).status, 401);
    });

    it('answers whether it is well, at both addresses and to anybody', async () => {
      for (const url of [`${house.server.api}/healthz`, house.server.api.replace(/api$/, 'healthz')])
        assert.deepEqual(await (await fetch(url)).json(), { ok: true });
    });

    it('lists jobs page by page', async () => {
      for (let n = 0; n < 5; n++) await house.add(`j${n}`);
      const ids = [];
      let cursor = '';
      for (let page = 0; page < 3; page++) {
        const { body } = await house.call('GET', `/fleet/jobs?limit=2${cursor}`);
        ids.push(...body.jobs.map((job: { id: string }) => job.id));
        cursor = `&cursor=${body.next}`;
        assert.equal(body.next === null, page === 2);
      }
      assert.deepEqual(ids, ['j4', 'j3', 'j2', 'j1', 'j0']);
      assert.deepEqual((await house.call('GET', '/fleet/jobs?stage=shipped')).body, { jobs: [], next: null });
    });

    it('takes a job of a megabyte, and nothing larger', async () => {
      const bodyMd = '"\n'.repeat(512 * 1024);
      assert.equal((await house.call('POST', '/fleet/jobs', { body: { id: 'a', bodyMd } })).status, 201);
      assert.equal((await house.claim('f1')).body.job.bodyMd.length, bodyMd.length);
      const larger = await house.call('POST', '/fleet/jobs', { body: { bodyMd: `${bodyMd}x` } });
      assert.deepEqual([larger.status, larger.body.code], [400, 'invalid_request']);
      const huge = await house.call('POST', '/fleet/jobs', { body: { bodyMd: 'x'.repeat(4 * 1024 * 1024) } });
      assert.deepEqual([huge.status, huge.body.code], [413, 'invalid_request']);
      const report = { stage: 'building', leaseEpoch: 1, more: 'x'.repeat(100_000) };
      assert.equal((await house.call('PATCH', '/fleet/jobs/a', { body: report })).status, 413);
      assert.equal((await house.call('GET', '/fleet/jobs/a')).body.stage, 'assigned');
    });

    it('is not talked into SQL, headers or addresses of another kind', async () => {
      await house.add('a');
      for (const odd of [
        "a' OR '1'='1",
        'a"; DROP TABLE jobs; --',
        'a\u0000',
        '..',
        '%',
        'a/../b',
        '\r\nx: y',
        'é',
      ]) {
        const path = `/fleet/jobs/${encodeURIComponent(odd)}`;
        const answer = await house.call('GET', path);
        assert.equal(answer.status, 404, odd);
        assert.equal((await house.report(encodeURIComponent(odd), 'building', 1)).status, 404, odd);
        assert.equal(answer.headers.get('x'), null);
        assert.equal(
          (await house.call('POST', '/fleet/jobs', { body: { bodyMd: 'x', id: odd } })).status,
          400,
          odd,
        );
        assert.equal((await house.claim(odd)).status, 400, odd);
        const query = `stage=${encodeURIComponent(odd)}`;
        assert.equal((await house.call('GET', `/fleet/jobs?${query}`)).status, 400, odd);
      }
      const checkpoint = { wipBranch: "'); DELETE FROM jobs; --", wipCommit: '\r\nset-cookie: a=b' };
      await house.claim('f1');
      const body = { stage: 'building', leaseEpoch: 1, checkpoint };
      const answer = await house.call('PATCH', '/fleet/jobs/a', { body, key: "k'--" });
      assert.deepEqual([answer.body.checkpoint, answer.headers.get('set-cookie')], [checkpoint, null]);
      assert.equal((await house.call('GET', '/fleet/jobs')).body.jobs.length, 1);
    });

    it('gives a waiting claim the job that comes, within milliseconds', async () => {
      const waiting = house.claim('f1', { waitSec: 20, key: 'r1' });
      await sleep(50);
      const started = performance.now();
      await house.add('a');
      const given = await waiting;
      assert.equal(given.body.job.id, 'a');
      assert.ok(performance.now() - started < 500);
      // By requeue, release and lapse too.
      const next = (factoryId: string) => house.claim(factoryId, { waitSec: 20 });
      let wait = next('f2');
      await sleep(20);
      await house.call('POST', '/fleet/jobs/a/requeue');
      assert.equal((await wait).body.leaseEpoch, 2);
      wait = next('f3');
      await sleep(20);
      await house.call('POST', '/fleet/jobs/a/lease/release', { body: { leaseEpoch: 2 } });
      assert.equal((await wait).body.leaseEpoch, 3);
      wait = next('f4');
      await sleep(20);
      clock.advance(LEASE);
      assert.equal((await wait).body.leaseEpoch, 4);
    });

    it('gives every one of many jobs to one of many who wait', async () => {
      const waiting = Array.from({ length: 20 }, (_, n) => house.claim(`f${n}`, { waitSec: 20 }));
      await sleep(100);
      await Promise.all(Array.from({ length: 20 }, (_, n) => house.add(`j${n}`)));
      const given = await Promise.all(waiting);
      assert.equal(new Set(given.map(({ body }) => body.job.id)).size, 20);
    });

    it('gives nothing to whoever has hung up', async () => {
      const gone = new AbortController();
      const waiting = house.claim('f1', { waitSec: 20, signal: gone.signal });
      await sleep(50);
      gone.abort();
      await assert.rejects(waiting);
      await sleep(50);
      await house.add('a');
      await sleep(50);
      assert.equal((await house.call('GET', '/fleet/jobs/a')).body.stage, 'queued');
    });

    it('answers a wait in which nothing came with nothing', async () => {
      const started = performance.now();
      assert.equal((await house.claim('f1', { waitSec: 0.3 })).status, 204);
      assert.ok(performance.now() - started >= 290);
    });

    it('stops without losing a request or taking a lease', async () => {
      for (let n = 0; n < 50; n++) await house.add(`j${n}`);
      await house.claim('held');
      const cancelled = house.claim('f1', { waitSec: 20, product: 'empty' });
      await sleep(50);
      const calls = Array.from({ length: 30 }, (_, n) => house.claim(`g${n}`, { key: `r${n}` }));
      await sleep(1);
      const started = performance.now();
      await house.server.stop();
      assert.ok(performance.now() - started < 2000);
      assert.equal((await cancelled).status, 204);
      const answers = await Promise.allSettled(calls);
      const accepted = answers.flatMap((each) =>
        each.status === 'fulfilled' && each.value.status === 200 ? [each.value.body.job.id] : [],
      );
      const again = await new House(house.store).open();
      house.server = again.server;
      for (const id of accepted) {
        const { body } = await again.call('GET', `/fleet/jobs/${id}`);
        assert.deepEqual([body.stage, body.leaseEpoch], ['assigned', 1]);
      }
      const { body } = await again.call('GET', '/fleet/jobs?stage=assigned&limit=500');
      assert.equal(body.jobs.filter((job: { holder: string }) => job.holder === 'held').length, 1);
    });

    it('gives holders a whole lease when it starts again', async () => {
      await house.add('a');
      await house.claim('f1');
      await house.server.stop();
      clock.advance(10 * LEASE);
      house = await new House(house.store).open();
      assert.equal((await house.claim('f2')).status, 204);
      assert.equal(
        (await house.call('POST', '/fleet/jobs/a/lease/renew', { body: { leaseEpoch: 1 } })).status,
        200,
      );
    });

    it('cuts off who sends too slowly, and serves the others meanwhile', async () => {
      await house.close();
      await start({}, { headersMs: 300, requestMs: 600 });
      const slowly = async (head: string) => {
        const socket = net.connect(house.server.port, '127.0.0.1');
        await once(socket, 'connect');
        socket.on('error', () => undefined);
        let got = '';
        socket.on('data', (chunk) => {
          got += String(chunk);
        });
        const closed = once(socket, 'close');
        socket.write(head);
        const drip = setInterval(() => socket.write('a'), 100);
        await closed;
        clearInterval(drip);
        return got;
      };
      const started = performance.now();
      const authorization = `authorization: Bearer ${house.admin.token}\r\n`;
      const [head, body, ok] = await Promise.all([
        slowly('POST /api/fleet/claim HTTP/1.1\r\nhost: x\r\nx-a: '),
        slowly(
          `POST /api/fleet/claim HTTP/1.1\r\nhost: x\r\n${authorization}content-type: application/json\r\ncontent-length: 1000\r\n\r\n{`,
        ),
        house.call('GET', '/fleet/jobs'),
      ]);
      assert.ok(performance.now() - started < 5000);
      assert.match(head, /^(?:HTTP\/1\.1 408|$)/);
      assert.match(body, /^(?:HTTP\/1\.1 408|$)/);
      assert.equal(ok.status, 200);
    });
  });
}
