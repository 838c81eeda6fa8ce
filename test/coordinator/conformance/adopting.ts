/** A result that came too late becomes a job of its own. Holds for every store (rules/adopt.ts). */
import assert from 'node:assert/strict';
import { ask } from '../../../src/coordinator/store.ts';
import { MINUTE } from '../../../src/platform/clock.ts';
import { CAN, codeOf, LEASE, must, PRODUCT, type StoreWorld } from '../support/worlds.ts';

export function adoptingConformance(world: () => StoreWorld): void {
  const adopt = (jobId: string, id: string, factoryId = 'f1', request?: string) => {
    const key =
      request === undefined ? undefined : { scope: factoryId, key: request, fingerprint: `${jobId} ${id}` };
    return ask(world().store, { do: 'adopt', productId: PRODUCT, jobId, id, factoryId, key });
  };
  /** f1 had the job under epoch 1; f2 has it under epoch 2. */
  const takenOver = async (id: string) => {
    const { clock, desk } = world();
    await desk.claim('f1', CAN);
    clock.advance(LEASE);
    assert.equal((await desk.claim('f2', CAN))?.id, id);
  };

  it('gives the factory a job in review under an epoch of its own, and leaves the old one alone', async () => {
    const { clock, desk, store } = world();
    const bodyMd = '---\nengine: claude\npriority: 7\nrequires: [os:linux]\n---\nDo it.\n';
    await desk.add('a', { bodyMd });
    await takenOver('a');
    const { job } = must(await adopt('a', 'a-adopted'));
    assert.deepEqual(
      [job.stage, job.epoch, job.factoryId, job.held, job.leaseExpiresAt, job.priority],
      ['review', 1, 'f1', true, clock.at + LEASE, 7],
    );
    assert.deepEqual(job.requires, ['engine:claude', 'os:linux']);
    const made = must(await ask(store, { do: 'job', productId: PRODUCT, jobId: 'a-adopted' }));
    assert.equal(made.bodyMd, bodyMd);
    assert.deepEqual(await desk.events('a-adopted'), ['enqueued queued 0', 'claimed review 1']);
    assert.deepEqual(await desk.runs('a-adopted'), ['1 f1 review null']);
    const old = await desk.job('a');
    assert.deepEqual([old.stage, old.epoch, old.factoryId], ['assigned', 2, 'f2']);
    assert.equal((await desk.runs('a')).length, 2);
  });

  it('lets the new job go the way of every other, and not be taken back while a person looks at it', async () => {
    const { clock, desk } = world();
    await desk.add('a');
    await takenOver('a');
    must(await adopt('a', 'b'));
    clock.advance(10 * LEASE);
    await desk.report('a', 2, 'building');
    assert.equal(await desk.claim('f3'), undefined);
    assert.equal(codeOf(await desk.report('b', 1, 'review', 'c1')), 'accepted');
    assert.equal(codeOf(await desk.report('b', 1, 'testing', 'c1')), 'accepted');
    assert.equal(codeOf(await desk.report('b', 1, 'shipped', 'c1')), 'accepted');
    assert.equal(codeOf(await desk.report('a', 1, 'review')), 'stale_epoch');
  });

  it('is given out at once although the old job waited for another', async () => {
    const { desk } = world();
    await desk.add('first');
    await desk.claim('f1');
    for (const stage of ['building', 'review', 'testing', 'shipped'] as const)
      await desk.report('first', 1, stage);
    await desk.add('a', { bodyMd: '---\nneeds: [first]\n---\nDo it.\n' });
    await takenOver('a');
    const { job } = must(await adopt('a', 'b'));
    assert.deepEqual([job.stage, job.waitsFor], ['review', []]);
  });

  it('answers a repeat with the same job while it is held, and makes no second one', async () => {
    const { clock, desk } = world();
    await desk.add('a');
    await takenOver('a');
    must(await adopt('a', 'b', 'f1', 'k'));
    clock.advance(MINUTE);
    const again = must(await adopt('a', 'b', 'f1', 'k'));
    assert.deepEqual([again.job.id, again.job.epoch], ['b', 1]);
    assert.equal((await desk.events('b')).length, 2);
    assert.equal(codeOf(await adopt('a', 'c', 'f1', 'k')), 'idempotency_mismatch');
    await desk.person('cancel', 'b');
    assert.equal(codeOf(await adopt('a', 'b', 'f1', 'k')), 'stale_epoch');
  });

  it('is only for a factory that has had the job, and takes no other’s name', async () => {
    const { desk } = world();
    await desk.add('a');
    await desk.add('b');
    await takenOver('a');
    assert.equal(codeOf(await adopt('a', 'new', 'f3')), 'invalid_request');
    assert.equal(codeOf(await adopt('b', 'new', 'f1')), 'invalid_request');
    assert.equal(codeOf(await adopt('none', 'new')), 'job_not_found');
    assert.equal(codeOf(await adopt('a', 'b')), 'invalid_request');
    assert.equal(codeOf(await adopt('a', 'a')), 'invalid_request');
    const other = { do: 'adopt', productId: 'other', jobId: 'a', id: 'new', factoryId: 'f1' } as const;
    assert.equal(codeOf(await ask(world().store, other)), 'job_not_found');
    assert.deepEqual(await desk.events('b'), ['enqueued queued 0']);
  });
}
