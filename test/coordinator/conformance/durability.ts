/** What a store that is on disk must do as well. Holds for every store (fleet-protocol.md, "What our coordinator adds"). */
import assert from 'node:assert/strict';
import { ask, type Store } from '../../../src/coordinator/store.ts';
import { codeOf, Desk, type Kind, LEASE, type OpenStore, TestClock } from '../support/worlds.ts';

export function durabilityConformance({ world }: Kind): void {
  let clock: TestClock;
  let store: Store;
  let desk: Desk;
  let open: OpenStore;

  beforeEach(() => {
    clock = new TestClock();
    open = world();
    store = open(clock);
    desk = new Desk(store);
  });
  afterEach(() => store.close());

  it('remembers everything when it is opened again, also when the clock was set back', async () => {
    await desk.add('a', { bodyMd: '---\nengine: claude\nneeds: [z]\n---\nDo it.\n' });
    await desk.add('b', { requires: ['tool:x'] });
    await desk.add('c');
    await desk.claim('f1');
    await desk.report('c', 1, 'building', 'c1', 'k1');
    await desk.heartbeat('f1');
    const before = { a: await desk.job('a'), b: await desk.job('b'), events: await desk.events('c') };
    clock.advance(LEASE);
    await ask(store, { do: 'tick' });
    await store.close();
    clock.advance(-LEASE);
    store = open(clock);
    desk = new Desk(store);
    assert.deepEqual(
      { a: await desk.job('a'), b: await desk.job('b'), events: await desk.events('c') },
      before,
    );
    await ask(store, { do: 'restart' });
    assert.equal(await desk.claim('f2'), undefined);
    assert.equal(codeOf(await desk.report('c', 1, 'building', 'c1', 'k1')), 'accepted');
    assert.equal(await desk.claim('f2'), undefined);
    assert.equal((await desk.claim('f2', ['tool:x']))?.id, 'b');
    await assert.rejects(async () => {
      const closed = open(clock, 'other');
      await closed.close();
      await closed.run([{ do: 'tick' }]);
    }, /closed/);
  });

  it('finishes what it was given before it closes', async () => {
    const added = desk.add('a');
    await store.close();
    assert.equal((await added).isNew, true);
    store = open(clock);
    assert.equal((await new Desk(store).job('a')).id, 'a');
  });

  it('lets one batch that breaks break no other of its transaction', async () => {
    const good = desk.add('a');
    const broken = ask(store, { do: 'token', hash: undefined as unknown as string });
    const rejected = assert.rejects(broken);
    const alsoGood = desk.add('b');
    await rejected;
    assert.deepEqual([(await good).job.id, (await alsoGood).job.id], ['a', 'b']);
    assert.equal((await desk.claim('f1'))?.id, 'a');
  });
}
