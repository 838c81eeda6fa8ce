/** When a laptop asks a coordinator for work, what it offers, and what it takes on. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EVENTS, scriptEngine } from '../runner/support/engines.ts';
import { waitForStage } from '../runner/support/factory.ts';
import { jobFile, script } from '../runner/support/job-file.ts';
import { git, scratchFolder } from '../runner/support/scratch.ts';
import { TOKEN, until } from './support/laptop.ts';
import { describeInFleets, outboxOf } from './support/member.ts';
import type { Received } from './support/stub-coordinator.ts';

describeInFleets('claiming', (it) => {
  it('registers with a heartbeat at loop start, with what it can do', async ({ stub, factory }) => {
    await factory.startRunner();
    await until(() => stub.requests.length > 0, 'a heartbeat');
    const [first] = stub.requests;
    assert.equal(`${first?.method} ${first?.path}`, 'POST /api/fleet/factories/heartbeat');
    assert.deepEqual(Object.keys(first?.body).sort(), ['capabilities', 'factoryId', 'health', 'load']);
    assert.equal(first?.body.factoryId, 'laptop-1');
    assert.ok(first?.body.capabilities.includes(`os:${process.platform}`));
    assert.ok(first?.body.capabilities.includes('engine:shell'));
    assert.equal(first?.headers.authorization, `Bearer ${TOKEN}`);
    assert.equal(first?.headers['x-product-id'], 'acme');
  });

  it('claims when the inbox has nothing to run, and carries the job to review and on to main', async (laptop) => {
    const { stub, home, repo, factory, claimed } = laptop;
    const local = await factory.add(jobFile({ cwd: scratchFolder(), review: 'skip' }), 'local');
    const id = await claimed('job-1', jobFile({ cwd: repo, verify: ['test -f result.txt'] }));
    assert.notEqual((await factory.job(local))?.stage, 'queued');
    const row = await waitForStage(factory, id, 'review');
    assert.deepEqual(row.claim, { jobId: 'job-1', epoch: 1 });
    await until(() => stub.reported('job-1').length === 2, 'reports');
    const review = stub.requests.find(({ body }) => body?.stage === 'review');
    assert.deepEqual(Object.keys(review?.body).sort(), ['checkpoint', 'leaseEpoch', 'stage']);
    assert.equal(review?.body.checkpoint.wipBranch, `refs/agent-queue/${id}/wip`);
    assert.equal((await factory.execute({ verb: 'approve', id })).ok, true);
    const before = git(repo, 'rev-parse', 'main');
    // What others see comes after the coordinator's word.
    stub.script = ({ body }) => {
      if (body?.stage === 'shipped') assert.equal(git(repo, 'rev-parse', 'main'), before);
      return undefined;
    };
    assert.equal((await factory.execute({ verb: 'ship', id })).ok, true);
    assert.notEqual(git(repo, 'rev-parse', 'main'), before);
    assert.deepEqual(stub.reported('job-1'), ['building 1', 'review 1', 'testing 1', 'shipped 1']);
    assert.equal(stub.jobs.get('job-1')?.stage, 'shipped');
    assert.deepEqual(outboxOf(home), []);
  });

  it('waits at a coordinator that offers it, and gets a job the moment that there is one', async (laptop) => {
    const { stub, repo, factory, claimed } = laptop;
    stub.longPollSec = 30;
    await factory.startRunner();
    const polls = () => stub.requests.filter(({ body }) => body?.waitSec !== undefined);
    await until(() => polls().length === 1, 'a claim that waits');
    await factory.idle();
    const offered = Date.now();
    const id = await claimed('job-1', jobFile({ cwd: repo }));
    assert.ok(Date.now() - offered < 2000, `claimed after ${Date.now() - offered} ms`);
    await waitForStage(factory, id, 'review');
    // What is told meanwhile does not wait for the poll: it is told beside it.
    await until(() => stub.reported('job-1').length === 2, 'reports');
    assert.deepEqual(stub.jobs.get('job-1')?.epoch, 1);
  });

  it('waits no longer when somebody’s own jobs take every place, and repeats that claim afterwards', async (laptop) => {
    const { stub, repo, factory } = laptop;
    stub.longPollSec = 30;
    await factory.startRunner();
    const polls = () => stub.requests.filter(({ body }) => body?.waitSec !== undefined);
    await until(() => polls().length === 1, 'a claim that waits');
    const gate = path.join(scratchFolder(), 'gate');
    const busy = script(`while [ ! -e ${gate} ]; do sleep 0.1; done`);
    for (const name of ['one', 'two']) {
      const own = await factory.add(jobFile({ cwd: scratchFolder(), body: busy }), name);
      await waitForStage(factory, own, 'building');
    }
    stub.offer('job-1', jobFile({ cwd: repo }));
    await sleep(500);
    assert.equal(stub.jobs.get('job-1')?.epoch, 0);
    writeFileSync(gate, '');
    await until(() => stub.jobs.get('job-1')?.epoch === 1, 'the claim');
    const [first, again] = stub.requests
      .filter(({ path: asked }) => asked.endsWith('/claim'))
      .map(({ headers }) => headers['idempotency-key'])
      .slice(-2);
    assert.equal(again, first);
  });

  it('does not keep `aq run --once` waiting, nor a runner that stops', async ({ stub, log, factory }) => {
    stub.longPollSec = 30;
    const began = Date.now();
    await factory.startRunner();
    await factory.idle();
    await until(() => stub.requests.some(({ body }) => body?.waitSec !== undefined), 'a poll');
    await factory.stopRunner();
    assert.ok(Date.now() - began < 3000, `${Date.now() - began} ms`);
    assert.doesNotMatch(log.join('\n'), /can't be reached/);
  });

  it('offers its clones, and tells what it is short of', async (laptop) => {
    const { stub, repo } = laptop;
    await laptop.factory.dispose();
    git(repo, 'remote', 'add', 'origin', 'git@github.com:Acme/App.git');
    await laptop.join({}, { repositories: [path.dirname(repo)] });
    await laptop.factory.startRunner();
    await until(() => stub.requests.length > 1, 'a heartbeat');
    const { body } = stub.requests.at(-1) as Received;
    assert.ok(body.capabilities.includes('repo:github.com/acme/app'), body.capabilities.join());
    const claims = () => stub.requests.filter(({ path: asked }) => asked.endsWith('/claim'));
    await until(() => claims().length > 0, 'a claim');
    assert.ok(claims()[0]?.body.capabilities.includes('repo:github.com/acme/app'));
  });

  it('asks what earlier holders did when it is not the first, and goes on when nobody tells', async (laptop) => {
    const { stub, home, repo, factory } = laptop;
    const runs = [{ factoryId: 'mac-studio', leaseEpoch: 1, stage: 'building' }];
    stub.script = ({ path: asked }) => {
      if (asked.endsWith('/job-1/runs')) return { body: { runs } };
      return asked.endsWith('/job-2/runs') ? { status: 404 } : undefined;
    };
    for (const jobId of ['job-1', 'job-2']) {
      stub.offer(jobId, jobFile({ cwd: repo }));
      stub.passOn(jobId);
    }
    await factory.startRunner();
    const earlier: unknown[] = [];
    for (const id of ['job-1-e2', 'job-2-e2']) {
      await waitForStage(factory, id, 'review');
      earlier.push(JSON.parse(readFileSync(path.join(home, `runs/${id}/state.json`), 'utf8')).earlier);
    }
    assert.deepEqual(earlier, [['mac-studio had it before under epoch 1, and came to building.'], undefined]);
  });

  it('repeats a claim whose answer was lost with the same request id, and gets the same job once', async (laptop) => {
    const { stub, home, repo, factory, claimed } = laptop;
    let lost = false;
    stub.script = async ({ path: where, headers }, response) => {
      if (!where.endsWith('/fleet/claim') || lost) return undefined;
      lost = true;
      stub.script = () => undefined;
      // The coordinator does as it was asked, but its answer never arrives.
      await fetch(`${stub.api}/fleet/claim`, {
        method: 'POST',
        headers: { 'idempotency-key': String(headers['idempotency-key']) },
        body: '{}',
      });
      response.destroy();
      return 'handled';
    };
    const id = await claimed('job-7', jobFile({ cwd: repo }));
    await waitForStage(factory, id, 'review');
    assert.equal(stub.jobs.get('job-7')?.epoch, 1);
    assert.deepEqual(readdirSync(path.join(home, 'review')), [`${id}.md`]);
  });

  it('gives back what the laptop’s policy forbids, and does not take it again', async (laptop) => {
    const { stub, repo, claimed } = laptop;
    await laptop.factory.dispose();
    await laptop.join({ AQ_FLEET_ALLOW_COMMANDS: '0' });
    const id = await claimed('job-9', jobFile({ cwd: repo, setup: 'touch ran' }));
    const row = await waitForStage(laptop.factory, id, 'failed');
    assert.equal(row.reason?.code, 'declined');
    await until(() => stub.asked().includes('POST jobs/job-9/lease/release'), 'released');
    assert.deepEqual(stub.reported('job-9'), []);
    await sleep(300);
    assert.equal(stub.jobs.get('job-9')?.epoch, 1);
    assert.match(
      laptop.fleet.facts().notClaiming ?? '',
      /^a job was given back a moment ago, for another factory to take; the next try is in [3-6]\d s$/,
    );
  });

  it('claims nothing while the day’s ceiling holds new work: a claim that waits is given up, and it says why', async (laptop) => {
    const { stub, repo } = laptop;
    await laptop.factory.dispose();
    stub.longPollSec = 30;
    const result = `echo '{"type":"result","ok":true,"text":"Done.","cost":1}'`;
    const events = { ...EVENTS, costUsd: [{ path: 'cost', when: { type: 'result' } }] };
    await laptop.join({}, { engines: { paid: scriptEngine(result, { events }) }, budget: { perDayUsd: 1 } });
    await laptop.factory.startRunner();
    const polls = () => stub.requests.filter(({ body }) => body?.waitSec !== undefined);
    await until(() => polls().length === 1, 'a claim that waits');
    await laptop.factory.add(jobFile({ engine: 'paid', cwd: scratchFolder(), body: 'Do it.' }), 'own');
    await waitForStage(laptop.factory, 'own', 'review');
    const why = () => laptop.fleet.facts().notClaiming ?? '';
    const held = 'no new work is begun until midnight: today’s runs have cost $1.00';
    await until(() => why().startsWith(held), 'held');
    assert.ok(laptop.fleet.status().some((line) => line.startsWith(`Claims       nothing: ${held}`)));
    stub.offer('job', jobFile({ cwd: repo }));
    await assert.rejects(laptop.fleet.operator.claimNow(), /^UserError: Nothing is claimed until midnight: /);
    await sleep(500);
    assert.deepEqual([laptop.fleet.facts().leases, polls().length], [[], 1]);
    await laptop.factory.runAnywayToday();
    await until(() => laptop.fleet.facts().leases.length === 1, 'claimed');
  });

  it('in shadow mode sends heartbeats, says what could be claimed, and claims nothing', async (laptop) => {
    const { stub, repo, log } = laptop;
    await laptop.factory.dispose();
    stub.requests.length = 0;
    await laptop.join({ AQ_FLEET: 'shadow' });
    stub.offer('job-14', jobFile({ cwd: repo }));
    await laptop.factory.startRunner();
    await until(() => log.some((line) => line.includes('could be claimed')), 'said');
    assert.deepEqual(stub.asked(), []);
  });
});
