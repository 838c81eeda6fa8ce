/** What a person can ask of a laptop in a fleet: drain, claim now, give a lease back. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FleetCommand } from '../../src/runner/board.ts';
import { processesOf, waitForJob, waitForStage } from '../runner/support/factory.ts';
import { jobFile, script } from '../runner/support/job-file.ts';
import { until } from './support/laptop.ts';
import { describeInFleets, outboxOf } from './support/member.ts';

describeInFleets('a person at a laptop', (it) => {
  it('has nothing left to send of a lease that is fenced while a person gives it back', async (laptop) => {
    const { stub, home, repo, clock, fleet, claimed, told } = laptop;
    const stubborn = script("trap '' INT TERM", 'while true; do sleep 0.1; done');
    const id = await claimed('job-23', jobFile({ cwd: repo, body: stubborn }));
    await told('job-23');
    stub.take('job-23');
    const given = fleet.operator.release(id);
    clock.jump(3 * 60_000);
    await fleet.heartbeat();
    await until(() => fleet.facts().fenced.length === 1, 'fenced');
    await given;
    assert.deepEqual(outboxOf(home), []);
    assert.ok(!stub.asked().includes('POST jobs/job-23/lease/release'));
  });

  it('does in its process what is asked in another of the same home', async (laptop) => {
    const { stub, repo, claimed } = laptop;
    const id = await claimed('job-21', jobFile({ cwd: repo }));
    await waitForStage(laptop.factory, id, 'review');
    const mine = laptop.fleet;
    await laptop.join();
    const ask = (command: FleetCommand) => laptop.factory.execute(command);
    assert.deepEqual(await ask({ fleet: 'drain' }), {
      ok: true,
      message: 'Draining: nothing more is claimed; jobs in work go on to their end.',
    });
    assert.equal(mine.facts().draining, true);
    assert.equal((await ask({ fleet: 'claim' })).code, 'draining');
    assert.equal((await ask({ fleet: 'resume' })).ok, true);
    assert.equal(mine.facts().draining, false);
    assert.equal((await ask({ fleet: 'claim' })).code, 'empty');
    assert.equal((await ask({ fleet: 'release', id: 'nothing' })).code, 'no-lease');
    assert.equal((await ask({ fleet: 'release', id })).ok, true);
    await until(() => stub.asked().includes('POST jobs/job-21/lease/release'), 'released');
    assert.equal((await laptop.factory.job(id))?.stage, 'failed');
  });

  it('claims nothing at a person’s word where no runner is on, and drains there all the same', async (laptop) => {
    const { stub, repo, factory } = laptop;
    assert.equal((await factory.execute({ fleet: 'claim' })).code, 'no-runner');
    assert.equal((await factory.execute({ fleet: 'drain' })).ok, true);
    assert.equal(stub.requests.findLast(({ body }) => body?.health)?.body.health, 'draining');
    stub.offer('job-22', jobFile({ cwd: repo }));
    await factory.startRunner();
    await until(() => stub.requests.filter(({ body }) => body?.health).length > 1, 'a heartbeat');
    assert.equal(stub.jobs.get('job-22')?.epoch, 0);
  });

  it('drains: claims nothing more, also after a restart, and tells so; jobs in work go on', async (laptop) => {
    const { stub, repo, claimed } = laptop;
    const id = await claimed('job-16', jobFile({ cwd: repo }));
    await laptop.fleet.operator.drain(true);
    await waitForStage(laptop.factory, id, 'review');
    stub.offer('job-17', jobFile({ cwd: repo }));
    await assert.rejects(laptop.fleet.operator.claimNow(), { code: 'draining' });
    await laptop.factory.dispose();
    stub.requests.length = 0;
    await laptop.join();
    await laptop.factory.startRunner();
    await until(() => stub.requests.some(({ body }) => body?.health === 'draining'), 'told');
    await sleep(300);
    assert.equal(stub.jobs.get('job-17')?.epoch, 0);
    await laptop.fleet.operator.drain(false);
    assert.equal(await laptop.fleet.operator.claimNow(), true);
    await waitForStage(laptop.factory, 'job-17-e1', 'review');
  });

  it('gives a lease back at a person’s word: ended here, released there, and not taken again', async (laptop) => {
    const { stub, home, repo, fleet, factory, claimed } = laptop;
    const id = await claimed('job-18', jobFile({ cwd: repo, body: script('sleep 60') }));
    await waitForJob(factory, id, ({ stage }) => stage === 'building');
    await fleet.operator.release(id);
    assert.deepEqual(await processesOf(home), []);
    assert.equal((await factory.job(id))?.stage, 'failed');
    await until(() => stub.asked().includes('POST jobs/job-18/lease/release'), 'released');
    assert.equal(await fleet.operator.claimNow(), false);
    await assert.rejects(fleet.operator.release(id), { code: 'no-lease' });
    assert.deepEqual(stub.reported('job-18').includes('failed 1'), false);
  });
});
