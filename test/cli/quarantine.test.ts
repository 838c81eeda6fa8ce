/** `aq quarantine …` as real processes, against a coordinator that writes down all that it is asked. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { StubCoordinator } from '../fleet/support/stub-coordinator.ts';
import { until, World } from '../runner/factory/fixtures/world.ts';

const ID = 'job-1-e1';

describe('aq quarantine', function () {
  this.timeout(60_000);
  let stub: StubCoordinator;
  let world: World;
  beforeEach(async () => {
    stub = await StubCoordinator.start();
    world = new World();
    Object.assign(world.env, {
      AQ_FLEET: '1',
      AQ_FLEET_API: stub.api,
      AQ_FACTORY_ID: 'laptop-1',
      AQ_FLEET_ALLOW_ENGINES: 'shell',
      AQ_FLEET_ALLOW_ROOTS: world.dir,
      AQ_FLEET_ALLOW_COMMANDS: '1',
    });
    await quarantineOne('job-1');
  });
  afterEach(async () => {
    await world.remove();
    await stub.down();
  });

  /** A job of the fleet, done here, and then given to another factory. */
  async function quarantineOne(jobId: string): Promise<void> {
    stub.offer(
      jobId,
      `---\nengine: shell\ncwd: ${JSON.stringify(world.repo)}\n---\n# Faster imports\n\`\`\`sh\necho work > work.txt; echo more >> a.txt\n\`\`\`\n`,
    );
    await world.aq('run', '--once').ended;
    assert.equal(await world.stage(`${jobId}-e1`), 'review');
    stub.take(jobId);
    await world.aq('run', '--once').ended;
    assert.equal(await world.stage(`${jobId}-e1`), 'quarantine');
  }

  const aq = (...args: string[]) => world.aq('quarantine', ...args).ended;
  const json = async (...args: string[]) => {
    const { stdout, stderr, code } = await world.aq('--json', 'quarantine', ...args).ended;
    assert.ok(stdout !== '', stderr);
    return { code, answer: JSON.parse(stdout) };
  };

  it('lists and shows all that is known, as text and as JSON', async () => {
    const listed = await aq('list');
    assert.equal(listed.code, 0);
    assert.match(
      listed.stdout,
      /^job-1-e1 {2}Faster imports {2}\[epoch 1 → 2, assigned, 2 files changed, 20.*Z\]$/m,
    );
    const shown = await aq('show', ID);
    for (const line of [
      /^Claimed as +job-1, epoch 1$/m,
      /^Epoch now +2$/m,
      /^Work +[0-9a-f]{40} \(refs\/agent-queue\/job-1-e1\/wip\)$/m,
      /^modified +a\.txt$/m,
      /^added +work\.txt$/m,
    ])
      assert.match(shown.stdout, line);
    const page = await json('list', '--limit', '1');
    assert.deepEqual(
      [page.answer.count, page.answer.entries[0].id, page.answer.entries[0].jobId],
      [1, ID, 'job-1'],
    );
    assert.equal((await json('show', ID)).answer.work.fileCount, 2);
    const missing = await aq('show', 'nothing');
    assert.equal(missing.code, 3);
    assert.match(missing.stderr, /no nothing in quarantine/);
    assert.equal((await aq('list', '--limit', 'many')).code, 2);
  });

  it('compares, exports, discards and restores', async () => {
    const compared = await aq('compare', ID);
    assert.match(
      compared.stdout,
      /^The winner has not finished: the winner has the job in assigned\.\n\nbase .*\nours /,
    );
    assert.match((await aq('compare', ID, '--file', 'a.txt')).stdout, /^ours, since .*:\n[^]*\+more$/m);
    assert.equal((await json('compare', ID)).answer.verdict.kind, 'unfinished');

    const file = world.file('work.patch');
    const exported = await aq('export', ID, '-o', file);
    assert.match(exported.stdout, /git am/, exported.stderr);
    assert.equal((await aq('export', ID, '-o', file)).code, 1, 'it overwrites nothing');
    const printed = await aq('export', ID);
    assert.equal(printed.stdout, readFileSync(file, 'utf8'));
    world.git('-C', world.repo, 'am', '-q', file);
    assert.equal(world.git('-C', world.repo, 'log', '-1', '--format=%s'), 'Faster imports');

    assert.equal(
      (await aq('discard', ID)).stdout,
      `${ID} is discarded; it is kept for 30 days, and can be restored until then.\n`,
    );
    assert.equal((await aq('list')).stdout, 'Nothing in quarantine waits for you.\n');
    assert.match((await aq('list', '--all')).stdout, /has been discarded\./);
    assert.equal((await aq('discard', ID)).code, 1);
    assert.deepEqual((await json('restore', ID)).answer, {
      id: ID,
      ok: true,
      message: `${ID} is open in quarantine again.`,
    });
    assert.equal((await aq('restore', 'nothing')).code, 3);
  });

  it('adopts chosen files, and requeues, beside a runner in another process', async () => {
    await quarantineOne('job-2');
    const runner = world.aq('run');
    await until(() => runner.said() !== '' || existsSync(world.file('home/runner.json')));
    const adopted = await aq('adopt', ID, '--files', 'work.txt');
    assert.equal(
      adopted.stdout,
      `${ID} is adopted: its work is now the job job-1, in review. It is a job of this laptop alone, because the coordinator does not make a job of it.\n`,
      adopted.stderr,
    );
    const refused = await json('adopt', 'job-2-e1', '--files', 'nowhere');
    assert.deepEqual([refused.code, refused.answer.code], [1, 'no-such-file']);
    assert.match((await aq('requeue', 'job-2-e1')).stdout, /requeued as the job job-2\./);
    await world.inStage('job-2', 'review');
    await runner.kill('SIGTERM');
    world.env['AQ_FLEET'] = '0';
    await world.aq('promote', 'job-1').ended;
    const shipped = await world.aq('ship', 'job-1').ended;
    assert.match(shipped.stdout, /merged into main/, shipped.stderr);
    assert.equal(world.git('-C', world.repo, 'diff', '--name-only', 'main~', 'main'), 'work.txt');
  });

  it('sends nothing under the old epoch, whatever is done with the result', async () => {
    const before = stub.requests.length;
    await aq('compare', ID);
    await aq('discard', ID);
    await aq('restore', ID);
    await aq('adopt', ID);
    await world.aq('promote', 'job-1').ended;
    await world.aq('ship', 'job-1').ended;
    await aq('restore', ID);
    await aq('requeue', ID);
    await world.aq('run', '--once').ended;
    const later = stub.requests.slice(before).filter(({ path }) => !path.endsWith('/heartbeat'));
    assert.ok(
      later.some(({ method }) => method === 'GET'),
      'the coordinator was asked who has it',
    );
    const writes = later.filter(({ method, path }) => method !== 'GET' && !path.endsWith('/fleet/claim'));
    // Only whether a new job of the fleet can be made of it, which names no epoch.
    assert.deepEqual(
      writes.map(({ method, path, body }) => `${method} ${path} ${Object.keys(body).join()}`),
      ['POST /api/fleet/jobs/job-1/adopt factoryId,id'],
    );
    for (const { raw, headers, path } of later.filter((request) => !writes.includes(request))) {
      assert.doesNotMatch(raw, /leaseEpoch/);
      assert.doesNotMatch(`${path} ${headers['idempotency-key']}`, /job-1.*\b1\b/);
    }
    assert.equal(stub.jobs.get('job-1')?.epoch, 2);
  });

  it('works with the coordinator gone and the fleet off', async () => {
    await stub.down();
    assert.equal((await aq('list')).code, 0);
    assert.match((await aq('compare', ID)).stdout, /^The winner has not finished/);
    world.env['AQ_FLEET'] = '0';
    assert.equal((await aq('discard', ID)).code, 0);
    assert.equal((await aq('restore', ID)).code, 0);
    assert.equal((await aq('adopt', ID)).code, 0);
    assert.equal(await world.stage('job-1'), 'review');
  });
});
