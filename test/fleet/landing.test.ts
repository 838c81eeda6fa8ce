/** The fenced report of `shipped`, and what follows when its answer is lost. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitForStage } from '../runner/support/factory.ts';
import { jobFile } from '../runner/support/job-file.ts';
import { git } from '../runner/support/scratch.ts';
import { until } from './support/laptop.ts';
import { describeInFleets, outboxOf } from './support/member.ts';

describeInFleets('landing', (it) => {
  it('does not ask whether it may ship once its lease is being given back', async (laptop) => {
    const { stub, home, repo, fleet, factory, claimed } = laptop;
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

  it('takes `shipped` for accepted when only the answer was lost', async (laptop) => {
    const { stub, repo, factory, claimed, accept } = laptop;
    const before = git(repo, 'rev-parse', 'main');
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
    assert.equal(git(repo, 'rev-parse', 'main^'), before);
  });

  it('ships when a renewal tells that it was accepted, before its own answer is lost', async (laptop) => {
    const { stub, repo, clock, factory, claimed, accept } = laptop;
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

  it('lets nobody take back a job whose fenced report has not been answered', async (laptop) => {
    const { stub, repo, fleet, factory, claimed } = laptop;
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

  it('is done with a job that may land and that a person gives up instead', async (laptop) => {
    const { stub, home, repo, fleet, factory, claimed } = laptop;
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
    assert.deepEqual(outboxOf(home), []);
  });
});

/** What is on record of its way out, if anything is. */
async function landingOf(home: string, id: string): Promise<unknown> {
  const text = await readFile(path.join(home, 'runs', id, 'state.json'), 'utf8');
  return (JSON.parse(text) as { landing?: unknown }).landing;
}
