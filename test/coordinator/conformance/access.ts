/** Who may do what ("Tokens"). Holds for the server on every store (fleet-protocol.md). */
import assert from 'node:assert/strict';
import { HOUR, MINUTE } from '../../../src/platform/clock.ts';
import { type ServerWorld } from '../support/http.ts';

export function accessConformance(world: () => ServerWorld): void {
  it('lets a factory act only as itself, in its product', async () => {
    const { house } = world();
    const token = await house.enrol('f1');
    const other = await house.enrol('f2');
    const foreign = await house.enrol('f1', 'other');
    await house.add('a');
    assert.equal((await house.claim('f2', { token })).status, 403);
    assert.equal((await house.claim('f1', { token: foreign })).status, 403);
    assert.equal((await house.claim('f1', { token, product: 'other' })).status, 403);
    assert.equal((await house.claim('f1', { token: foreign, product: '' })).status, 204);
    const beat = { factoryId: 'f2', capabilities: [], health: 'ok', load: 0 };
    assert.equal((await house.call('POST', '/fleet/factories/heartbeat', { token, body: beat })).status, 403);
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
    const adopted = { factoryId: 'f1', id: 'b' };
    const adopt = (bearer: string) =>
      house.call('POST', '/fleet/jobs/a/adopt', { token: bearer, product: '', body: adopted });
    assert.deepEqual([(await adopt(other)).status, (await adopt(foreign)).status], [403, 404]);
    const made = await adopt(token);
    assert.deepEqual(
      [made.status, made.body.id, made.body.stage, made.body.leaseEpoch, made.body.leaseTtlSec],
      [200, 'b', 'review', 1, 900],
    );
    for (const path of ['/fleet/jobs', '/fleet/jobs/a', '/fleet/factories', '/fleet/jobs/a/why'])
      assert.equal((await house.call('GET', path, { token })).status, 200, path);
    // Without a product the token's own counts.
    assert.equal((await house.report('a', 'building', 1, { token, product: '' })).status, 200);
    // An admin acts as any factory.
    assert.equal((await house.report('a', 'review', 1)).status, 200);
  });

  it('enrols once with a token that is not good for anything else', async () => {
    const { clock, house } = world();
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
    assert.equal((await house.call('GET', '/fleet/jobs', { token: first.body.token })).status, 200);
    const renewed = await enrol(named.body.token, 'f1');
    assert.equal((await house.call('GET', '/fleet/jobs', { token: renewed.body.token })).status, 200);
    assert.equal((await house.call('GET', '/fleet/jobs', { token: first.body.token })).status, 401);
  });
}
