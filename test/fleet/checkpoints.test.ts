/** The work of a claimed job on its remote, where the next holder finds it. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { waitForStage } from '../runner/support/factory.ts';
import { jobFile } from '../runner/support/job-file.ts';
import { git, scratchFolder } from '../runner/support/scratch.ts';
import { until } from './support/laptop.ts';
import { describeInFleets } from './support/member.ts';

describeInFleets('checkpoints', (it) => {
  it('brings the work to its ref on the remote before the report that names it', async (laptop) => {
    const { stub, repo, factory, claimed } = laptop;
    const remote = path.join(scratchFolder(), 'remote.git');
    git(repo, 'clone', '-q', '--bare', '.', remote);
    git(repo, 'remote', 'add', 'origin', remote);
    const there = new Map<string, boolean>();
    stub.script = ({ body }) => {
      const { wipBranch, wipCommit } = body?.checkpoint ?? {};
      if (wipBranch !== undefined)
        there.set(body.stage, git(remote, 'for-each-ref', '--format=%(objectname)', wipBranch) === wipCommit);
      return undefined;
    };
    const id = await claimed('job-1', jobFile({ cwd: repo }));
    await waitForStage(factory, id, 'review');
    await until(() => stub.jobs.get('job-1')?.stage === 'review', 'the report');
    assert.deepEqual([...there], [['review', true]]);
  });

  it('is not held up in other things while a remote takes its time, nor busy with waiting for it', async (laptop) => {
    const { stub, repo, factory, claimed } = laptop;
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

  it('reports all the same where the remote takes no checkpoint, and says so', async (laptop) => {
    const { stub, repo, log, factory, claimed } = laptop;
    git(repo, 'remote', 'add', 'origin', path.join(scratchFolder(), 'no-such-repository'));
    const id = await claimed('job-1', jobFile({ cwd: repo }));
    await waitForStage(factory, id, 'review');
    await until(() => stub.jobs.get('job-1')?.stage === 'review', 'the report');
    assert.match(log.join('\n'), /its checkpoint could not be pushed/);
  });

  it('brings no checkpoint to the remote where that is forbidden', async (laptop) => {
    const { stub, repo, claimed } = laptop;
    await laptop.factory.dispose();
    await laptop.join({ AQ_FLEET_PUSH_CHECKPOINTS: '0' });
    const remote = path.join(scratchFolder(), 'remote.git');
    git(repo, 'clone', '-q', '--bare', '.', remote);
    git(repo, 'remote', 'add', 'origin', remote);
    const id = await claimed('job-1', jobFile({ cwd: repo }));
    await waitForStage(laptop.factory, id, 'review');
    await until(() => stub.jobs.get('job-1')?.stage === 'review', 'the report');
    assert.equal(git(remote, 'for-each-ref', '--format=%(refname)', 'refs/agent-queue'), '');
  });
});
