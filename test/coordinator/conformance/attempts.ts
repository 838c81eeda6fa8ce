/** Attempts, retries and releases. Holds for every store (fleet-protocol.md, "What our coordinator adds"). */
import assert from 'node:assert/strict';
import { DAY, HOUR, SECOND } from '../../../src/platform/clock.ts';
import { codeOf, LEASE, type StoreWorld } from '../support/worlds.ts';

export function attemptsConformance(world: () => StoreWorld): void {
  it('buries a job whose third claim lapsed too, when somebody would take it', async () => {
    const { clock, desk } = world();
    await desk.add('a');
    for (const epoch of [1, 2, 3]) {
      assert.equal((await desk.claim('f1'))?.epoch, epoch);
      clock.advance(LEASE);
    }
    // Nobody else wanted it: whoever slept loses nothing.
    assert.equal(codeOf(await desk.renew('a', 3)), 'accepted');
    clock.advance(LEASE);
    await desk.add('b');
    assert.equal((await desk.claim('f2'))?.id, 'b');
    const job = await desk.job('a');
    assert.deepEqual(
      [job.stage, job.reason, job.held, job.attempts],
      ['dead_letter', 'attempts_exhausted', false, 3],
    );
    assert.equal(codeOf(await desk.renew('a', 3)), 'stale_epoch');
    assert.deepEqual(await desk.runs('a'), [
      '1 f1 assigned lapsed',
      '2 f1 assigned lapsed',
      '3 f1 assigned lapsed',
    ]);
    await desk.person('requeue', 'a');
    assert.equal((await desk.claim('f1'))?.epoch, 4);
    clock.advance(LEASE);
    assert.equal((await desk.claim('f1'))?.epoch, 5);
  });

  it('counts no attempt for heartbeats and renewals', async () => {
    const { clock, desk } = world();
    await desk.add('a');
    await desk.claim('f1');
    for (let n = 0; n < 10; n++) {
      clock.advance(LEASE + SECOND);
      await desk.heartbeat('f1');
      await desk.renew('a', 1);
    }
    assert.equal((await desk.job('a')).attempts, 0);
  });

  it('tries a failed job again while it has retries, after a pause that doubles', async () => {
    const { clock, desk } = world();
    await desk.add('a', { bodyMd: '---\nretries: 2\n---\nDo it.\n' });
    for (const [failures, pause] of [30 * SECOND, 60 * SECOND].entries()) {
      const epoch = failures + 1;
      assert.equal((await desk.claim('f1'))?.epoch, epoch);
      const answer = await desk.report('a', epoch, 'failed');
      assert.equal('stage' in answer && answer.stage, 'queued');
      assert.equal(codeOf(await desk.report('a', epoch, 'failed')), 'accepted');
      assert.equal(codeOf(await desk.renew('a', epoch)), 'stale_epoch');
      clock.advance(pause - 1);
      assert.equal(await desk.claim('f1'), undefined);
      clock.advance(1);
    }
    await desk.claim('f1');
    await desk.report('a', 3, 'failed');
    const job = await desk.job('a');
    assert.deepEqual([job.stage, job.attempts, job.failures], ['failed', 3, 3]);
    await desk.person('requeue', 'a');
    await desk.claim('f1');
    const retried = await desk.report('a', 4, 'failed');
    assert.equal('stage' in retried && retried.stage, 'queued');
  });

  it('leaves a failed job without retries failed', async () => {
    const { clock, desk } = world();
    await desk.add('a');
    await desk.claim('f1');
    await desk.report('a', 1, 'failed');
    assert.deepEqual([(await desk.job('a')).stage, (await desk.job('a')).attempts], ['failed', 1]);
    clock.advance(DAY);
    assert.equal(await desk.claim('f1'), undefined);
  });

  it('makes a job with retries left dead_letter when lapses have used up its attempts', async () => {
    const { clock, desk } = world();
    await desk.add('a', { bodyMd: '---\nretries: 1\n---\nDo it.\n' });
    for (const _ of [1, 2]) {
      await desk.claim('f1');
      clock.advance(LEASE);
    }
    await desk.claim('f1');
    const answer = await desk.report('a', 3, 'failed');
    assert.equal('stage' in answer && answer.stage, 'dead_letter');
  });

  it('does not offer a released job to the same factory for an hour, and counts no attempt', async () => {
    const { clock, desk } = world();
    await desk.add('a');
    await desk.claim('f1');
    assert.equal(codeOf(await desk.release('a', 1)), 'accepted');
    assert.equal(codeOf(await desk.release('a', 1)), 'accepted');
    assert.equal(codeOf(await desk.renew('a', 1)), 'stale_epoch');
    assert.equal((await desk.events('a')).length, 3);
    assert.equal(await desk.claim('f1'), undefined);
    assert.equal((await desk.heartbeat('f1')).claimable, 0);
    assert.equal(await desk.why('a'), 'released_recently');
    assert.equal((await desk.claim('f2'))?.epoch, 2);
    await desk.release('a', 2);
    clock.advance(HOUR - 1);
    assert.equal(await desk.claim('f1'), undefined);
    clock.advance(1);
    const job = await desk.claim('f1');
    assert.deepEqual([job?.epoch, job?.attempts], [3, 0]);
  });

  it('offers a released job to everybody again when a person requeues it', async () => {
    const { desk } = world();
    await desk.add('a');
    await desk.claim('f1');
    await desk.release('a', 1);
    await desk.person('requeue', 'a');
    assert.equal((await desk.claim('f1'))?.epoch, 2);
  });
}
