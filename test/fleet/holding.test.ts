/** How a lease is kept: renewed, doubted after a sleep, given back, and given up at once when it is fenced. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { processesOf, waitForJob, waitForStage } from '../runner/support/factory.ts';
import { jobFile, script } from '../runner/support/job-file.ts';
import { until } from './support/laptop.ts';
import { describeInFleets, outboxOf } from './support/member.ts';

describeInFleets('holding a lease', (it) => {
  it('aborts at once when a report is answered with 409: tree killed, nothing shipped, said and shown', async (laptop) => {
    const { stub, home, repo, log, clock, factory, claimed } = laptop;
    const id = await claimed(
      'job-2',
      jobFile({ cwd: repo, body: script('echo half > half.txt', '(sleep 60 &)', 'sleep 60') }),
    );
    await waitForJob(factory, id, ({ stage }) => stage === 'building');
    await until(async () => (await processesOf(home)).length > 0, 'the engine');
    stub.take('job-2');
    clock.jump(60_000); // it slept a minute: every lease is renewed before anything else
    await waitForStage(factory, id, 'quarantine');
    assert.deepEqual(await processesOf(home), []);
    assert.ok(
      log.some((line) => line.startsWith(`fenced-abort ${id}`)),
      log.join('\n'),
    );
    assert.match((await factory.job(id))?.reason?.text ?? '', /epoch 2.*epoch 1/);
    assert.equal((await factory.changes(id)).files.length, 1);
    const asked = stub.requests.length;
    await sleep(300);
    assert.deepEqual(
      stub.requests.slice(asked).filter(({ path: where }) => where.includes('job-2')),
      [],
    );
  });

  it('renews during a long run, under the current epoch', async ({ stub, repo, factory, claimed }) => {
    stub.leaseTtlSec = 1.5;
    const id = await claimed('job-3', jobFile({ cwd: repo, body: script('sleep 2.5; echo x > x') }));
    await waitForStage(factory, id, 'review');
    const renewals = stub.requests.filter(({ path: where }) => where.endsWith('/lease/renew'));
    assert.ok(renewals.length >= 3, String(renewals.length));
    assert.ok(renewals.every(({ body }) => JSON.stringify(body) === '{"leaseEpoch":1}'));
    assert.equal(new Set(renewals.map(({ headers }) => headers['idempotency-key'])).size, renewals.length);
  });

  it('gives back the lease of a job that is no longer here, instead of renewing it for ever', async (laptop) => {
    const { stub, home, repo, claimed } = laptop;
    const id = await claimed('job-19', jobFile({ cwd: repo }));
    await waitForStage(laptop.factory, id, 'review');
    await until(() => stub.reported('job-19').length === 2, 'review');
    await laptop.factory.dispose();
    rmSync(path.join(home, 'review', `${id}.md`));
    await laptop.join();
    await laptop.factory.startRunner();
    await until(() => stub.asked().includes('POST jobs/job-19/lease/release'), 'released');
    await until(() => outboxOf(home).length === 0, 'forgotten');
  });

  it('believes the disk, not its memory, when another process was the runner meanwhile', async (laptop) => {
    const { stub, repo, claimed } = laptop;
    const id = await claimed('job-20', jobFile({ cwd: repo }));
    await waitForStage(laptop.factory, id, 'review');
    await until(() => stub.reported('job-20').length === 2, 'review');
    const [first, firstFleet] = [laptop.factory, laptop.fleet];
    await first.stopRunner();
    assert.deepEqual(firstFleet.facts().leases, []);
    await assert.rejects(firstFleet.operator.drain(true), { code: 'no-runner' });
    await laptop.join();
    await laptop.factory.startRunner();
    assert.equal((await laptop.factory.execute({ verb: 'approve', id })).ok, true);
    await until(() => stub.reported('job-20').length === 3, 'testing');
    await laptop.factory.stopRunner();
    await first.startRunner();
    const shipped = await first.execute({ verb: 'ship', id });
    assert.equal(shipped.ok, true, shipped.message);
    assert.deepEqual(stub.reported('job-20'), ['building 1', 'review 1', 'testing 1', 'shipped 1']);
    assert.equal((await first.job(id))?.stage, 'shipped');
  });

  it('does not take a call that was given up at its end for a coordinator that is away', async (laptop) => {
    const { stub, repo, fleet, factory, claimed } = laptop;
    const id = await claimed('job-48', jobFile({ cwd: repo }));
    await waitForStage(factory, id, 'review');
    await until(() => stub.reported('job-48').length === 2, 'review');
    assert.equal((await factory.execute({ verb: 'approve', id })).ok, true);
    await until(() => stub.reported('job-48').length === 3, 'testing');
    let isHeld = true;
    const goOn = Promise.withResolvers<void>();
    stub.script = async ({ path: where }) => {
      if (isHeld && where.endsWith('/heartbeat')) await goOn.promise;
      return undefined;
    };
    const before = stub.requests.length;
    const asked = fleet.heartbeat();
    await until(() => stub.requests.length > before, 'a call under way');
    await factory.stopRunner();
    await asked;
    isHeld = false;
    goOn.resolve();
    await factory.startRunner();
    const shipped = await factory.execute({ verb: 'ship', id });
    assert.equal(shipped.ok, true, shipped.message);
  });

  it('notices a sleep in the midst of a call as well, and renews before it says anything', async (laptop) => {
    const { stub, repo, log, clock, fleet, factory, claimed } = laptop;
    const id = await claimed('job-24', jobFile({ cwd: repo }));
    await waitForStage(factory, id, 'review');
    await until(() => stub.reported('job-24').length === 2, 'review');
    const held = Promise.withResolvers<void>();
    let isHeld = false;
    stub.script = async ({ path: at }) => {
      if (at.endsWith('/claim') && !isHeld) {
        isHeld = true;
        await held.promise;
      }
      return undefined;
    };
    await until(() => {
      if (!isHeld) void fleet.operator.claimNow().catch(() => undefined);
      return isHeld;
    }, 'a call under way');
    // Both clocks go on, so that only what is late tells.
    clock.jump(64_000, 64_000);
    await until(() => log.some((line) => line.includes('This machine slept')), 'noticed');
    const before = stub.requests.length;
    held.resolve();
    assert.equal((await factory.execute({ verb: 'approve', id })).ok, true);
    await until(() => stub.reported('job-24').length === 3, 'testing');
    const since = stub.requests
      .slice(before)
      .map(({ method, path: at }) => `${method} ${at.split('/fleet/')[1]}`);
    const [renewal, report] = ['POST jobs/job-24/lease/renew', 'PATCH jobs/job-24'].map((each) =>
      since.indexOf(each),
    );
    assert.ok(
      renewal !== undefined && report !== undefined && renewal >= 0 && renewal < report,
      since.join(),
    );
  });

  it('does not take the answer to a renewal from before a sleep for a certain lease', async (laptop) => {
    const { stub, repo, log, clock, factory, claimed } = laptop;
    const id = await claimed('job-25', jobFile({ cwd: repo }));
    await waitForStage(factory, id, 'review');
    await until(() => stub.reported('job-25').length === 2, 'review');
    const renewals = () => stub.asked().filter((each) => each === 'POST jobs/job-25/lease/renew').length;
    const slept = () => log.filter((line) => line.includes('This machine slept')).length;
    const answered = Promise.withResolvers<void>();
    stub.script = async ({ path: at }) => {
      if (at.endsWith('/lease/renew') && renewals() === 1) await answered.promise;
      return undefined;
    };
    clock.jump(64_000);
    await until(() => renewals() === 1, 'a renewal under way');
    clock.jump(64_000, 64_000);
    await until(() => slept() === 2, 'noticed');
    answered.resolve();
    await until(() => renewals() === 2, 'another renewal');
  });

  it('does not take the answer to a claim from before a sleep for a certain lease', async (laptop) => {
    const { stub, repo, log, clock, fleet, factory, claimed } = laptop;
    const first = await claimed('job-26', jobFile({ cwd: repo }));
    await waitForStage(factory, first, 'review');
    await until(() => stub.reported('job-26').length === 2, 'review');
    const answered = Promise.withResolvers<void>();
    let asked = 0;
    stub.script = async ({ path: at }) => {
      if (at.endsWith('/claim') && (asked += 1) === 1) await answered.promise;
      return undefined;
    };
    await until(() => {
      if (asked === 0) void fleet.operator.claimNow().catch(() => undefined);
      return asked > 0;
    }, 'a claim under way');
    stub.offer('job-27', jobFile({ cwd: repo }));
    clock.jump(64_000, 64_000);
    await until(() => log.some((line) => line.includes('This machine slept')), 'noticed');
    answered.resolve();
    await until(() => stub.reported('job-27').length > 0, 'building');
    const of27 = stub.asked().filter((each) => each.includes('jobs/job-27'));
    assert.deepEqual(of27.slice(0, 2), ['POST jobs/job-27/lease/renew', 'PATCH jobs/job-27']);
  });

  for (const { name, wall, monotonic } of [
    { name: '3 s', wall: 3000, monotonic: 0 },
    { name: 'two hours', wall: 7_200_000, monotonic: 0 },
    { name: 'three days, by both clocks', wall: 259_200_000, monotonic: 259_200_000 },
  ]) {
    it(`after a sleep of ${name} renews before anything leaves, within 5 s, and loses nothing`, async (laptop) => {
      const { stub, repo, clock, factory, claimed } = laptop;
      const id = await claimed('job-13', jobFile({ cwd: repo }));
      await waitForStage(factory, id, 'review');
      await until(() => stub.reported('job-13').length === 2, 'review');
      const asked = stub.requests.length;
      const woke = performance.now();
      clock.jump(wall, monotonic);
      assert.equal((await factory.execute({ verb: 'approve', id })).ok, true);
      assert.equal((await factory.execute({ verb: 'ship', id })).ok, true);
      assert.ok(performance.now() - woke < 5000);
      const after = stub.requests.slice(asked).filter(({ path: where }) => where.includes('job-13'));
      assert.match(after[0]?.path ?? '', /lease\/renew$/);
    });
  }
});
