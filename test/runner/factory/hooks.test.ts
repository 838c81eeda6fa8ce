/** The four places where a fleet could have its say. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type Hooks, offline, type Permission, type Transition } from '../../../src/runner/hooks.ts';
import { closeFactories, openTestFactory, waitForJob, waitForStage } from '../support/factory.ts';
import { jobFile, script } from '../support/job-file.ts';
import { git, scratchFolder, scratchHome, scratchRepo } from '../support/scratch.ts';

describe('hooks', function () {
  this.timeout(20_000);
  afterEach(closeFactories);

  it('are told of every transition, in order, once it is on disk, with the work', async () => {
    const home = scratchHome();
    const told: Transition[] = [];
    const hooks: Hooks = {
      ...offline,
      transition: (transition) => {
        told.push(transition);
        assert.equal(existsSync(path.join(home, transition.to, `${transition.id}.md`)), true, transition.to);
        return Promise.resolve();
      },
    };
    const factory = await openTestFactory(home, { hooks });
    await factory.startRunner();
    const id = await factory.add(jobFile({ cwd: scratchRepo() }), 'one');
    await waitForStage(factory, id, 'review');
    await factory.execute({ verb: 'approve', id });
    await factory.execute({ verb: 'ship', id });
    assert.deepEqual(
      told.map(({ from, to }) => `${from} ${to}`),
      ['queued assigned', 'assigned building', 'building review', 'review testing', 'testing shipped'],
    );
    assert.match(told[2]?.checkpoint?.wipCommit ?? '', /^[0-9a-f]{40}$/);
    assert.equal(told[2]?.checkpoint?.wipBranch, 'refs/agent-queue/one/wip');
  });

  for (const { permission, stage } of [
    { permission: 'held', stage: 'testing' },
    { permission: 'fenced', stage: 'quarantine' },
  ] as const) {
    it(`ship nothing when the answer is ${permission}`, async () => {
      const asked: string[] = [];
      let answer: Permission = permission;
      const hooks: Hooks = {
        ...offline,
        permit: ({ id }, effect) => {
          asked.push(`${id} ${effect}`);
          return Promise.resolve(answer);
        },
      };
      const factory = await openTestFactory(scratchHome(), { hooks });
      await factory.startRunner();
      const repo = scratchRepo();
      const before = git(repo, 'rev-parse', 'main');
      const id = await factory.add(jobFile({ cwd: repo, review: 'skip' }), 'one');
      const row = await waitForJob(factory, id, (job) => job.stage === stage && job.reason !== undefined);
      assert.equal(row.reason?.code, permission);
      assert.equal(git(repo, 'rev-parse', 'main'), before);
      assert.deepEqual(asked, ['one merge']);
      answer = 'accepted';
      assert.equal((await factory.execute({ verb: 'ship', id })).ok, permission === 'held');
      assert.equal(git(repo, 'rev-parse', 'main') === before, permission === 'fenced');
    });
  }

  it('are told of no job that stays in the inbox because another home holds its lock', async () => {
    const first = await openTestFactory(scratchHome());
    const told: string[] = [];
    const second = await openTestFactory(scratchHome(), {
      hooks: { ...offline, transition: async ({ from, to }) => void told.push(`${from} ${to}`) },
    });
    const lock = `hooks-${process.pid}`;
    const held = await first.add(jobFile({ cwd: scratchFolder(), lock, body: script('sleep 1.5') }), 'held');
    await first.startRunner();
    await waitForStage(first, held, 'building');
    const waiting = await second.add(jobFile({ cwd: scratchFolder(), lock }), 'waiting');
    await second.startRunner();
    await waitForStage(second, waiting, 'review');
    assert.equal((await first.job(held))?.stage, 'review');
    assert.deepEqual(told, ['queued assigned', 'assigned building', 'building review']);
  });

  it('nothing is asked for what stays on this machine', async () => {
    const hooks: Hooks = { ...offline, permit: () => Promise.reject(new Error('asked')) };
    const factory = await openTestFactory(scratchHome(), { hooks });
    await factory.startRunner();
    const id = await factory.add(jobFile({ cwd: scratchFolder(), review: 'skip' }), 'one');
    await waitForStage(factory, id, 'shipped');
  });

  it('are asked for work only when the inbox has nothing to run', async () => {
    const home = scratchHome();
    const log = path.join(scratchFolder(), 'log');
    let claims = 0;
    const hooks: Hooks = {
      ...offline,
      claim: () => {
        claims += 1;
        return Promise.resolve(false);
      },
    };
    const factory = await openTestFactory(home, { hooks, settings: { maxParallel: 1 } });
    const id = await factory.add(
      jobFile({ cwd: scratchFolder(), review: 'skip', body: script(`echo x > '${log}'; sleep 0.3`) }),
      'one',
    );
    await factory.startRunner();
    await waitForStage(factory, id, 'building');
    assert.equal(claims, 0);
    await factory.idle();
    assert.equal(readFileSync(log, 'utf8'), 'x\n');
    assert.notEqual(claims, 0);
  });
});
