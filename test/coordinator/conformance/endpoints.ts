/** The contract and what is ours, endpoint by endpoint, and every problem. Holds for the server on every store (fleet-protocol.md). */
import assert from 'node:assert/strict';
import { MINUTE } from '../../../src/platform/clock.ts';
import { type Reply, type ServerWorld } from '../support/http.ts';
import { LEASE } from '../support/worlds.ts';

export function endpointsConformance(world: () => ServerWorld): void {
  it('carries a job from enqueue to shipped, and tells of it', async () => {
    const { clock, house } = world();
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
    const { clock, house } = world();
    await house.add('a');
    await house.claim('f1');
    clock.advance(MINUTE);
    const renewed = await house.call('POST', '/fleet/jobs/a/lease/renew', { body: { leaseEpoch: 1 } });
    assert.deepEqual([renewed.status, renewed.body.leaseTtlSec, renewed.body.holder], [200, 900, 'f1']);
    clock.advance(LEASE);
    const { body: lapsed } = await house.call('GET', '/fleet/jobs/a');
    assert.deepEqual([lapsed.holder, lapsed.leaseTtlSec], ['f1', undefined]);
    assert.equal(Date.parse(lapsed.leaseExpiresAt), clock.at);
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
    const { house } = world();
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
      [
        house.call('PATCH', '/fleet/jobs/a', { raw: '{"stage":"building","leaseEpoch":1,"__proto__":{}}' }),
        400,
        'invalid_request',
      ],
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
    const { house } = world();
    const body = { bodyMd: 'Once.' };
    const first = await house.call('POST', '/fleet/jobs', { key: 'k1', body });
    const again = await house.call('POST', '/fleet/jobs', { key: 'k1', body });
    assert.deepEqual([first.status, again.status, again.body.id], [201, 200, first.body.id]);
    const other = await house.call('POST', '/fleet/jobs', { key: 'k1', body: { bodyMd: 'Twice.' } });
    assert.deepEqual([other.status, other.body.code], [422, 'idempotency_mismatch']);
    const { id } = first.body;
    for (const _ of [1, 2]) assert.equal((await house.claim('f1', { key: 'r1' })).body.leaseEpoch, 1);
    assert.equal((await house.claim('f2', { key: 'r1' })).body.code, 'idempotency_mismatch');
    for (const _ of [1, 2]) assert.equal((await house.report(id, 'building', 1, { key: 'p1' })).status, 200);
    assert.equal((await house.report(id, 'review', 1, { key: 'p1' })).body.code, 'idempotency_mismatch');
    assert.equal((await house.call('GET', `/fleet/jobs/${id}/events`)).body.events.length, 3);
  });

  it('answers whether it is well, at both addresses and to anybody', async () => {
    const { house } = world();
    for (const url of [`${house.server.api}/healthz`, house.server.api.replace(/api$/, 'healthz')])
      assert.deepEqual(await (await fetch(url)).json(), { ok: true });
  });

  it('lists jobs page by page', async () => {
    const { house } = world();
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
}
