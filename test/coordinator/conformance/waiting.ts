/** Long polls, and a server that stops and starts. Holds for the server on every store (fleet-protocol.md). */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { startServer } from '../../../src/coordinator/server/server.ts';
import { DEFAULT_SETTINGS } from '../../../src/coordinator/settings.ts';
import { silentLog } from '../../../src/platform/log.ts';
import { House, type ServerWorld } from '../support/http.ts';
import { LEASE } from '../support/worlds.ts';

export function waitingConformance(world: () => ServerWorld): void {
  it('gives a waiting claim the job that comes, within milliseconds', async () => {
    const { clock, house } = world();
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
    const { house } = world();
    const waiting = Array.from({ length: 20 }, (_, n) => house.claim(`f${n}`, { waitSec: 20 }));
    await sleep(100);
    await Promise.all(Array.from({ length: 20 }, (_, n) => house.add(`j${n}`)));
    const given = await Promise.all(waiting);
    assert.equal(new Set(given.map(({ body }) => body.job.id)).size, 20);
  });

  it('gives nothing to whoever has hung up', async () => {
    const { house } = world();
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
    const { house } = world();
    const started = performance.now();
    assert.equal((await house.claim('f1', { waitSec: 0.3 })).status, 204);
    assert.ok(performance.now() - started >= 290);
  });

  it('stops without losing a request or taking a lease', async () => {
    const { house } = world();
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
    world().house = again;
    for (const id of accepted) {
      const { body } = await again.call('GET', `/fleet/jobs/${id}`);
      assert.deepEqual([body.stage, body.leaseEpoch], ['assigned', 1]);
    }
    const { body } = await again.call('GET', '/fleet/jobs?stage=assigned&limit=500');
    assert.equal(body.jobs.filter((job: { holder: string }) => job.holder === 'held').length, 1);
  });

  it('gives holders a whole lease when it starts again', async () => {
    const { clock } = world();
    await world().house.add('a');
    await world().house.claim('f1');
    clock.advance(10 * LEASE);
    const house = await world().reopen();
    assert.equal((await house.claim('f2')).status, 204);
    assert.equal(
      (await house.call('POST', '/fleet/jobs/a/lease/renew', { body: { leaseEpoch: 1 } })).status,
      200,
    );
  });

  it('says so when its port is taken', async () => {
    const { store, server } = world().house;
    const options = { store, settings: DEFAULT_SETTINGS, log: silentLog, port: server.port };
    await assert.rejects(startServer(options), { name: 'UserError', code: 'port-taken' });
  });
}
