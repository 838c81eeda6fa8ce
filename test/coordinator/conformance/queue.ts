/** Who gets which job, and why not ("Matching"). Holds for every store (fleet-protocol.md, "What our coordinator adds"). */
import assert from 'node:assert/strict';
import { ask } from '../../../src/coordinator/store.ts';
import { HOUR, MINUTE, SECOND } from '../../../src/platform/clock.ts';
import { CAN, codeOf, LEASE, must, PRODUCT, type StoreWorld } from '../support/worlds.ts';

export function queueConformance(world: () => StoreWorld): void {
  it('gives out by priority, then by age, and no job starves', async () => {
    const { clock, desk } = world();
    await desk.add('low', { priority: 0 });
    clock.advance(SECOND);
    await desk.add('first', { priority: 5 });
    await desk.add('second', { priority: 5 });
    await desk.add('high', { priority: 9 });
    const order = [];
    for (let n = 0; n < 4; n++) {
      const id = (await desk.claim('f1'))?.id ?? '';
      order.push(id);
      await desk.report(id, 1, 'blocked');
    }
    assert.deepEqual(order, ['high', 'first', 'second', 'low']);
    await desk.add('old', { priority: 0 });
    // A fresh job of the highest priority every half hour, and one factory that does one in that time.
    let rounds = 0;
    for (; rounds < 48; rounds++) {
      await desk.add(`new${rounds}`, { priority: 9 });
      const id = (await desk.claim('f2'))?.id ?? '';
      if (id === 'old') break;
      await desk.report(id, 1, 'blocked');
      clock.advance(HOUR / 2);
    }
    assert.ok(rounds >= 17 && rounds <= 19, String(rounds));
  });

  it('reads priority from the front matter, unless it is told another', async () => {
    const { desk } = world();
    await desk.add('a', { bodyMd: '---\npriority: 3\n---\nDo it.\n' });
    await desk.add('b', { bodyMd: '---\npriority: 3\n---\nDo it.\n', priority: 4 });
    assert.deepEqual([(await desk.job('a')).priority, (await desk.job('b')).priority], [3, 4]);
    assert.equal((await desk.claim('f1'))?.id, 'b');
  });

  it('matches what is required and what the front matter implies, and says what is missing', async () => {
    const { desk, store } = world();
    const bodyMd =
      '---\nengine: codex\nrepo: git@GitHub.com:acme/app.git\nrequires: [tool:docker]\n---\nDo it.\n';
    const job = await desk.add('a', { bodyMd, requires: ['os:linux'] });
    assert.deepEqual(job.job.requires, [
      'engine:codex',
      'os:linux',
      'repo:github.com/acme/app',
      'tool:docker',
    ]);
    const all = [...job.job.requires];
    for (const lacking of all) {
      const some = all.filter((each) => each !== lacking);
      await desk.heartbeat('f1', some);
      assert.equal(await desk.claim('f1', some), undefined);
      const why = must(await ask(store, { do: 'why', productId: PRODUCT, jobId: 'a', factoryId: 'f1' }));
      assert.deepEqual([why.code, why.missing], ['missing_capabilities', [lacking]]);
    }
    const spelt = all.map((each) => (each.startsWith('repo:') ? 'repo:https://github.com/acme/app' : each));
    assert.equal((await desk.heartbeat('f1', spelt)).claimable, 1);
    assert.equal((await desk.claim('f1', spelt))?.id, 'a');
  });

  it('passes over what a factory cannot do, and gives it the first that it can', async () => {
    const { desk } = world();
    for (let n = 0; n < 50; n++) await desk.add(`x${n}`, { requires: [`tool:x${n % 5}`], priority: 9 });
    await desk.add('mine', { requires: ['os:linux'], priority: 0 });
    await desk.add('anyones', { priority: 1 });
    assert.equal((await desk.heartbeat('f1')).claimable, 2);
    assert.equal((await desk.claim('f1'))?.id, 'anyones');
    assert.equal((await desk.claim('f1'))?.id, 'mine');
    assert.equal(await desk.claim('f1'), undefined);
    assert.equal((await desk.claim('f1', ['tool:x3']))?.id, 'x3');
  });

  it('says why, one reason after the other', async () => {
    const { clock, desk, store } = world();
    await desk.add('dep');
    await desk.add('a', { bodyMd: '---\nneeds: dep\nretries: 1\npriority: 0\n---\nDo it.\n' });
    assert.equal(await desk.why('a'), 'needs_unshipped');
    assert.equal(await desk.why('dep'), 'factory_unknown');
    await desk.heartbeat('f1');
    assert.equal(await desk.why('dep'), 'claimable');
    await desk.claim('f1');
    assert.equal(await desk.why('dep'), 'held');
    for (const stage of ['building', 'testing', 'shipped'] as const) await desk.report('dep', 1, stage);
    assert.equal(await desk.why('dep'), 'not_queued');
    assert.equal(await desk.why('a'), 'claimable');
    await desk.heartbeat('f1', CAN, 'draining');
    assert.equal(await desk.why('a'), 'factory_draining');
    await desk.heartbeat('f1');
    await desk.add('sooner', { priority: 9 });
    assert.equal(await desk.why('a'), 'behind_others');
    await desk.claim('f1');
    await desk.claim('f1');
    await desk.report('a', 1, 'failed');
    assert.equal(await desk.why('a'), 'not_yet');
    clock.advance(10 * MINUTE);
    assert.equal(await desk.why('a'), 'factory_silent');
    assert.equal(
      codeOf(await ask(store, { do: 'why', productId: PRODUCT, jobId: 'z', factoryId: 'f1' })),
      'job_not_found',
    );
  });

  it('holds a job back until all that it needs has shipped', async () => {
    const { desk } = world();
    const ship = async (id: string, epoch: number) => {
      for (const stage of ['building', 'testing', 'shipped'] as const) await desk.report(id, epoch, stage);
    };
    await desk.add('one');
    await desk.claim('f1');
    await ship('one', 1);
    await desk.add('last', { bodyMd: '---\nneeds: [one, two, three]\n---\nDo it.\n' });
    assert.deepEqual((await desk.job('last')).waitsFor, ['two', 'three']);
    await desk.add('two');
    await desk.add('three');
    assert.equal((await desk.claim('f1'))?.id, 'two');
    await ship('two', 1);
    assert.equal((await desk.claim('f1'))?.id, 'three');
    assert.equal(await desk.claim('f1'), undefined);
    await desk.person('requeue', 'last');
    assert.equal(await desk.claim('f1'), undefined);
    await ship('three', 1);
    assert.equal((await desk.claim('f1'))?.id, 'last');
    assert.ok((await desk.events('last')).includes('unblocked queued 0'));
    await desk.add('self', { bodyMd: '---\nneeds: self\n---\nDo it.\n' });
    assert.equal((await desk.claim('f1'))?.id, 'self');
  });

  it('announces what may be claimed now to whoever waits', async () => {
    const { clock, desk, store } = world();
    const announced: string[] = [];
    const stop = store.onReady((ready) => announced.push(...ready.map(({ requires }) => requires.join())));
    await desk.add('a', { requires: ['tool:a'] });
    await desk.claim('f1', ['tool:a']);
    await desk.report('a', 1, 'building');
    assert.deepEqual(announced, ['tool:a']);
    clock.advance(LEASE);
    await ask(store, { do: 'tick' });
    assert.equal(announced.length, 2);
    await desk.claim('f2', ['tool:a']);
    await desk.release('a', 2);
    await desk.person('requeue', 'a');
    assert.equal(announced.length, 4);
    stop();
    await desk.person('requeue', 'a');
    assert.equal(announced.length, 4);
  });
}
