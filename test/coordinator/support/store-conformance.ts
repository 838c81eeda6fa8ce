/** What every store must do, whichever database is under it (fleet-protocol.md, "What our coordinator adds"). */
import assert from 'node:assert/strict';
import type { Store } from '../../../src/coordinator/store.ts';
import { ask } from '../../../src/coordinator/store.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../../../src/platform/clock.ts';
import { CAN, codeOf, Desk, type Kind, LEASE, must, PRODUCT, PROMPT, TestClock } from './worlds.ts';

export function storeConformance({ name, world, isDurable }: Kind): void {
  describe(`the ${name} store`, () => {
    let clock: TestClock;
    let store: Store;
    let desk: Desk;
    let open: ReturnType<Kind['world']>;

    beforeEach(() => {
      clock = new TestClock();
      open = world();
      store = open(clock);
      desk = new Desk(store);
    });
    afterEach(() => store.close());

    it('gives a job out once, and tells of it', async () => {
      await desk.add('a');
      const job = await desk.claim('f1');
      assert.deepEqual([job?.id, job?.epoch, job?.stage, job?.factoryId], ['a', 1, 'assigned', 'f1']);
      assert.equal(job?.leaseExpiresAt, clock.at + LEASE);
      assert.equal(await desk.claim('f2'), undefined);
      assert.deepEqual(await desk.events('a'), ['enqueued queued 0', 'claimed assigned 1']);
    });

    it('carries a job to shipped under its epoch, and then for ever', async () => {
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
      await desk.add('a');
      await desk.claim('f1');
      for (const stage of ['queued', 'assigned', 'review', 'testing', 'shipped'] as const)
        assert.equal(codeOf(await desk.report('a', 1, stage)), 'illegal_transition', stage);
      assert.equal(codeOf(await desk.report('a', 1, 'building')), 'accepted');
      assert.equal(codeOf(await desk.report('a', 1, 'shipped')), 'illegal_transition');
      assert.equal((await desk.job('a')).stage, 'building');
      assert.equal((await desk.events('a')).length, 3);
    });

    it('takes a repeated report again without a second event, and keeps a checkpoint that is not repeated', async () => {
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

    it('forgets keys after a month, and not before', async () => {
      await desk.add('a');
      await desk.claim('f1', CAN, 'r1');
      clock.advance(29 * DAY);
      await ask(store, { do: 'prune' });
      assert.equal((await desk.claim('f1', CAN, 'r1'))?.epoch, 1);
      await desk.report('a', 1, 'blocked');
      await desk.person('requeue', 'a');
      clock.advance(2 * DAY);
      assert.equal((await ask(store, { do: 'prune' })).isDone, true);
      assert.equal((await desk.claim('f1', CAN, 'r1'))?.epoch, 2);
    });

    it('answers a repeated claim with the same job and epoch, or with nothing when it is no longer ours', async () => {
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
      assert.equal(await desk.claim('f1', CAN, 'r1'), undefined);
      await desk.add('a');
      assert.equal((await desk.claim('f1', CAN, 'r1'))?.id, 'a');
    });

    it('keeps holder and stage when a lease lapses, and revives it by a renewal if nobody took it', async () => {
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
      assert.equal((await desk.job('a')).attempts, 0);
    });

    it('takes a report under a lapsed lease that nobody took', async () => {
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

    it('buries a job whose third claim lapsed too, when somebody would take it', async () => {
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
      await desk.add('a');
      await desk.claim('f1');
      await desk.report('a', 1, 'failed');
      assert.deepEqual([(await desk.job('a')).stage, (await desk.job('a')).attempts], ['failed', 1]);
      clock.advance(DAY);
      assert.equal(await desk.claim('f1'), undefined);
    });

    it('makes a job with retries left dead_letter when lapses have used up its attempts', async () => {
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
      await desk.add('a');
      await desk.claim('f1');
      await desk.release('a', 1);
      await desk.person('requeue', 'a');
      assert.equal((await desk.claim('f1'))?.epoch, 2);
    });

    it('makes the epoch stale by cancel and by requeue, and forgives one exact repeat', async () => {
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

    it('takes nothing under an epoch that was never given, or is still to come', async () => {
      await desk.add('a');
      for (const epoch of [0, 1]) assert.equal(codeOf(await desk.renew('a', epoch)), 'stale_epoch');
      await desk.claim('f1');
      assert.equal(codeOf(await desk.report('a', 2, 'building')), 'stale_epoch');
      assert.equal(codeOf(await desk.renew('zzz', 1)), 'job_not_found');
    });

    it('takes calls under a lease from its own factory and from admins only', async () => {
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

    it('gives out by priority, then by age, and no job starves', async () => {
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
      await desk.add('a', { bodyMd: '---\npriority: 3\n---\nDo it.\n' });
      await desk.add('b', { bodyMd: '---\npriority: 3\n---\nDo it.\n', priority: 4 });
      assert.deepEqual([(await desk.job('a')).priority, (await desk.job('b')).priority], [3, 4]);
      assert.equal((await desk.claim('f1'))?.id, 'b');
    });

    it('matches what is required and what the front matter implies, and says what is missing', async () => {
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
    });

    it('takes the same job twice as one, and another under its id not at all', async () => {
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

    it('turns a job away whose front matter cannot be read', async () => {
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

    it('announces what may be claimed now to whoever waits', async () => {
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

    it('gives each job to exactly one of 64 claimers per epoch, and epochs only rise', async () => {
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

    if (!isDurable) return;

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
  });
}
