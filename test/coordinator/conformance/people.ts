/** What people see and do. Holds for every store (fleet-protocol.md, "What our coordinator adds"). */
import assert from 'node:assert/strict';
import { ask } from '../../../src/coordinator/store.ts';
import { HOUR, MINUTE, SECOND } from '../../../src/platform/clock.ts';
import { CAN, codeOf, PRODUCT, type StoreWorld } from '../support/worlds.ts';

export function peopleConformance(world: () => StoreWorld): void {
  it('makes the epoch stale by cancel and by requeue, and forgives one exact repeat', async () => {
    const { desk } = world();
    for (const [id, what] of [
      ['a', 'cancel'],
      ['b', 'requeue'],
    ] as const) {
      await desk.add(id);
      await desk.claim('f1');
      await desk.report(id, 1, 'building', 'c1');
      assert.equal(codeOf(await desk.person(what, id)), 'accepted');
      const repeated = await desk.report(id, 1, 'building', 'c1');
      assert.deepEqual(['stage' in repeated && repeated.stage, codeOf(repeated)], ['building', 'accepted']);
      for (const call of [desk.renew(id, 1), desk.release(id, 1), desk.report(id, 1, 'building', 'c2')])
        assert.equal(codeOf(await call), 'stale_epoch');
      assert.equal((await desk.job(id)).stage, what === 'cancel' ? 'failed' : 'queued');
      if (what === 'requeue') assert.equal((await desk.claim('f2'))?.epoch, 2);
      assert.equal((await desk.runs(id))[0], `1 f1 building ${what}${what === 'cancel' ? 'led' : 'd'}`);
    }
    assert.equal((await desk.job('a')).reason, 'cancelled');
    assert.equal(codeOf(await desk.person('cancel', 'a')), 'accepted');
    assert.equal((await desk.events('a')).filter((event) => event.startsWith('cancelled')).length, 1);
  });

  it('turns a job away whose front matter cannot be read', async () => {
    const { store } = world();
    const bombs = Array.from({ length: 9 }, (_, n) => `a${n + 1}: &a${n + 1} [*a${n},*a${n},*a${n}]`).join(
      '\n',
    );
    for (const [front, word] of [
      ['engine: [a, b]', 'engine'],
      ['requires: docker', 'requires'],
      ['priority: 10', 'priority'],
      ['retries: -1', 'retries'],
      ['needs: ["a b"]', 'needs'],
      ['a: [', 'YAML'],
      ['- a', 'YAML'],
      [`a0: &a0 x\n${bombs}`, 'YAML'],
      [`a: ${'['.repeat(10_000)}`, 'YAML'],
    ] as const) {
      const job = { productId: PRODUCT, id: 'a', bodyMd: `---\n${front}\n---\nDo it.\n` };
      const refusal = await ask(store, { do: 'enqueue', job });
      assert.equal(codeOf(refusal), 'invalid_request', front.slice(0, 40));
      assert.match('detail' in refusal ? refusal.detail : '', new RegExp(word));
    }
    const unclosed = { productId: PRODUCT, id: 'a', bodyMd: '---\nengine: claude\nDo it.\n' };
    assert.equal(codeOf(await ask(store, { do: 'enqueue', job: unclosed })), 'invalid_request');
    const large = { productId: PRODUCT, id: 'a', bodyMd: 'é'.repeat(524_289) };
    assert.equal(codeOf(await ask(store, { do: 'enqueue', job: large })), 'invalid_request');
  });

  it('keeps products apart', async () => {
    const { desk, store } = world();
    await desk.add('a');
    const other = { do: 'claim', productId: 'other', factoryId: 'f1', capabilities: CAN } as const;
    assert.equal(await ask(store, other), 'empty');
    assert.equal(codeOf(await ask(store, { do: 'job', productId: 'other', jobId: 'a' })), 'job_not_found');
    await ask(store, { do: 'enqueue', job: { productId: 'other', id: 'a', bodyMd: 'Other.' } });
    const given = await ask(store, other);
    assert.equal(typeof given === 'object' && 'bodyMd' in given && given.bodyMd, 'Other.');
    assert.equal((await desk.job('a')).stage, 'queued');
  });

  it('lists jobs by stage and by page, newest first', async () => {
    const { desk, store } = world();
    for (let n = 0; n < 25; n++) await desk.add(`j${n}`);
    await desk.claim('f1');
    const pages = [];
    let before: number | undefined;
    do {
      const { jobs } = await ask(store, { do: 'jobs', productId: PRODUCT, limit: 10, before });
      pages.push(jobs.map(({ id }) => id));
      before = jobs.length === 10 ? jobs.at(-1)?.seq : undefined;
    } while (before !== undefined);
    assert.deepEqual(
      pages.flat(),
      Array.from({ length: 25 }, (_, n) => `j${24 - n}`),
    );
    const { jobs } = await ask(store, { do: 'jobs', productId: PRODUCT, stage: 'assigned', limit: 10 });
    assert.deepEqual(
      jobs.map(({ id }) => id),
      ['j0'],
    );
  });

  it('knows the factories, who is silent, and what they hold', async () => {
    const { clock, desk, store } = world();
    await desk.add('a');
    await desk.heartbeat('quiet');
    clock.advance(5 * MINUTE);
    await desk.heartbeat('f1');
    await desk.claim('f1');
    const { factories } = await ask(store, { do: 'factories', productId: PRODUCT, limit: 10 });
    assert.deepEqual(
      factories.map(({ factoryId, holds, isSilent }) => [factoryId, holds, isSilent]),
      [
        ['f1', 1, false],
        ['quiet', 0, true],
      ],
    );
  });

  it('stretches the pace of heartbeats as the fleet grows', async () => {
    const { clock, desk, store } = world();
    assert.equal((await desk.heartbeat('f0')).nextHeartbeatSec, 30);
    const beats = Array.from(
      { length: 3000 },
      (_, n) =>
        ({
          do: 'heartbeat',
          productId: PRODUCT,
          factoryId: `f${n}`,
          capabilities: CAN,
          health: 'ok',
          load: 0,
        }) as const,
    );
    await store.run(beats);
    clock.advance(10 * SECOND);
    assert.equal((await desk.heartbeat('f0')).nextHeartbeatSec, 60);
    clock.advance(HOUR);
    assert.equal((await desk.heartbeat('f0')).nextHeartbeatSec, 30);
  });

  it('enrols a factory once with a token, within its time, for its product and factory', async () => {
    const { clock, store } = world();
    const token = { kind: 'enrolment', productId: PRODUCT, ttlMs: HOUR } as const;
    await ask(store, { do: 'issue', token: { ...token, hash: 'e1', factoryId: null } });
    const enrol = async (hash: string, factoryId: string, ownHash: string, productId?: string) =>
      codeOf(await ask(store, { do: 'enrol', hash, factoryId, ownHash, productId }));
    assert.equal(await enrol('e0', 'f1', 'o1'), 'unauthorized');
    assert.equal(await enrol('e1', 'f1', 'o1', 'other'), 'unauthorized');
    assert.equal(await enrol('e1', 'f1', 'o1', PRODUCT), 'accepted');
    assert.equal(await enrol('e1', 'f2', 'o2'), 'unauthorized');
    assert.equal(await enrol('o1', 'f2', 'o2'), 'unauthorized');
    const { token: own } = await ask(store, { do: 'token', hash: 'o1' });
    assert.ok(own?.kind === 'factory' && own.factoryId === 'f1' && own.productId === PRODUCT);
    // Another open token does not take the place of a factory that is at work; one that names it renews its token.
    await ask(store, { do: 'issue', token: { ...token, hash: 'e2', factoryId: null } });
    assert.equal(await enrol('e2', 'f1', 'o3'), 'unauthorized');
    await ask(store, { do: 'issue', token: { ...token, hash: 'e3', factoryId: 'f1' } });
    assert.equal(await enrol('e3', 'f2', 'o3'), 'unauthorized');
    assert.equal(await enrol('e3', 'f1', 'o3'), 'accepted');
    assert.equal((await ask(store, { do: 'token', hash: 'o1' })).token, undefined);
    clock.advance(HOUR);
    assert.equal(await enrol('e2', 'f9', 'o9'), 'unauthorized');
  });
}
