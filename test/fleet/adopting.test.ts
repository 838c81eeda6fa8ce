/** A person adopts a stale result in a fleet: it becomes a job of the fleet too, and nothing is sent under the old epoch. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import type { Fleet } from '../../src/fleet/fleet.ts';
import type { Factory } from '../../src/runner/factory.ts';
import { closeFactories, waitForStage } from '../runner/support/factory.ts';
import { jobFile, script } from '../runner/support/job-file.ts';
import { git, scratchHome, scratchRepo } from '../runner/support/scratch.ts';
import { joinFleet, PRODUCT, TOKEN, until } from './support/laptop.ts';
import { OurCoordinator } from './support/our-coordinator.ts';
import { StubCoordinator } from './support/stub-coordinator.ts';

const OLD = 'job-1';

describe('adopting in a fleet', function () {
  this.timeout(30_000);
  let coordinator: StubCoordinator;
  let home: string;
  let repo: string;
  let fleet: Fleet;
  let factory: Factory;

  /** A result of this laptop's that somebody else's claim has made stale. */
  async function stale(begun: StubCoordinator): Promise<void> {
    coordinator = begun;
    home = scratchHome();
    repo = scratchRepo();
    ({ fleet, factory } = await joinFleet({ home, api: coordinator.api }));
    coordinator.offer(OLD, jobFile({ cwd: repo, body: script('echo done > result.txt') }));
    await factory.startRunner();
    await waitForStage(factory, `${OLD}-e1`, 'review');
    await until(() => coordinator.reported(OLD).includes('review 1'), 'the report');
    coordinator.take(OLD);
    await fleet.heartbeat();
    // Nothing tells a factory that it is fenced but its own next call: here the approval's report.
    await factory.execute({ verb: 'approve', id: `${OLD}-e1` });
    await waitForStage(factory, `${OLD}-e1`, 'quarantine');
    coordinator.requests.length = 0;
  }

  const ours = () => OurCoordinator.begin({ token: TOKEN, product: PRODUCT });
  const adopt = () => factory.execute({ verb: 'adopt', id: `${OLD}-e1` });
  const asks = () => coordinator.requests.filter(({ path: at }) => at.endsWith('/adopt'));
  const inReview = () => readdirSync(path.join(home, 'review')).filter((name) => name.endsWith('.md'));
  /** The only job in review: its local id, and what the fleet calls it. */
  const adopted = () => {
    const [file = '', ...others] = inReview();
    assert.deepEqual(others, []);
    const [, jobId = ''] = /^(job-1-adopted-[0-9a-f]{8})-e1\.md$/.exec(file) ?? [];
    return { id: path.basename(file, '.md'), jobId };
  };

  afterEach(async () => {
    await closeFactories();
    await coordinator.end();
  });

  it('makes a job of the fleet under an epoch of its own, which ships as every other', async () => {
    await stale(await ours());
    const answer = await adopt();
    const { id, jobId } = adopted();
    assert.deepEqual(answer, {
      ok: true,
      message: `job-1-e1 is adopted: its work is now the job ${id}, in review; in the fleet it is ${jobId}, under epoch 1.`,
    });
    assert.deepEqual((await factory.job(id))?.claim, { jobId, epoch: 1 });
    await until(() => coordinator.reported(jobId).includes('review 1'), 'its checkpoint');
    const review = coordinator.requests.find(({ body }) => body?.stage === 'review');
    assert.deepEqual(review?.body.checkpoint, {
      wipBranch: `refs/agent-queue/${id}/wip`,
      wipCommit: git(repo, 'rev-parse', `refs/agent-queue/${id}/wip`),
    });
    const lease = fleet.facts().leases.find((each) => each.jobId === jobId);
    assert.deepEqual([lease?.stage, lease?.epoch], ['review', 1]);
    assert.equal((await factory.execute({ verb: 'approve', id })).ok, true);
    assert.equal((await factory.execute({ verb: 'ship', id })).ok, true);
    assert.equal(git(repo, 'show', 'main:result.txt'), 'done');
    assert.deepEqual(coordinator.reported(jobId), ['review 1', 'testing 1', 'shipped 1']);
    assert.equal(coordinator.jobs.get(jobId)?.stage, 'shipped');
    // Of the old job nothing was said but that the new one is made of it: no epoch, no prompt.
    const ofOld = coordinator.requests.filter(
      ({ path: at, method }) => method !== 'GET' && at.includes(`/${OLD}/`),
    );
    assert.deepEqual(
      ofOld.map(({ path: at, body }) => [at, body]),
      [[`/api/fleet/jobs/${OLD}/adopt`, { factoryId: 'laptop-1', id: jobId }]],
    );
    assert.equal(coordinator.jobs.get(OLD)?.epoch, 2);
  });

  it('makes a job of this laptop alone where the coordinator does not offer it', async () => {
    await stale(await StubCoordinator.start());
    assert.deepEqual(await adopt(), {
      ok: true,
      message:
        'job-1-e1 is adopted: its work is now the job job-1, in review. It is a job of this laptop alone, because the coordinator does not make a job of it.',
    });
    assert.equal((await factory.job('job-1'))?.claim, undefined);
    assert.deepEqual(inReview(), ['job-1.md']);
    assert.equal(asks().length, 1);
    const answer = await factory.execute({ verb: 'approve', id: 'job-1' });
    assert.equal(answer.ok, true);
    assert.equal((await factory.execute({ verb: 'ship', id: 'job-1' })).ok, true);
    assert.equal(git(repo, 'show', 'main:result.txt'), 'done');
  });

  it('makes a job of this laptop alone while the coordinator is known to be away, and asks nothing', async () => {
    await stale(await ours());
    await coordinator.down();
    await fleet.heartbeat();
    const { ok, message } = await adopt();
    assert.ok(ok);
    assert.match(
      message,
      /the job job-1, in review\. It is a job of this laptop alone, because the coordinator cannot/,
    );
    await coordinator.up();
    await fleet.heartbeat();
    assert.equal(asks().length, 0);
  });

  it('adopts nothing while it is not known what the coordinator did, and asked again makes one job', async () => {
    await stale(await ours());
    let isLost = true;
    coordinator.script = ({ path: at }, response) => {
      // It is done, and its answer is lost.
      if (!at.endsWith('/adopt') || !isLost) return undefined;
      isLost = false;
      response.end = () => response.destroy();
      return undefined;
    };
    const first = await adopt();
    assert.deepEqual([first.ok, first.code], [false, 'unknown']);
    assert.match(first.message, /^It is not known whether .* Nothing was adopted here\.$/);
    assert.deepEqual(inReview(), []);
    // As long as that is so, it does not become a second job of this laptop alone.
    assert.equal((await adopt()).code, 'unknown');
    assert.deepEqual(inReview(), []);
    await fleet.heartbeat();
    assert.equal((await adopt()).ok, true);
    const { id, jobId } = adopted();
    const named = new Set(asks().map(({ body }) => body.id));
    assert.deepEqual([...named], [jobId]);
    assert.equal((await factory.execute({ verb: 'adopt', id: `${OLD}-e1` })).code, 'settled');
    assert.deepEqual((await factory.job(id))?.claim, { jobId, epoch: 1 });
  });

  it('goes on as a claimed job when the runner starts again', async () => {
    await stale(await ours());
    await adopt();
    const { id, jobId } = adopted();
    await until(() => fleet.facts().leases.every(({ waiting }) => waiting === 0), 'its report');
    await factory.dispose();
    ({ fleet, factory } = await joinFleet({ home, api: coordinator.api }));
    await factory.startRunner();
    await until(
      () => fleet.facts().leases.some((each) => each.jobId === jobId && each.standing === 'held'),
      'the lease',
    );
    assert.equal((await factory.execute({ verb: 'approve', id })).ok, true);
    assert.equal((await factory.execute({ verb: 'ship', id })).ok, true);
    assert.equal(coordinator.jobs.get(jobId)?.stage, 'shipped');
  });
});
