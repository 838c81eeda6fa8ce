/** What is told of a claimed job, in its order: offline, after a crash, and too late. */
import assert from 'node:assert/strict';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { waitForJob, waitForStage } from '../runner/support/factory.ts';
import { jobFile, script } from '../runner/support/job-file.ts';
import { git, scratchFolder } from '../runner/support/scratch.ts';
import { until } from './support/laptop.ts';
import { describeInFleets, outboxOf } from './support/member.ts';

describeInFleets('reports', (it) => {
  it('finishes without the coordinator, holds, and tells it in order when it is back', async (laptop) => {
    const { stub, repo, clock, factory, claimed, told } = laptop;
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
    assert.ok(sequence.indexOf('POST jobs/job-4/lease/renew') < sequence.lastIndexOf('PATCH jobs/job-4') - 1);
    assert.notEqual(git(repo, 'rev-parse', 'main'), before);
  });

  it('quarantines a result that came too late, and ships nothing of it', async (laptop) => {
    const { stub, home, repo, factory, claimed, told } = laptop;
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

  it('survives a restart with unsent reports, and takes a lease from disk for uncertain', async (laptop) => {
    const { stub, home, repo, claimed, told } = laptop;
    const id = await claimed('job-6', jobFile({ cwd: repo }));
    await told('job-6');
    await stub.down();
    await waitForStage(laptop.factory, id, 'review');
    await laptop.factory.dispose();
    assert.equal(outboxOf(home).length, 1);
    await stub.up();
    stub.requests.length = 0;
    await laptop.join();
    await laptop.factory.startRunner();
    await until(() => stub.reported('job-6').length === 1, 'review');
    assert.deepEqual(stub.asked().slice(0, 2), ['POST jobs/job-6/lease/renew', 'PATCH jobs/job-6']);
    assert.deepEqual(stub.reported('job-6'), ['review 1']);
  });

  it('tells the end of a job that came to it before the answer to its claim was dealt with', async (laptop) => {
    const { stub, home, repo, claimed } = laptop;
    let requestId: unknown;
    stub.script = ({ path: where, headers }) => {
      const isFree = (stub.jobs.get('job-46')?.epoch ?? 0) === 0;
      if (where.endsWith('/claim') && isFree) requestId = headers['idempotency-key'];
      return undefined;
    };
    const id = await claimed('job-46', jobFile({ cwd: repo }));
    await waitForStage(laptop.factory, id, 'review');
    await until(() => stub.reported('job-46').length === 2, 'reports');
    await laptop.factory.dispose();
    movedToFailed(home, id);
    rmSync(path.join(home, 'outbox', `${id}.reports.json`));
    const claims = path.join(home, 'outbox', 'claims.json');
    writeFileSync(claims, JSON.stringify({ version: 1, unfinished: [requestId], declined: [] }));
    await laptop.join();
    await laptop.factory.startRunner();
    await until(() => stub.reported('job-46').at(-1) === 'failed 1', 'its end');
    await until(() => laptop.fleet.facts().leases.length === 0, 'nothing left of it');
  });

  it('tells the end of a job that a crash had kept it from telling, after what waits', async (laptop) => {
    const { stub, home, repo, claimed } = laptop;
    const id = await claimed('job-45', jobFile({ cwd: repo }));
    await waitForStage(laptop.factory, id, 'review');
    await until(() => stub.reported('job-45').length === 2, 'reports');
    await laptop.factory.dispose();
    // The move to its end is on disk, and nothing of its report; one before it had not been accepted either.
    movedToFailed(home, id);
    const box = path.join(home, 'outbox', `${id}.reports.json`);
    const kept = JSON.parse(readFileSync(box, 'utf8')) as { nextSequence: number };
    const waiting = [{ sequence: kept.nextSequence, what: 'review' }];
    writeFileSync(box, JSON.stringify({ ...kept, nextSequence: kept.nextSequence + 1, waiting }));
    await laptop.join();
    await laptop.factory.startRunner();
    await until(() => stub.reported('job-45').at(-1) === 'failed 1', 'its end');
    await until(() => laptop.fleet.facts().leases.length === 0, 'nothing left of it');
  });

  it('reports an obstacle that lies in the job as blocked, and a failed run as failed', async (laptop) => {
    const { stub, repo, claimed } = laptop;
    await claimed('job-10', jobFile({ cwd: repo, base: 'no-such-branch' }));
    await until(() => stub.jobs.get('job-10')?.stage === 'blocked', 'blocked');
    await laptop.factory.dispose();
    await laptop.join();
    await claimed('job-11', jobFile({ cwd: repo, body: script('exit 3') }));
    await until(() => stub.jobs.get('job-11')?.stage === 'failed', 'failed');
  });
});

/** As a person's word would have it: the move from review is on disk, and nothing else. */
function movedToFailed(home: string, id: string): void {
  const state = path.join(home, 'runs', id, 'state.json');
  const known = JSON.parse(readFileSync(state, 'utf8')) as Record<string, unknown>;
  const reason = { code: 'rejected', text: 'Rejected by a person.', at: Date.now() };
  writeFileSync(state, JSON.stringify({ ...known, stage: 'failed', reason }));
  renameSync(path.join(home, 'review', `${id}.md`), path.join(home, 'failed', `${id}.md`));
}
