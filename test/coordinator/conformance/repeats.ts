/** Repeats: the epoch's last write, and idempotency keys. Holds for every store (fleet-protocol.md, "What our coordinator adds"). */
import assert from 'node:assert/strict';
import { ask } from '../../../src/coordinator/store.ts';
import { DAY, MINUTE } from '../../../src/platform/clock.ts';
import { CAN, codeOf, LEASE, must, PRODUCT, PROMPT, type StoreWorld } from '../support/worlds.ts';

export function repeatsConformance(world: () => StoreWorld): void {
  it('takes a repeated report again without a second event, and keeps a checkpoint that is not repeated', async () => {
    const { clock, desk } = world();
    await desk.add('a');
    await desk.claim('f1');
    await desk.report('a', 1, 'building', 'c1');
    clock.advance(MINUTE);
    const again = await desk.report('a', 1, 'building', 'c1');
    assert.equal('leaseExpiresAt' in again && again.leaseExpiresAt, clock.at + LEASE);
    await desk.report('a', 1, 'building', 'c2');
    await desk.report('a', 1, 'building');
    assert.equal((await desk.job('a')).checkpoint?.wipCommit, 'c2');
    assert.equal((await desk.events('a')).length, 4);
  });

  it('knows a late repeat by its key: it answers as before, and takes nothing back', async () => {
    const { desk } = world();
    await desk.add('a');
    await desk.claim('f1');
    await desk.report('a', 1, 'building', 'c1', 'k1');
    await desk.report('a', 1, 'review', 'c2', 'k2');
    const late = await desk.report('a', 1, 'building', 'c1', 'k1');
    assert.equal('stage' in late && late.stage, 'building');
    const job = await desk.job('a');
    assert.deepEqual([job.stage, job.checkpoint?.wipCommit, job.events], ['review', 'c2', 4]);
    assert.equal(codeOf(await desk.report('a', 1, 'testing', 'c1', 'k1')), 'idempotency_mismatch');
  });

  it('forgets keys after a week, and not before', async () => {
    const { clock, desk, store } = world();
    await desk.add('a');
    await desk.claim('f1', CAN, 'r1');
    clock.advance(6 * DAY);
    await ask(store, { do: 'prune' });
    assert.equal((await desk.claim('f1', CAN, 'r1'))?.epoch, 1);
    await desk.report('a', 1, 'blocked');
    await desk.person('requeue', 'a');
    clock.advance(2 * DAY);
    assert.equal((await ask(store, { do: 'prune' })).isDone, true);
    assert.equal((await desk.claim('f1', CAN, 'r1'))?.epoch, 2);
  });

  it('answers a repeated claim with the same job and epoch, or with nothing when it is no longer ours', async () => {
    const { clock, desk } = world();
    await desk.add('a');
    await desk.add('b');
    assert.equal(await desk.claim('f1', ['os:none', ...CAN], 'r1').then((job) => job?.id), 'a');
    clock.advance(LEASE - 1);
    const again = await desk.claim('f1', CAN, 'r1');
    assert.deepEqual([again?.id, again?.epoch, again?.leaseExpiresAt], ['a', 1, clock.at + LEASE]);
    assert.equal((await desk.events('a')).length, 2);
    clock.advance(LEASE);
    assert.equal((await desk.claim('f2'))?.epoch, 2);
    assert.equal(await desk.claim('f1', CAN, 'r1'), undefined);
    assert.equal((await desk.claim('f1', CAN, 'r2'))?.id, 'b');
    await desk.release('b', 1);
    assert.equal(await desk.claim('f1', CAN, 'r2'), undefined);
  });

  it('leaves no key behind a claim that came back empty', async () => {
    const { desk } = world();
    assert.equal(await desk.claim('f1', CAN, 'r1'), undefined);
    await desk.add('a');
    assert.equal((await desk.claim('f1', CAN, 'r1'))?.id, 'a');
  });

  it('takes the same job twice as one, and another under its id not at all', async () => {
    const { store } = world();
    const job = { productId: PRODUCT, id: 'a', bodyMd: PROMPT };
    assert.equal(must(await ask(store, { do: 'enqueue', job })).isNew, true);
    assert.equal(must(await ask(store, { do: 'enqueue', job })).isNew, false);
    const other = { ...job, bodyMd: 'Something else.\n' };
    assert.equal(codeOf(await ask(store, { do: 'enqueue', job: other })), 'invalid_request');
    const key = { scope: '*', key: 'k', fingerprint: 'x' };
    const first = must(await ask(store, { do: 'enqueue', job: { ...job, id: 'generated-1' }, key }));
    const second = must(await ask(store, { do: 'enqueue', job: { ...job, id: 'generated-2' }, key }));
    assert.deepEqual([first.isNew, second.isNew, second.job.id], [true, false, 'generated-1']);
    const clash = ask(store, { do: 'enqueue', job, key: { ...key, fingerprint: 'y' } });
    assert.equal(codeOf(await clash), 'idempotency_mismatch');
  });
}
