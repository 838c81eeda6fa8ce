/** The fleet's own client against our coordinator: what one says, the other understands. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask } from '../../src/coordinator/store.ts';
import { makeToken } from '../../src/coordinator/tokens.ts';
import { FleetClient } from '../../src/fleet/client.ts';
import type { GivenJob } from '../../src/fleet/protocol.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { silentLog } from '../../src/platform/log.ts';
import { removeScratch } from '../runner/support/scratch.ts';
import { House } from './support/http.ts';
import { KINDS, LEASE, PRODUCT, TestClock } from './support/worlds.ts';

const FACTS = { capabilities: ['os:linux'], health: 'ok', load: 0 } as const;
const WIP = { wipBranch: 'refs/agent-queue/a-e1/wip', wipCommit: 'c'.repeat(40) };

after(removeScratch);

for (const { name, world } of KINDS)
  describe(`the fleet's client and the coordinator on the ${name} store`, () => {
    let clock: TestClock;
    let house: House;
    let clients: FleetClient[];

    beforeEach(async () => {
      clock = new TestClock();
      house = await new House(world()(clock)).open();
      clients = [];
    });
    afterEach(async () => {
      await Promise.all(clients.map((client) => client.close()));
      await house.close();
    });

    function clientWith(factoryId: string, token: string, productId = PRODUCT): FleetClient {
      const { api } = house.server;
      const client = new FleetClient({
        api,
        token,
        productId,
        factoryId,
        clock: systemClock,
        log: silentLog,
      });
      clients.push(client);
      return client;
    }

    const join = async (factoryId: string) => clientWith(factoryId, await house.enrol(factoryId));

    async function claimed(client: FleetClient, requestId: string): Promise<GivenJob> {
      const outcome = await client.claim({ capabilities: ['os:linux'], requestId });
      assert.ok(outcome.kind === 'accepted' && outcome.value !== 'empty', JSON.stringify(outcome));
      return outcome.value;
    }

    it('agree on a job from its claim to its end', async () => {
      const f1 = await join('f1');
      const beat = await f1.heartbeat(FACTS);
      assert.deepEqual(beat.kind === 'accepted' && beat.value, {
        nextHeartbeatSec: 30,
        claimable: 0,
        leaseTtlSec: 900,
        longPollSec: 25,
      });
      const empty = await f1.claim({ capabilities: ['os:linux'], requestId: 'r0' });
      assert.equal(empty.kind === 'accepted' && empty.value, 'empty');
      await house.add('a', '# Do a\n');
      const job = await claimed(f1, 'r1');
      assert.deepEqual(job, { jobId: 'a', bodyMd: '# Do a\n', epoch: 1, leaseMs: LEASE });
      assert.deepEqual(await claimed(f1, 'r1'), job);
      const call = { jobId: 'a', epoch: 1 };
      const building = await f1.report({ ...call, key: 'a-1-1', stage: 'building', checkpoint: WIP });
      assert.deepEqual(building.kind === 'accepted' && building.value, { leaseMs: LEASE });
      const renewed = await f1.renew({ ...call, key: 'a-1-renew-1' });
      assert.deepEqual(renewed.kind === 'accepted' && renewed.value, { leaseMs: LEASE });
      for (const [n, stage] of (['review', 'testing', 'shipped'] as const).entries())
        assert.equal((await f1.report({ ...call, key: `a-1-${n + 2}`, stage })).kind, 'accepted');
      assert.equal((await f1.report({ ...call, key: 'a-1-shipped', stage: 'shipped' })).kind, 'accepted');
      const seen = await f1.job('a');
      assert.deepEqual(seen.kind === 'accepted' && seen.value, {
        jobId: 'a',
        stage: 'shipped',
        epoch: 1,
        checkpoint: WIP,
      });
      const runs = await f1.runs('a');
      const told = runs.kind === 'accepted' ? runs.value.map(({ agoMs, ...run }) => [typeof agoMs, run]) : [];
      assert.deepEqual(told, [['number', { factoryId: 'f1', epoch: 1, stage: 'testing' }]]);
    });

    it('agree that a job taken over is fenced, and starts from its checkpoint', async () => {
      const [f1, f2] = [await join('f1'), await join('f2')];
      await f1.heartbeat(FACTS);
      await house.add('a');
      await claimed(f1, 'r1');
      await f1.report({ jobId: 'a', epoch: 1, key: 'k1', stage: 'building', checkpoint: WIP });
      clock.advance(LEASE);
      assert.deepEqual((await claimed(f2, 'r2')).checkpoint, WIP);
      for (const outcome of [
        await f1.renew({ jobId: 'a', epoch: 1, key: 'k2' }),
        await f1.report({ jobId: 'a', epoch: 1, key: 'k3', stage: 'review' }),
        await f1.report({ jobId: 'a', epoch: 1, key: 'k1', stage: 'building', checkpoint: WIP }),
        await f1.release({ jobId: 'a', epoch: 1, key: 'k4' }),
      ])
        assert.deepEqual(outcome, { kind: 'fenced', currentEpoch: 2 });
      const again = await f1.claim({ capabilities: ['os:linux'], requestId: 'r1' });
      assert.equal(again.kind === 'accepted' && again.value, 'empty');
      assert.equal((await f1.renew({ jobId: 'gone', epoch: 1, key: 'k5' })).kind, 'fenced');
    });

    it('agree on what is refused and what is not allowed', async () => {
      const f1 = await join('f1');
      await f1.heartbeat(FACTS);
      await house.add('a');
      await claimed(f1, 'r1');
      assert.deepEqual(await f1.report({ jobId: 'a', epoch: 1, key: 'k1', stage: 'shipped' }), {
        kind: 'refused',
        status: 422,
        code: 'illegal_transition',
      });
      await f1.report({ jobId: 'a', epoch: 1, key: 'k2', stage: 'building' });
      const reused = await f1.report({ jobId: 'a', epoch: 1, key: 'k2', stage: 'review' });
      assert.deepEqual(reused, { kind: 'refused', status: 422, code: 'idempotency_mismatch' });
      const missing = await f1.job('nobody');
      assert.equal(missing.kind === 'refused' && missing.code, 'job_not_found');
      const stranger = clientWith('f1', makeToken('factory').token);
      assert.deepEqual(await stranger.heartbeat(FACTS), { kind: 'unauthorized', status: 401 });
      const foreign = clientWith('f1', await house.enrol('f1', 'other'));
      assert.deepEqual(await foreign.heartbeat(FACTS), { kind: 'unauthorized', status: 403 });
    });

    it('wait together for a job', async () => {
      const f1 = await join('f1');
      const waiting = f1.claim({ capabilities: ['os:linux'], requestId: 'r1', waitSec: 10 });
      await sleep(50);
      await house.add('a');
      const outcome = await waiting;
      assert.equal(outcome.kind === 'accepted' && outcome.value !== 'empty' && outcome.value.jobId, 'a');
      const gone = new AbortController();
      const given = f1.claim({
        capabilities: ['os:linux'],
        requestId: 'r2',
        waitSec: 10,
        signal: gone.signal,
      });
      await sleep(50);
      gone.abort();
      assert.equal((await given).kind, 'unreachable');
      await sleep(50);
      await ask(house.store, { do: 'requeue', productId: PRODUCT, jobId: 'a' });
      assert.equal((await claimed(f1, 'r3')).epoch, 2);
      // Who hangs up while he is given a job has it all the same, and gets it by a repeat.
      const late = new AbortController();
      const lost = f1.claim({
        capabilities: ['os:linux'],
        requestId: 'r4',
        waitSec: 10,
        signal: late.signal,
      });
      await sleep(50);
      late.abort();
      await ask(house.store, { do: 'requeue', productId: PRODUCT, jobId: 'a' });
      assert.equal((await lost).kind, 'unreachable');
      assert.equal((await claimed(f1, 'r4')).epoch, 3);
    });
  });
