/** The seed's list (seed-phase2-slice3.md, TESTS), with a real runner, real engines and a coordinator on loopback. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fleet } from '../../src/fleet/fleet.ts';
import { openFleet } from '../../src/fleet/open.ts';
import type { FleetCommand } from '../../src/runner/board.ts';
import type { Factory } from '../../src/runner/factory.ts';
import type { ExplicitSettings } from '../../src/runner/settings.ts';
import { EVENTS, scriptEngine } from '../runner/support/engines.ts';
import { closeFactories, processesOf, waitForJob, waitForStage } from '../runner/support/factory.ts';
import { jobFile, script } from '../runner/support/job-file.ts';
import { git, scratchFolder, scratchHome, scratchRepo } from '../runner/support/scratch.ts';
import { joinFleet, LaptopClock, TOKEN, until } from './support/laptop.ts';
import { OurCoordinator } from './support/our-coordinator.ts';
import { type Received, StubCoordinator } from './support/stub-coordinator.ts';

/** The stub with scripted answers alone, and our own coordinator with the same scripts in front of it. */
const COORDINATORS = [
  { of: 'a stub', begin: () => StubCoordinator.start() },
  { of: 'our coordinator', begin: () => OurCoordinator.begin({ token: TOKEN, product: 'acme' }) },
] as const;

