/** From review on: approve, send back, reject, retry, and what changes under a job that waits for a person. */
import assert from 'node:assert/strict';
import fs, { existsSync, readFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../../src/platform/clock.ts';
import { createGit } from '../../../src/platform/git/git.ts';
import type { JobState, Place } from '../../../src/runner/job/state.ts';
import { releaseWorktree } from '../../../src/runner/workspace/release.ts';
import { sessionEngine } from '../support/engines.ts';
import { closeFactories, openTestFactory, waitForStage, waitUntil } from '../support/factory.ts';
import { jobFile, script } from '../support/job-file.ts';
import { commit, git, scratchFolder, scratchHome, scratchRepo, write } from '../support/scratch.ts';

describe('review', function () {
  this.timeout(20_000);
  afterEach(closeFactories);

  it('shows the change as two commits, approves by a clean checkout of the candidate, and merges it', async () => {
    const repo = scratchRepo({ files: { 'a.txt': 'a\n', '.gitignore': '*.log\n' } });
    const factory = await openTestFactory(scratchHome());
    await factory.startRunner();
    const id = await factory.add(
      jobFile({
        cwd: repo,
        // The branch moves on while the job waits: what is verified holds that as well.
        verify: [
          'test -f result.txt && test -f other.txt',
          'test ! -e litter.log && test -z "$(git status --porcelain --ignored)"',
        ],
        body: script('echo done > result.txt', 'echo x > litter.log'),
      }),
      'one',
    );
    const row = await waitForStage(factory, id, 'review');
    assert.deepEqual([row.files, row.title, row.engine, row.attempt], [1, 'Do this:', 'shell', 1]);
    const changes = await factory.changes(id);
    assert.deepEqual(changes.files, [
      { path: 'result.txt', status: 'added', binary: false, submodule: false },
    ]);
    assert.equal(
      Buffer.from((await factory.fileAt(repo, changes.commit, 'result.txt')) ?? []).toString(),
      'done\n',
    );
    assert.equal(await factory.fileAt(repo, changes.base, 'result.txt'), undefined);

    commit(repo, { 'other.txt': 'x' }, 'meanwhile');
    assert.deepEqual(await factory.execute({ verb: 'approve', id }), {
      ok: true,
      message: 'one has passed and is ready to ship.',
    });
    assert.equal((await factory.job(id))?.readyToShip, true);
    assert.equal(git(repo, 'log', '-1', '--format=%s'), 'meanwhile', 'nothing lands before Ship');

    const shipped = await factory.execute({ verb: 'ship', id });
    assert.deepEqual(shipped, { ok: true, message: 'one has shipped: merged into main.' });
    assert.equal((await factory.job(id))?.landed?.kind, 'merge');
    assert.equal(readFileSync(path.join(repo, 'result.txt'), 'utf8'), 'done\n');
    assert.equal(git(repo, 'status', '--porcelain'), '');
    assert.equal(
      git(repo, 'for-each-ref', 'refs/heads/agent-queue', 'refs/agent-queue'),
      '',
      'nothing is left behind',
    );
  });

  it('a verify that fails leads back to review, with the log, and a second approval verifies again', async () => {
    const repo = scratchRepo();
    const factory = await openTestFactory(scratchHome());
    await factory.startRunner();
    const flag = path.join(scratchFolder(), 'flag');
    const id = await factory.add(
      jobFile({ cwd: repo, verify: ['true', `echo no luck; test -e ${flag}`] }),
      'one',
    );
    await waitForStage(factory, id, 'review');
    const answer = await factory.execute({ verb: 'approve', id });
    assert.deepEqual([answer.ok, answer.code], [false, 'verify']);
    const row = await factory.job(id);
    assert.equal(row?.stage, 'review');
    assert.match(
      row?.reason?.text ?? '',
      /^`verify` command 2 of 2 ended with exit status 1\. Nothing was shipped\./,
    );
    assert.match(readFileSync(row?.log ?? '', 'utf8'), /no luck/);
    write(path.dirname(flag), { flag: '' });
    assert.equal((await factory.execute({ verb: 'approve', id })).ok, true);
  });

  it('`review: skip` ships by itself', async () => {
    const repo = scratchRepo();
    const factory = await openTestFactory(scratchHome());
    await factory.startRunner();
    const id = await factory.add(
      jobFile({ cwd: repo, review: 'skip', verify: ['test -f result.txt'] }),
      'one',
    );
    await waitForStage(factory, id, 'shipped');
    assert.equal(git(repo, 'show', 'main:result.txt'), 'done');
  });

  it('is approved as soon as it can be seen there, though the work before is not quite over', async () => {
    const { appendFile } = fs.promises;
    fs.promises.appendFile = async (...args) => {
      // The line that comes after the move.
      if ((args[1] as string).includes('"to":"review"')) await sleep(1500);
      return appendFile(...args);
    };
    syncBuiltinESMExports();
    try {
      const home = scratchHome();
      const factory = await openTestFactory(home);
      await factory.startRunner();
      await factory.add(jobFile({ cwd: scratchRepo() }), 'one');
      const isThere = () => existsSync(path.join(home, 'review/one.md')) || undefined;
      await waitUntil(factory, () => Promise.resolve(isThere()));
      const { ok, message } = await factory.execute({ verb: 'approve', id: 'one' });
      assert.deepEqual([ok, message], [true, 'one has passed and is ready to ship.']);
    } finally {
      fs.promises.appendFile = appendFile;
      syncBuiltinESMExports();
    }
  });

  it('sent back, an engine with sessions is given only the comment, in the same worktree', async () => {
    const repo = scratchRepo();
    const calls = scratchFolder();
    const engines = { mine: sessionEngine(calls, 'echo work >> work.txt') };
    const factory = await openTestFactory(scratchHome(), { settings: { engines } });
    await factory.startRunner();
    const id = await factory.add(jobFile({ engine: 'mine', cwd: repo, body: 'Write it.\n' }), 'one');
    const first = await waitForStage(factory, id, 'review');
    assert.equal(first.summary, 'Done as told.');
    const refused = await factory.execute({ verb: 'sendBack', id, text: '  ' });
    assert.equal(refused.code, 'no-comment');
    assert.equal((await factory.execute({ verb: 'sendBack', id, text: 'Use "tabs".' })).ok, true);
    await waitForStage(factory, id, ['queued', 'assigned', 'building']);
    const second = await waitForStage(factory, id, 'review');
    assert.equal(second.folder, first.folder);
    assert.equal(readFileSync(path.join(calls, '1'), 'utf8'), 'args: \nWrite it.\n');
    assert.equal(readFileSync(path.join(calls, '2'), 'utf8'), 'args: --resume session-7\nUse "tabs".');
    const { commit: result } = await factory.changes(id);
    assert.equal(git(repo, 'show', `${result}:work.txt`), 'work\nwork');
  });

  it('sent back, an engine without sessions runs again in the same worktree', async () => {
    const repo = scratchRepo();
    const factory = await openTestFactory(scratchHome());
    await factory.startRunner();
    const id = await factory.add(jobFile({ cwd: repo, body: script('echo again >> work.txt') }), 'one');
    await waitForStage(factory, id, 'review');
    await factory.execute({ verb: 'sendBack', id, text: 'Once more.' });
    await waitForStage(factory, id, ['queued', 'assigned', 'building']);
    await waitForStage(factory, id, 'review');
    const { commit: result } = await factory.changes(id);
    assert.equal(git(repo, 'show', `${result}:work.txt`), 'again\nagain');
  });

  it('sent back, it goes on from its own work in a worktree of its own, where a crash has given the first one away', async () => {
    const repo = scratchRepo();
    const home = scratchHome();
    const first = await openTestFactory(home);
    await first.startRunner();
    await first.add(jobFile({ cwd: repo, body: script('echo again >> work.txt') }), 'one');
    const { folder = '' } = await waitForStage(first, 'one', 'review');
    await first.dispose();
    // As a job does that has landed, a moment before that is on record.
    const { place, result } = JSON.parse(
      readFileSync(path.join(home, 'runs/one/state.json'), 'utf8'),
    ) as JobState;
    const released = await releaseWorktree(createGit({ env: process.env }), {
      repository: place?.repository as NonNullable<Place['repository']>,
      path: folder,
      owner: 'one',
      saved: result?.wipCommit as string,
      clock: systemClock,
    });
    assert.equal(released.outcome, 'pooled');

    const factory = await openTestFactory(home);
    await factory.startRunner();
    await factory.add(jobFile({ cwd: repo, body: script('echo mine > other.txt') }), 'two');
    const other = await waitForStage(factory, 'two', 'review');
    assert.equal(other.folder, folder, 'the second job has the worktree now');
    await factory.execute({ verb: 'sendBack', id: 'one', text: 'Once more.' });
    await waitForStage(factory, 'one', ['queued', 'assigned', 'building']);
    const row = await waitForStage(factory, 'one', 'review');
    assert.notEqual(row.folder, folder);
    const { commit: work } = await factory.changes('one');
    assert.equal(git(repo, 'show', `${work}:work.txt`), 'again\nagain');
    assert.deepEqual(
      (await factory.changes('one')).files.map((file) => file.path),
      ['work.txt'],
    );
    assert.equal(git(row.folder ?? '', 'branch', '--show-current'), 'agent-queue/one');
    assert.deepEqual(
      (await factory.changes('two')).files.map((file) => file.path),
      ['other.txt'],
    );
    assert.equal(existsSync(path.join(folder, 'work.txt')), false);
  });

  it('rejected, the work is kept; retried, it starts from the base and the old work is on a ref', async () => {
    const repo = scratchRepo();
    const factory = await openTestFactory(scratchHome());
    await factory.startRunner();
    const id = await factory.add(jobFile({ cwd: repo, body: script('echo work >> work.txt') }), 'one');
    await waitForStage(factory, id, 'review');
    assert.equal((await factory.execute({ verb: 'reject', id, text: 'Not like this.' })).ok, true);
    const row = await waitForStage(factory, id, 'failed');
    assert.equal(row.reason?.text, 'Rejected by a person: Not like this. The work is kept.');
    const { commit: old } = await factory.changes(id);
    assert.equal((await factory.execute({ verb: 'retry', id })).ok, true);
    await waitForStage(factory, id, 'review');
    const { commit: result } = await factory.changes(id);
    assert.equal(git(repo, 'show', `${result}:work.txt`), 'work');
    assert.equal(git(repo, 'rev-parse', `refs/agent-queue/${id}/attempt-1`), old);
  });

  it('a worktree that was changed since is not approved unseen', async () => {
    const repo = scratchRepo();
    const factory = await openTestFactory(scratchHome());
    await factory.startRunner();
    const id = await factory.add(jobFile({ cwd: repo }), 'one');
    const row = await waitForStage(factory, id, 'review');
    write(row.folder ?? '', { 'mended.txt': 'by hand' });
    assert.equal((await factory.execute({ verb: 'approve', id })).code, 'changed');
    assert.equal((await factory.job(id))?.files, 2);
    assert.equal((await factory.execute({ verb: 'approve', id })).ok, true);
    assert.equal((await factory.execute({ verb: 'ship', id })).ok, true);
    assert.equal(git(repo, 'show', 'main:mended.txt'), 'by hand');
  });

  it('a conflict is named, and can be sent back and resolved', async () => {
    const repo = scratchRepo({ files: { 'a b.txt': 'one\n' } });
    const calls = scratchFolder();
    const lines = [
      'if [ -e seen ]; then git add -A; git -c user.name=E -c user.email=e@x commit -qm wip; git merge -q main >/dev/null 2>&1',
      'echo both > "a b.txt"; git add -A; git -c user.name=E -c user.email=e@x commit -qm resolved',
      'else echo engine > "a b.txt"; touch seen; fi',
    ];
    const factory = await openTestFactory(scratchHome(), {
      settings: { engines: { mine: sessionEngine(calls, lines.join('\n')) } },
    });
    await factory.startRunner();
    const id = await factory.add(jobFile({ engine: 'mine', cwd: repo, body: 'Change it.' }), 'one');
    await waitForStage(factory, id, 'review');
    commit(repo, { 'a b.txt': 'person\n' }, 'meanwhile');
    const answer = await factory.execute({ verb: 'approve', id });
    assert.equal(answer.code, 'conflict');
    assert.match(answer.message, /conflicts with main in a b\.txt \(contents\)\. Nothing was merged\./);
    assert.equal((await factory.job(id))?.stage, 'review');
    await factory.execute({ verb: 'sendBack', id, text: 'Merge main and resolve.' });
    await waitForStage(factory, id, ['queued', 'assigned', 'building']);
    await waitForStage(factory, id, 'review');
    assert.equal((await factory.execute({ verb: 'approve', id })).ok, true);
    assert.equal((await factory.execute({ verb: 'ship', id })).ok, true);
    assert.equal(git(repo, 'show', 'main:a b.txt'), 'both');
  });

  it('says what is not possible now, and that nothing was changed', async () => {
    const factory = await openTestFactory(scratchHome());
    await factory.startRunner();
    const id = await factory.add(jobFile({ cwd: scratchRepo() }), 'one');
    await waitForStage(factory, id, 'review');
    for (const verb of ['ship', 'retry', 'run', 'cancel'] as const) {
      const answer = await factory.execute({ verb, id });
      assert.deepEqual([answer.ok, answer.code], [false, 'not-now'], verb);
      assert.match(answer.message, /one is in review; .* is not possible there\. Nothing was changed\./);
    }
    for (const unknown of ['nobody', '../inbox/one', '']) {
      assert.equal((await factory.execute({ verb: 'approve', id: unknown })).code, 'no-such-job', unknown);
    }
    await assert.rejects(factory.changes('nobody'), { code: 'no-changes' });
  });

  it('a job that only answers has nothing to land', async () => {
    const engines = { mine: sessionEngine(scratchFolder(), '') };
    const factory = await openTestFactory(scratchHome(), { settings: { engines } });
    await factory.startRunner();
    const id = await factory.add(
      jobFile({ engine: 'mine', cwd: scratchRepo(), review: 'skip', body: 'What is it?' }),
      'one',
    );
    const row = await waitForStage(factory, id, 'shipped');
    assert.equal(row.landed?.text, 'done; no file was changed');
  });

  it('works in a home on a path with spaces', async () => {
    const home = scratchHome('my home');
    const repo = scratchRepo();
    const factory = await openTestFactory(home);
    await factory.startRunner();
    const id = await factory.add(
      jobFile({ cwd: repo, review: 'skip', setup: 'echo s > setup.txt', verify: ['test -f setup.txt'] }),
      'one',
    );
    await waitForStage(factory, id, 'shipped');
    assert.equal(git(repo, 'show', 'main:result.txt'), 'done');
  });
});
