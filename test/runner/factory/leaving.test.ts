/** A runner that leaves while something is just being done with a job: the next one finds it, and nobody else is at it. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Hooks, offline } from '../../../src/runner/hooks.ts';
import type { Stage } from '../../../src/runner/stages.ts';
import {
  closeFactories,
  openTestFactory,
  processesOf,
  waitForJob,
  waitForStage,
  waitUntil,
} from '../support/factory.ts';
import { fullDisk } from '../support/full-disk.ts';
import { jobFile, script } from '../support/job-file.ts';
import { scratchFolder, scratchHome, scratchRepo } from '../support/scratch.ts';

/** Hooks that make the runner wait once a job has come to `stage`, until `goOn` is called. */
function waitingAt(stage: Stage) {
  const come = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  const hooks: Hooks = {
    ...offline,
    transition: async ({ to }) => {
      if (to !== stage) return;
      come.resolve();
      await goOn.promise;
    },
  };
  return { hooks, come: come.promise, goOn: () => goOn.resolve() };
}

describe('a runner that leaves', function () {
  this.timeout(20_000);
  afterEach(closeFactories);

  it('begins nothing with a job that it was just taking: the next one does, once', async () => {
    const [home, folder] = [scratchHome(), scratchFolder()];
    const { hooks, come, goOn } = waitingAt('assigned');
    const first = await openTestFactory(home, { hooks });
    const id = await first.add(
      jobFile({ cwd: scratchFolder(), review: 'skip', body: script(`echo x >> '${folder}/starts'`) }),
      'one',
    );
    await first.startRunner();
    await come;
    const stopped = first.stopRunner();
    goOn();
    await stopped;
    await sleep(300);
    assert.equal((await first.job(id))?.stage, 'assigned');
    assert.equal(existsSync(path.join(folder, 'starts')), false);
    const next = await openTestFactory(home);
    await next.startRunner();
    await waitForStage(next, id, 'shipped');
    assert.equal(readFileSync(path.join(folder, 'starts'), 'utf8'), 'x\n');
  });

  it('keeps its seat until a decision that it is carrying out is on disk, for the next one to see', async () => {
    const home = scratchHome();
    const { hooks, come, goOn } = waitingAt('testing');
    const first = await openTestFactory(home, { hooks });
    await first.startRunner();
    const id = await first.add(jobFile({ cwd: scratchRepo() }), 'one');
    await waitForStage(first, id, 'review');
    const approved = first.execute({ verb: 'approve', id });
    await come;
    const next = await openTestFactory(home);
    await next.startRunner();
    const stopped = first.stopRunner();
    await sleep(300);
    assert.equal((await next.board()).runner.kind, 'elsewhere');
    goOn();
    await stopped;
    assert.deepEqual(await approved, {
      ok: false,
      code: 'runner-stops',
      message: `The runner stopped before ${id} was verified. It stays approved, and the next one goes on with it.`,
      action: 'Start the runner.',
    });
    await waitForJob(next, id, ({ stage, activity }) => stage === 'testing' && activity === undefined);
    assert.equal((await next.execute({ verb: 'ship', id })).ok, true);
  });

  it('does not wait for a full disk to cancel a job: nothing of it runs, and the next one has it as cancelled', async () => {
    const home = scratchHome();
    const first = await openTestFactory(home);
    await first.startRunner();
    const id = await first.add(jobFile({ cwd: scratchRepo(), body: script('echo up; sleep 300') }), 'one');
    await waitForStage(first, id, 'building');
    await waitUntil(first, async () => (await processesOf(home)).length > 0 || undefined);
    const disk = fullDisk('.state.json.');
    try {
      const cancelled = first.execute({ verb: 'cancel', id });
      await waitUntil(
        first,
        async () => ((await processesOf(home)).length === 0 && disk.refused() > 0) || undefined,
      );
      await first.stopRunner();
      assert.deepEqual(await cancelled, {
        ok: false,
        code: 'runner-stops',
        message: `The runner stopped before ${id} had been cancelled; it is building. Nothing is lost.`,
        action: 'Cancel it again.',
      });
    } finally {
      disk[Symbol.dispose]();
    }
    const next = await openTestFactory(home);
    await next.startRunner();
    const { reason } = await waitForStage(next, id, 'failed');
    assert.equal(reason?.code, 'cancelled');
  });
});