for (const { of, begin } of COORDINATORS)
  describe(`a fleet of ${of}`, function () {
    this.timeout(30_000);
    let stub: StubCoordinator;
    let home: string;
    let repo: string;
    let log: string[];
    let clock: LaptopClock;
    let fleet: Fleet;
    let factory: Factory;

    async function join(env: NodeJS.ProcessEnv = {}, settings: ExplicitSettings = {}): Promise<Factory> {
      ({ fleet, factory } = await joinFleet({ home, api: stub.api, log, clock, env, settings }));
      return factory;
    }

    /** Gives the job to the coordinator, and waits until this laptop has claimed it. */
    async function claimed(id: string, text: string): Promise<string> {
      stub.offer(id, text);
      await factory.startRunner();
      await until(() => (stub.jobs.get(id)?.epoch ?? 0) > 0, 'claimed');
      return `${id}-e${stub.jobs.get(id)?.epoch}`;
    }

    /** Has the coordinator accept what was sent, as one whose answer is then lost. */
    async function accept({ path: where, headers, body }: Received): Promise<void> {
      const answer = await fetch(`${stub.api.replace('/api', '')}${where}`, {
        method: 'PATCH',
        headers: {
          authorization: String(headers.authorization),
          'content-type': 'application/json',
          'x-product-id': 'acme',
          'idempotency-key': `${String(headers['idempotency-key'])}-of-the-first`,
        },
        body: JSON.stringify(body),
      });
      assert.equal(answer.status, 200);
    }

    /** The first report has been heard, and its answer too: received is not yet answered. */
    async function told(id: string): Promise<void> {
      await until(() => stub.reported(id).length === 1, 'building');
      await until(() => fleet.facts().leases.every(({ waiting }) => waiting === 0), 'the answer');
    }

    beforeEach(async () => {
      stub = await begin();
      home = scratchHome();
      repo = scratchRepo();
      log = [];
      clock = new LaptopClock();
      await join();
    });
    afterEach(async () => {
      await closeFactories();
      await stub.end();
    });

    it('registers with a heartbeat at loop start, with what it can do', async () => {
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

    it('claims when the inbox has nothing to run, and carries the job to review and on to main', async () => {
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

    it('waits at a coordinator that offers it, and gets a job the moment that there is one', async () => {
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

    it('waits no longer when somebody’s own jobs take every place, and repeats that claim afterwards', async () => {
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

    it('does not keep `aq run --once` waiting, nor a runner that stops', async () => {
      stub.longPollSec = 30;
      const began = Date.now();
      await factory.startRunner();
      await factory.idle();
      await until(() => stub.requests.some(({ body }) => body?.waitSec !== undefined), 'a poll');
      await factory.stopRunner();
      assert.ok(Date.now() - began < 3000, `${Date.now() - began} ms`);
      assert.doesNotMatch(log.join('\n'), /can't be reached/);
    });

    it('brings the work to its ref on the remote before the report that names it', async () => {
      const remote = path.join(scratchFolder(), 'remote.git');
      git(repo, 'clone', '-q', '--bare', '.', remote);
      git(repo, 'remote', 'add', 'origin', remote);
      const there = new Map<string, boolean>();
      stub.script = ({ body }) => {
        const { wipBranch, wipCommit } = body?.checkpoint ?? {};
        if (wipBranch !== undefined)
          there.set(
            body.stage,
            git(remote, 'for-each-ref', '--format=%(objectname)', wipBranch) === wipCommit,
          );
        return undefined;
      };
      const id = await claimed('job-1', jobFile({ cwd: repo }));
      await waitForStage(factory, id, 'review');
      await until(() => stub.jobs.get('job-1')?.stage === 'review', 'the report');
      assert.deepEqual([...there], [['review', true]]);
    });

    it('is not held up in other things while a remote takes its time, nor busy with waiting for it', async () => {
      const remote = path.join(scratchFolder(), 'remote.git');
      git(repo, 'clone', '-q', '--bare', '.', remote);
      git(repo, 'remote', 'add', 'origin', remote);
      const slow = path.join(scratchFolder(), 'receive-pack');
      writeFileSync(slow, '#!/bin/sh\nsleep 1\nexec git-receive-pack "$@"\n', { mode: 0o755 });
      git(repo, 'config', 'remote.origin.receivepack', slow);
      const id = await claimed('job-1', jobFile({ cwd: repo, review: 'skip' }));
      await waitForStage(factory, id, 'testing');
      const before = process.cpuUsage();
      await waitForStage(factory, id, 'shipped');
      const { user, system } = process.cpuUsage(before);
      assert.ok(user + system < 700_000, `${(user + system) / 1000} ms of processor time`);
      assert.deepEqual(stub.reported('job-1'), ['building 1', 'testing 1', 'shipped 1']);
    });

    it('reports all the same where the remote takes no checkpoint, and says so', async () => {
      git(repo, 'remote', 'add', 'origin', path.join(scratchFolder(), 'no-such-repository'));
      const id = await claimed('job-1', jobFile({ cwd: repo }));
      await waitForStage(factory, id, 'review');
      await until(() => stub.jobs.get('job-1')?.stage === 'review', 'the report');
      assert.match(log.join('\n'), /its checkpoint could not be pushed/);
    });

    it('brings no checkpoint to the remote where that is forbidden', async () => {
      await factory.dispose();
      await join({ AQ_FLEET_PUSH_CHECKPOINTS: '0' });
      const remote = path.join(scratchFolder(), 'remote.git');
      git(repo, 'clone', '-q', '--bare', '.', remote);
      git(repo, 'remote', 'add', 'origin', remote);
      const id = await claimed('job-1', jobFile({ cwd: repo }));
      await waitForStage(factory, id, 'review');
      await until(() => stub.jobs.get('job-1')?.stage === 'review', 'the report');
      assert.equal(git(remote, 'for-each-ref', '--format=%(refname)', 'refs/agent-queue'), '');
    });

    it('offers its clones, and tells what it is short of', async () => {
      await factory.dispose();
      git(repo, 'remote', 'add', 'origin', 'git@github.com:Acme/App.git');
      await join({}, { repositories: [path.dirname(repo)] });
      await factory.startRunner();
      await until(() => stub.requests.length > 1, 'a heartbeat');
      const { body } = stub.requests.at(-1) as Received;
      assert.ok(body.capabilities.includes('repo:github.com/acme/app'), body.capabilities.join());
      const claiming = stub.requests.find(({ path: asked }) => asked.endsWith('/claim'));
      await until(() => stub.requests.some(({ path: asked }) => asked.endsWith('/claim')), 'a claim');
      assert.ok(claiming === undefined || claiming.body.capabilities.includes('repo:github.com/acme/app'));
    });

    it('asks what earlier holders did when it is not the first, and goes on when nobody tells', async () => {
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
      assert.deepEqual(earlier, [
        ['mac-studio had it before under epoch 1, and came to building.'],
        undefined,
      ]);
    });

    it('aborts at once when a report is answered with 409: tree killed, nothing shipped, said and shown', async () => {
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

    it('renews during a long run, under the current epoch', async () => {
      stub.leaseTtlSec = 1.5;
      const id = await claimed('job-3', jobFile({ cwd: repo, body: script('sleep 2.5; echo x > x') }));
      await waitForStage(factory, id, 'review');
      const renewals = stub.requests.filter(({ path: where }) => where.endsWith('/lease/renew'));
      assert.ok(renewals.length >= 3, String(renewals.length));
      assert.ok(renewals.every(({ body }) => JSON.stringify(body) === '{"leaseEpoch":1}'));
      assert.equal(new Set(renewals.map(({ headers }) => headers['idempotency-key'])).size, renewals.length);
    });

    it('finishes without the coordinator, holds, and tells it in order when it is back', async () => {
      const gate = path.join(scratchFolder(), 'go');
      const id = await claimed(
        'job-4',
        jobFile({ cwd: repo, body: script(`until [ -e '${gate}' ]; do sleep 0.05; done; echo x > x`) }),
      );
      await told('job-4');
      await stub.down();
      writeFileSync(gate, '');
      await waitForStage(factory, id, 'review');
      assert.equal((await factory.execute({ verb: 'approve', id })).ok, true);
      const before = git(repo, 'rev-parse', 'main');
      clock.jump(700_000); // past two thirds of the lease: nothing leaves this machine
      const shipped = await factory.execute({ verb: 'ship', id });
      assert.equal(shipped.code, 'held');
      assert.equal(git(repo, 'rev-parse', 'main'), before);
      await stub.up();
      await waitForStage(factory, id, 'shipped');
      assert.deepEqual(stub.reported('job-4'), ['building 1', 'review 1', 'testing 1', 'shipped 1']);
      const sequence = stub.asked();
      assert.ok(
        sequence.indexOf('POST jobs/job-4/lease/renew') < sequence.lastIndexOf('PATCH jobs/job-4') - 1,
      );
      assert.notEqual(git(repo, 'rev-parse', 'main'), before);
    });

    it('quarantines a result that came too late, and ships nothing of it', async () => {
      const gate = path.join(scratchFolder(), 'go');
      const id = await claimed(
        'job-5',
        jobFile({
          cwd: repo,
          review: 'skip',
          body: script(`until [ -e '${gate}' ]; do sleep 0.05; done; echo x > x`),
        }),
      );
      await told('job-5');
      const before = git(repo, 'rev-parse', 'main');
      await stub.down();
      writeFileSync(gate, '');
      await waitForJob(factory, id, ({ stage, reason }) => stage === 'testing' && reason?.code === 'held');
      stub.take('job-5');
      await stub.up();
      const row = await waitForStage(factory, id, 'quarantine');
      assert.equal(row.reason?.code, 'fenced');
      assert.equal(git(repo, 'rev-parse', 'main'), before);
      assert.deepEqual(
        stub.reported('job-5').filter((each) => each.startsWith('shipped')),
        [],
      );
      assert.equal((await factory.changes(id)).files.length, 1);
      assert.deepEqual(outboxOf(home), []);
    });

    it('survives a restart with unsent reports, and takes a lease from disk for uncertain', async () => {
      const id = await claimed('job-6', jobFile({ cwd: repo }));
      await told('job-6');
      await stub.down();
      await waitForStage(factory, id, 'review');
      await factory.dispose();
      assert.equal(outboxOf(home).length, 1);
      await stub.up();
      stub.requests.length = 0;
      await join();
      await factory.startRunner();
      await until(() => stub.reported('job-6').length === 1, 'review');
      assert.deepEqual(stub.asked().slice(0, 2), ['POST jobs/job-6/lease/renew', 'PATCH jobs/job-6']);
      assert.deepEqual(stub.reported('job-6'), ['review 1']);
    });

    it('gives back the lease of a job that is no longer here, instead of renewing it for ever', async () => {
      const id = await claimed('job-19', jobFile({ cwd: repo }));
      await waitForStage(factory, id, 'review');
      await until(() => stub.reported('job-19').length === 2, 'review');
      await factory.dispose();
      rmSync(path.join(home, 'review', `${id}.md`));
      await join();
      await factory.startRunner();
      await until(() => stub.asked().includes('POST jobs/job-19/lease/release'), 'released');
      await until(() => outboxOf(home).length === 0, 'forgotten');
    });

    it('tells the end of a job that came to it before the answer to its claim was dealt with', async () => {
      let requestId: unknown;
      stub.script = ({ path: where, headers }) => {
        const isFree = (stub.jobs.get('job-46')?.epoch ?? 0) === 0;
        if (where.endsWith('/claim') && isFree) requestId = headers['idempotency-key'];
        return undefined;
      };
      const id = await claimed('job-46', jobFile({ cwd: repo }));
      await waitForStage(factory, id, 'review');
      await until(() => stub.reported('job-46').length === 2, 'reports');
      await factory.dispose();
      movedToFailed(home, id);
      rmSync(path.join(home, 'outbox', `${id}.reports.json`));
      const claims = path.join(home, 'outbox', 'claims.json');
      writeFileSync(claims, JSON.stringify({ version: 1, unfinished: [requestId], declined: [] }));
      await join();
      await factory.startRunner();
      await until(() => stub.reported('job-46').at(-1) === 'failed 1', 'its end');
      await until(() => fleet.facts().leases.length === 0, 'nothing left of it');
    });

    it('tells the end of a job that a crash had kept it from telling, after what waits', async () => {
      const id = await claimed('job-45', jobFile({ cwd: repo }));
      await waitForStage(factory, id, 'review');
      await until(() => stub.reported('job-45').length === 2, 'reports');
      await factory.dispose();
      // The move to its end is on disk, and nothing of its report; one before it had not been accepted either.
      movedToFailed(home, id);
      const box = path.join(home, 'outbox', `${id}.reports.json`);
      const kept = JSON.parse(readFileSync(box, 'utf8')) as { nextSequence: number };
      const waiting = [{ sequence: kept.nextSequence, what: 'review' }];
      writeFileSync(box, JSON.stringify({ ...kept, nextSequence: kept.nextSequence + 1, waiting }));
      await join();
      await factory.startRunner();
      await until(() => stub.reported('job-45').at(-1) === 'failed 1', 'its end');
      await until(() => fleet.facts().leases.length === 0, 'nothing left of it');
    });

    it('believes the disk, not its memory, when another process was the runner meanwhile', async () => {
      const id = await claimed('job-20', jobFile({ cwd: repo }));
      await waitForStage(factory, id, 'review');
      await until(() => stub.reported('job-20').length === 2, 'review');
      const [first, firstFleet] = [factory, fleet];
      await first.stopRunner();
      assert.deepEqual(firstFleet.facts().leases, []);
      await assert.rejects(firstFleet.operator.drain(true), { code: 'no-runner' });
      await join();
      await factory.startRunner();
      assert.equal((await factory.execute({ verb: 'approve', id })).ok, true);
      await until(() => stub.reported('job-20').length === 3, 'testing');
      await factory.stopRunner();
      await first.startRunner();
      const shipped = await first.execute({ verb: 'ship', id });
      assert.equal(shipped.ok, true, shipped.message);
      assert.deepEqual(stub.reported('job-20'), ['building 1', 'review 1', 'testing 1', 'shipped 1']);
      assert.equal((await first.job(id))?.stage, 'shipped');
    });

    it('does not take a call that was given up at its end for a coordinator that is away', async () => {
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

    it('notices a sleep in the midst of a call as well, and renews before it says anything', async () => {
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

    it('does not take the answer to a renewal from before a sleep for a certain lease', async () => {
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

    it('does not take the answer to a claim from before a sleep for a certain lease', async () => {
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

    it('has nothing left to send of a lease that is fenced while a person gives it back', async () => {
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

    it('does not ask whether it may ship once its lease is being given back', async () => {
      const goOn = Promise.withResolvers<void>();
      stub.script = async ({ body }) => {
        if (body?.stage === 'testing') await goOn.promise;
        return undefined;
      };
      const id = await claimed('job-47', jobFile({ cwd: repo, review: 'skip' }));
      // It waits until everything before has been told.
      await until(() => stub.reported('job-47').at(-1) === 'testing 1', 'testing');
      await until(async () => (await landingOf(home, id)) !== undefined, 'on its way');
      const given = fleet.operator.release(id);
      goOn.resolve();
      await given;
      await until(() => stub.asked().includes('POST jobs/job-47/lease/release'), 'released');
      assert.deepEqual(stub.reported('job-47'), ['building 1', 'testing 1']);
      assert.equal((await factory.job(id))?.stage, 'failed');
      assert.equal(stub.jobs.get('job-47')?.stage, 'queued');
    });

    it('does in its process what is asked in another of the same home', async () => {
      const id = await claimed('job-21', jobFile({ cwd: repo }));
      await waitForStage(factory, id, 'review');
      const mine = fleet;
      await join();
      const ask = (command: FleetCommand) => factory.execute(command);
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
      assert.equal((await factory.job(id))?.stage, 'failed');
    });

    it('claims nothing at a person’s word where no runner is on, and drains there all the same', async () => {
      assert.equal((await factory.execute({ fleet: 'claim' })).code, 'no-runner');
      assert.equal((await factory.execute({ fleet: 'drain' })).ok, true);
      assert.equal(stub.requests.findLast(({ body }) => body?.health)?.body.health, 'draining');
      stub.offer('job-22', jobFile({ cwd: repo }));
      await factory.startRunner();
      await until(() => stub.requests.filter(({ body }) => body?.health).length > 1, 'a heartbeat');
      assert.equal(stub.jobs.get('job-22')?.epoch, 0);
    });

    it('repeats a claim whose answer was lost with the same request id, and gets the same job once', async () => {
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

    it('takes `shipped` for accepted when only the answer was lost', async () => {
      const id = await claimed('job-8', jobFile({ cwd: repo, review: 'skip' }));
      let lost = false;
      stub.script = async (request, response) => {
        if (request.body?.stage !== 'shipped' || lost) return undefined;
        lost = true;
        await accept(request);
        response.destroy();
        return 'handled';
      };
      await waitForStage(factory, id, 'shipped');
      assert.equal(stub.jobs.get('job-8')?.stage, 'shipped');
      assert.equal(git(repo, 'log', '-1', '--format=%s', 'main').length > 0, true);
    });

    it('ships when a renewal tells that it was accepted, before its own answer is lost', async () => {
      const id = await claimed('job-82', jobFile({ cwd: repo, review: 'skip' }));
      const isLooked = () =>
        stub.requests.some(({ method, path: where }) => method === 'GET' && where.endsWith('/job-82'));
      let lost = false;
      stub.script = async (request, response) => {
        if (request.body?.stage !== 'shipped' || lost) return undefined;
        lost = true;
        await accept(request);
        clock.jump(60_000); // it slept: every lease is renewed before anything else
        await until(isLooked, 'a look at the job');
        await sleep(200);
        response.destroy();
        return 'handled';
      };
      await waitForStage(factory, id, 'shipped');
    });

    it('lets nobody take back a job whose fenced report has not been answered', async () => {
      const id = await claimed('job-81', jobFile({ cwd: repo, review: 'skip' }));
      let isAway = false;
      stub.script = ({ body }, response) => {
        isAway ||= body?.stage === 'shipped';
        if (!isAway) return undefined;
        response.destroy();
        return 'handled';
      };
      await until(async () => (await factory.job(id))?.reason?.code === 'held', 'held');
      for (const verb of ['reject', 'sendBack', 'cancel'] as const) {
        const answer = await factory.execute({ verb, id, text: 'No.' });
        assert.equal(answer.code, 'on-its-way', answer.message);
      }
      await assert.rejects(fleet.operator.release(id), { code: 'on-its-way' });
      isAway = false;
      stub.script = () => undefined;
      await waitForStage(factory, id, 'shipped');
    });

    it('is done with a job that may land and that a person gives up instead', async () => {
      const id = await claimed('job-80', jobFile({ cwd: repo, review: 'skip' }));
      stub.script = ({ body }) => {
        // Allowed to land, and then a person's file is in the way.
        if (body?.stage === 'shipped') writeFileSync(path.join(repo, 'result.txt'), 'of the person');
        return undefined;
      };
      await until(() => fleet.facts().leases.some(({ standing }) => standing === 'landing'), 'landing');
      await until(async () => (await factory.job(id))?.reason?.code === 'checkout-busy', 'not landed');
      // Its file has come to rest a moment before the runner has let go of it.
      await until(async () => (await factory.execute({ verb: 'reject', id })).ok, 'rejected');
      await until(() => fleet.facts().leases.length === 0, 'nothing left of it');
      assert.deepEqual(
        readdirSync(path.join(home, 'outbox')).filter((name) => name.endsWith('.reports.json')),
        [],
      );
    });

    it('gives back what the laptop’s policy forbids, and does not take it again', async () => {
      await factory.dispose();
      await join({ AQ_FLEET_ALLOW_COMMANDS: '0' });
      const id = await claimed('job-9', jobFile({ cwd: repo, setup: 'touch ran' }));
      const row = await waitForStage(factory, id, 'failed');
      assert.equal(row.reason?.code, 'declined');
      await until(() => stub.asked().includes('POST jobs/job-9/lease/release'), 'released');
      assert.deepEqual(stub.reported('job-9'), []);
      await sleep(300);
      assert.equal(stub.jobs.get('job-9')?.epoch, 1);
    });

    it('claims nothing while the day’s ceiling holds new work: a claim that waits is given up, and it says why', async () => {
      await factory.dispose();
      stub.longPollSec = 30;
      const result = `echo '{"type":"result","ok":true,"text":"Done.","cost":1}'`;
      const events = { ...EVENTS, costUsd: [{ path: 'cost', when: { type: 'result' } }] };
      await join({}, { engines: { paid: scriptEngine(result, { events }) }, budget: { perDayUsd: 1 } });
      await factory.startRunner();
      const polls = () => stub.requests.filter(({ body }) => body?.waitSec !== undefined);
      await until(() => polls().length === 1, 'a claim that waits');
      await factory.add(jobFile({ engine: 'paid', cwd: scratchFolder(), body: 'Do it.' }), 'own');
      await waitForStage(factory, 'own', 'review');
      const why = () => fleet.facts().notClaiming ?? '';
      const held = 'no new work is begun until midnight: today’s runs have cost $1.00';
      await until(() => why().startsWith(held), 'held');
      assert.ok(fleet.status().some((line) => line.startsWith(`Claims       nothing: ${held}`)));
      stub.offer('job', jobFile({ cwd: repo }));
      await assert.rejects(fleet.operator.claimNow(), /^UserError: Nothing is claimed until midnight: /);
      await sleep(500);
      assert.deepEqual([fleet.facts().leases, polls().length], [[], 1]);
      await factory.runAnywayToday();
      await until(() => fleet.facts().leases.length === 1, 'claimed');
    });

    it('drains: claims nothing more, also after a restart, and tells so; jobs in work go on', async () => {
      const id = await claimed('job-16', jobFile({ cwd: repo }));
      await fleet.operator.drain(true);
      await waitForStage(factory, id, 'review');
      stub.offer('job-17', jobFile({ cwd: repo }));
      await assert.rejects(fleet.operator.claimNow(), { code: 'draining' });
      await factory.dispose();
      await join();
      await factory.startRunner();
      await until(
        () =>
          stub.requests.at(-1)?.body?.health === 'draining' ||
          stub.requests.some(({ body }) => body?.health === 'draining'),
        'told',
      );
      await sleep(300);
      assert.equal(stub.jobs.get('job-17')?.epoch, 0);
      await fleet.operator.drain(false);
      assert.equal(await fleet.operator.claimNow(), true);
      await waitForStage(factory, 'job-17-e1', 'review');
    });

    it('gives a lease back at a person’s word: ended here, released there, and not taken again', async () => {
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

    it('uses the token that was kept for the address, unless the environment has one', async () => {
      await factory.dispose();
      const asked: string[] = [];
      const tokenFor = async (api: string) => {
        asked.push(api);
        return 'kept';
      };
      const common = {
        home,
        capabilities: () => Promise.resolve([]),
        shadow: false,
        log: { debug() {}, info() {}, warn() {}, error() {} },
      };
      for (const [env, expected] of [
        [{}, 'Bearer kept'],
        [{ AQ_FLEET_TOKEN: 'mine' }, 'Bearer mine'],
      ] as const) {
        const joined = await openFleet({ ...common, env: { AQ_FLEET_API: stub.api, ...env }, tokenFor });
        await joined.heartbeat();
        await joined.close();
        assert.equal(stub.requests.at(-1)?.headers.authorization, expected);
      }
      assert.deepEqual(asked, [stub.api]);
    });

    it('reports an obstacle that lies in the job as blocked, and a failed run as failed', async () => {
      await claimed('job-10', jobFile({ cwd: repo, base: 'no-such-branch' }));
      await until(() => stub.jobs.get('job-10')?.stage === 'blocked', 'blocked');
      await factory.dispose();
      await join();
      await claimed('job-11', jobFile({ cwd: repo, body: script('exit 3') }));
      await until(() => stub.jobs.get('job-11')?.stage === 'failed', 'failed');
    });

    it('goes on with what it has when the token is turned down, and claims nothing', async () => {
      const gate = path.join(scratchFolder(), 'go');
      const id = await claimed(
        'job-12',
        jobFile({ cwd: repo, body: script(`until [ -e '${gate}' ]; do sleep 0.05; done; echo x > x`) }),
      );
      await told('job-12');
      stub.script = () => ({ status: 401, body: { code: 'unauthorized' } });
      writeFileSync(gate, '');
      await waitForStage(factory, id, 'review');
      await until(() => log.some((line) => line.includes('turns the token down')), 'said');
      assert.equal(log.filter((line) => line.includes('turns the token down')).length, 1);
      assert.equal(outboxOf(home).length, 1);
    });

    for (const { name, wall, monotonic } of [
      { name: '3 s', wall: 3000, monotonic: 0 },
      { name: 'two hours', wall: 7_200_000, monotonic: 0 },
      { name: 'three days, by both clocks', wall: 259_200_000, monotonic: 259_200_000 },
    ]) {
      it(`after a sleep of ${name} renews before anything leaves, within 5 s, and loses nothing`, async () => {
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

    it('in shadow mode sends heartbeats, says what could be claimed, and claims nothing', async () => {
      await factory.dispose();
      stub.requests.length = 0;
      await join({ AQ_FLEET: 'shadow' });
      stub.offer('job-14', jobFile({ cwd: repo }));
      await factory.startRunner();
      await until(() => log.some((line) => line.includes('could be claimed')), 'said');
      assert.deepEqual(stub.asked(), []);
    });

    it('leaks neither token nor prompt: not in requests, files, logs, argv or children', async () => {
      const prompt = 'PROMPT-SENTINEL-8642';
      const seen = path.join(scratchFolder(), 'seen');
      const body = `${prompt}\n\n${script(`env > '${seen}'; cat /proc/*/cmdline 2>/dev/null | tr '\\0' ' ' >> '${seen}'; echo x > x`)}`;
      const id = await claimed('job-15', jobFile({ cwd: repo, body }));
      await waitForStage(factory, id, 'review');
      await until(() => stub.reported('job-15').length === 2, 'reports');
      for (const request of stub.requests) {
        assert.equal(request.raw.includes(prompt) || request.path.includes(prompt), false, request.path);
        assert.equal(request.raw.includes(TOKEN) || request.path.includes(TOKEN), false, request.path);
      }
      assert.equal(readFileSync(seen, 'utf8').includes(TOKEN), false);
      assert.equal(readFileSync(seen, 'utf8').includes(prompt), false);
      assert.equal(log.join('\n').includes(TOKEN) || log.join('\n').includes(prompt), false);
      for (const entry of readdirSync(home, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile()) continue;
        const content = readFileSync(path.join(entry.parentPath, entry.name), 'utf8');
        assert.equal(content.includes(TOKEN), false, entry.name);
      }
    });
  });

/** Unsent reports on disk. */
/** What is on record of its way out, if anything is. */
async function landingOf(home: string, id: string): Promise<unknown> {
  const text = await readFile(path.join(home, 'runs', id, 'state.json'), 'utf8');
  return (JSON.parse(text) as { landing?: unknown }).landing;
}

/** As a person's word would have it: the move from review is on disk, and nothing else. */
function movedToFailed(home: string, id: string): void {
  const state = path.join(home, 'runs', id, 'state.json');
  const known = JSON.parse(readFileSync(state, 'utf8')) as Record<string, unknown>;
  const reason = { code: 'rejected', text: 'Rejected by a person.', at: Date.now() };
  writeFileSync(state, JSON.stringify({ ...known, stage: 'failed', reason }));
  renameSync(path.join(home, 'review', `${id}.md`), path.join(home, 'failed', `${id}.md`));
}

function outboxOf(home: string): string[] {
  const dir = path.join(home, 'outbox');
  return existsSync(dir) ? readdirSync(dir).filter((name) => name.endsWith('.reports.json')) : [];
}
