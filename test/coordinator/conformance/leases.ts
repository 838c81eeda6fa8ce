/** Claims, leases and epochs ("Epoch rule", and what follows it). Holds for every store (fleet-protocol.md, "What our coordinator adds"). */
import assert from 'node:assert/strict';
import { ask } from '../../../src/coordinator/store.ts';
import { DAY, HOUR } from '../../../src/platform/clock.ts';
import { codeOf, LEASE, type StoreWorld } from '../support/worlds.ts';

export function leasesConformance(world: () => StoreWorld): void {
  it('gives a job out once, and tells of it', async () => {
    const { clock, desk } = world();
    await desk.add('a');
    const job = await desk.claim('f1');
    assert.deepEqual([job?.id, job?.epoch, job?.stage, job?.factoryId], ['a', 1, 'assigned', 'f1']);
    assert.equal(job?.leaseExpiresAt, clock.at + LEASE);
    assert.equal(await desk.claim('f2'), undefined);
    assert.deepEqual(await desk.events('a'), ['enqueued queued 0', 'claimed assigned 1']);
  });

  it('carries a job to shipped under its epoch, and then for ever', async () => {
    const { clock, desk } = world();
    await desk.add('a');
    await desk.claim('f1');
    for (const stage of ['building', 'review', 'testing', 'shipped'] as const)
      assert.equal(codeOf(await desk.report('a', 1, stage, stage)), 'accepted');
    const job = await desk.job('a');
    assert.deepEqual(
      [job.stage, job.held, job.epoch, job.checkpoint?.wipCommit],
      ['shipped', false, 1, 'shipped'],
    );
    assert.equal(codeOf(await desk.renew('a', 1)), 'stale_epoch');
    assert.equal(codeOf(await desk.report('a', 1, 'building')), 'stale_epoch');
    assert.equal(codeOf(await desk.person('cancel', 'a')), 'illegal_transition');
    assert.equal(codeOf(await desk.person('requeue', 'a')), 'illegal_transition');
    assert.deepEqual(await desk.runs('a'), ['1 f1 testing shipped']);
    clock.advance(10 * DAY);
    assert.equal(await desk.claim('f2'), undefined);
  });

  it('refuses what is no step of a job, and changes nothing by it', async () => {
    const { desk } = world();
    await desk.add('a');
    await desk.claim('f1');
    for (const stage of ['queued', 'assigned', 'review', 'testing', 'shipped'] as const)
      assert.equal(codeOf(await desk.report('a', 1, stage)), 'illegal_transition', stage);
    assert.equal(codeOf(await desk.report('a', 1, 'building')), 'accepted');
    assert.equal(codeOf(await desk.report('a', 1, 'shipped')), 'illegal_transition');
    assert.equal((await desk.job('a')).stage, 'building');
    assert.equal((await desk.events('a')).length, 3);
  });

  it('keeps holder and stage when a lease lapses, and revives it by a renewal if nobody took it', async () => {
    const { clock, desk } = world();
    await desk.add('a');
    await desk.claim('f1');
    await desk.report('a', 1, 'building');
    clock.advance(LEASE + HOUR);
    const lapsed = await desk.job('a');
    assert.deepEqual([lapsed.stage, lapsed.held, lapsed.factoryId], ['building', true, 'f1']);
    assert.equal(codeOf(await desk.renew('a', 1)), 'accepted');
    assert.equal(await desk.claim('f2'), undefined);
    assert.equal(codeOf(await desk.report('a', 1, 'review')), 'accepted');
    assert.ok((await desk.events('a')).includes('revived building 1'));
    assert.deepEqual(await desk.runs('a'), ['1 f1 review null']);
    assert.equal((await desk.job('a')).attempts, 0);
  });

  it('takes a report under a lapsed lease that nobody took', async () => {
    const { clock, desk, store } = world();
    await desk.add('a');
    await desk.claim('f1');
    clock.advance(LEASE * 2);
    await ask(store, { do: 'tick' });
    assert.equal(codeOf(await desk.report('a', 1, 'building')), 'accepted');
    assert.equal(await desk.claim('f2'), undefined);
    clock.advance(LEASE);
    assert.equal((await desk.claim('f2'))?.epoch, 2);
  });

  it('gives a lapsed job to the next, whose epoch fences the one before', async () => {
    const { clock, desk } = world();
    await desk.add('a');
    await desk.claim('f1');
    await desk.report('a', 1, 'building', 'c1');
    clock.advance(LEASE - 1);
    assert.equal(await desk.claim('f2'), undefined);
    clock.advance(1);
    const taken = await desk.claim('f2');
    assert.deepEqual(
      [taken?.epoch, taken?.stage, taken?.checkpoint?.wipCommit, taken?.attempts],
      [2, 'assigned', 'c1', 1],
    );
    for (const call of [desk.renew('a', 1), desk.release('a', 1), desk.report('a', 1, 'building', 'c1')]) {
      const refusal = await call;
      assert.equal(codeOf(refusal), 'stale_epoch');
      assert.equal('currentEpoch' in refusal && refusal.currentEpoch, 2);
    }
    assert.deepEqual(await desk.runs('a'), ['1 f1 building lapsed', '2 f2 assigned null']);
    assert.deepEqual((await desk.events('a')).slice(-2), ['lapsed building 1', 'claimed assigned 2']);
  });

  it('does not take back what is in review, however long it lies there', async () => {
    const { clock, desk } = world();
    await desk.add('a');
    await desk.claim('f1');
    await desk.report('a', 1, 'building');
    await desk.report('a', 1, 'review');
    clock.advance(30 * DAY);
    assert.equal(await desk.claim('f2'), undefined);
    assert.equal(codeOf(await desk.renew('a', 1)), 'accepted');
    await desk.report('a', 1, 'testing');
    clock.advance(LEASE);
    assert.equal((await desk.claim('f2'))?.epoch, 2);
  });

  it('takes nothing under an epoch that was never given, or is still to come', async () => {
    const { desk } = world();
    await desk.add('a');
    for (const epoch of [0, 1]) assert.equal(codeOf(await desk.renew('a', epoch)), 'stale_epoch');
    await desk.claim('f1');
    assert.equal(codeOf(await desk.report('a', 2, 'building')), 'stale_epoch');
    assert.equal(codeOf(await desk.renew('zzz', 1)), 'job_not_found');
  });

  it('takes calls under a lease from its own factory and from admins only', async () => {
    const { clock, desk } = world();
    await desk.add('a');
    await desk.claim('f1');
    const call = { what: 'renew', epoch: 1 } as const;
    assert.equal(codeOf(await desk.fenced('a', call, 'f2')), 'unauthorized');
    assert.equal(codeOf(await desk.fenced('a', call, 'f1')), 'accepted');
    assert.equal(codeOf(await desk.fenced('a', call, null)), 'accepted');
    clock.advance(LEASE);
    await desk.claim('f2');
    assert.equal(codeOf(await desk.fenced('a', call, 'f1')), 'stale_epoch');
  });

  it('gives every holder a whole lease after a restart, also whose lease had lapsed', async () => {
    const { clock, desk, store } = world();
    await desk.add('a');
    await desk.add('b');
    await desk.claim('f1');
    await desk.claim('f1');
    clock.advance(LEASE);
    await ask(store, { do: 'tick' });
    clock.advance(DAY);
    assert.equal((await ask(store, { do: 'restart' })).graced, 2);
    clock.advance(LEASE - 1);
    assert.equal(await desk.claim('f2'), undefined);
    assert.equal(codeOf(await desk.renew('a', 1)), 'accepted');
    clock.advance(1);
    assert.equal((await desk.claim('f2'))?.id, 'b');
    assert.equal(await desk.claim('f2'), undefined);
  });

  it('gives each job to exactly one of 64 claimers per epoch, and epochs only rise', async () => {
    const { clock, desk } = world();
    const jobs = 40;
    for (let n = 0; n < jobs; n++) await desk.add(`j${n}`);
    const given: string[] = [];
    const worker = async (factoryId: string) => {
      for (let job = await desk.claim(factoryId); job !== undefined; job = await desk.claim(factoryId)) {
        given.push(`${job.id} ${job.epoch}`);
        // A holder who goes on and one who is never heard of again.
        if (given.length % 2 === 0) await desk.report(job.id, job.epoch, 'building');
      }
    };
    for (let round = 1; round <= 3; round++) {
      await Promise.all(Array.from({ length: 64 }, (_, n) => worker(`f${n}`)));
      assert.equal(new Set(given).size, given.length);
      assert.equal(given.length, jobs * round);
      clock.advance(LEASE);
    }
    assert.deepEqual(
      [...given].sort(),
      Array.from({ length: jobs }, (_, n) => [1, 2, 3].map((epoch) => `j${n} ${epoch}`))
        .flat()
        .sort(),
    );
  });

  it('accepts at most one of two holders, whatever they say at the same time', async () => {
    const { clock, desk } = world();
    await desk.add('a');
    await desk.claim('f1');
    clock.advance(LEASE);
    const [renewed, taken] = await Promise.all([desk.renew('a', 1), desk.claim('f2')]);
    assert.equal(codeOf(renewed), 'accepted');
    assert.equal(taken, undefined);
    clock.advance(LEASE);
    const [taken2, renewed2] = await Promise.all([desk.claim('f2'), desk.renew('a', 1)]);
    assert.equal(taken2?.epoch, 2);
    assert.equal(codeOf(renewed2), 'stale_epoch');
  });

  it('heals when its clock ran years ahead and was put right', async () => {
    const { clock, desk } = world();
    await desk.add('a');
    await desk.add('b');
    await desk.claim('f1');
    clock.advance(1000 * DAY);
    await desk.renew('a', 1);
    clock.advance(-1000 * DAY);
    await desk.renew('a', 1);
    assert.equal((await desk.job('a')).leaseExpiresAt, clock.at + LEASE);
    assert.equal((await desk.claim('f2'))?.id, 'b');
    assert.equal(await desk.claim('f2'), undefined);
    clock.advance(LEASE);
    assert.equal((await desk.claim('f2'))?.id, 'a');
  });
}
