import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { sessionEngine } from '../support/engines.ts';
import { closeFactories, waitForStage } from '../support/factory.ts';
import { git, scratchFolder, scratchHome, scratchRepo } from '../support/scratch.ts';
import { quarantined, quarantineOne } from './support/quarantined.ts';

describe('requeueing a result', function () {
  this.timeout(30_000);
  let home: string;
  let repo: string;
  beforeEach(() => {
    home = scratchHome();
    repo = scratchRepo();
  });
  afterEach(closeFactories);

  it('puts the prompt into the inbox as a job of this laptop, which begins anew', async () => {
    const { factory, fleet, id } = await quarantined(home, repo, ['echo done >> result.txt'], {
      manifest: { needs: ['only-the-coordinator-knows'], priority: 7, tracker: undefined },
    });
    const told = fleet.told.length;
    const answer = await factory.execute({ verb: 'requeue', id });
    assert.deepEqual(answer, { ok: true, message: `${id} is requeued as the job job-7.` });
    const row = await waitForStage(factory, 'job-7', 'review');
    assert.deepEqual([row.claim, row.priority, row.title], [undefined, 7, 'Faster imports']);
    const { commit } = await factory.changes('job-7');
    assert.equal(git(repo, 'show', `${commit}:result.txt`), 'done', 'the earlier work is not under it');
    assert.ok(fleet.told.slice(told).every(({ claim }) => claim === undefined));
    const text = readFileSync(path.join(home, 'review', 'job-7.md'), 'utf8');
    const original = readFileSync(path.join(home, 'quarantine', `${id}.md`), 'utf8');
    assert.equal(text, original.replace(/needs:\n {2}- .*\n/, ''));
    assert.deepEqual(
      [
        (await factory.quarantine.entry(id))?.settled?.as,
        (await factory.quarantine.page({ offset: 0, limit: 9 })).count,
      ],
      ['requeued', 0],
    );
  });

  it('keeps the engine’s session and worktree where it can resume, on a branch without the old epoch', async () => {
    const calls = scratchFolder();
    const engines = { mine: sessionEngine(calls, 'echo work >> work.txt') };
    const { factory, fleet, id } = await quarantined(home, repo, [], {
      factory: { settings: { engines } },
      manifest: { engine: 'mine', body: 'Write it.\n' },
    });
    const before = await factory.quarantine.entry(id);
    assert.equal(before?.session, 'session-7');
    await factory.execute({ verb: 'requeue', id });
    const row = await waitForStage(factory, 'job-7', 'review');
    assert.equal(row.folder, before?.folder);
    assert.equal(git(row.folder ?? '', 'symbolic-ref', 'HEAD'), 'refs/heads/agent-queue/job-7');
    const second = readFileSync(path.join(calls, '2'), 'utf8');
    assert.match(second, /^args: --resume session-7\n/);
    assert.doesNotMatch(second, /Write it/);
    const { commit } = await factory.changes('job-7');
    assert.equal(git(repo, 'show', `${commit}:work.txt`), 'work\nwork');
    assert.equal(git(repo, 'rev-parse', before?.work?.workRef ?? ''), before?.work?.commit);
    await factory.execute({ verb: 'approve', id: 'job-7' });
    assert.equal((await factory.execute({ verb: 'ship', id: 'job-7' })).ok, true);
    assert.equal(git(repo, 'show', 'main:work.txt'), 'work\nwork');
    // Its worktree was given back as the new job's.
    const again = await quarantineOne({ factory, fleet }, repo, ['true'], { jobId: 'next' });
    assert.equal((await factory.quarantine.entry(again))?.folder, before?.folder);
  });

  it('begins anew where the worktree of the session is gone, and takes the next free name', async () => {
    const calls = scratchFolder();
    const engines = { mine: sessionEngine(calls, 'echo work >> work.txt') };
    const { factory, id } = await quarantined(home, repo, [], {
      factory: { settings: { engines } },
      manifest: { engine: 'mine', body: 'Write it.\n' },
    });
    const { folder = '' } = (await factory.quarantine.entry(id)) ?? {};
    git(repo, 'worktree', 'remove', '--force', folder);
    const own = await factory.add('---\nengine: shell\nneeds: [never]\n---\n# Own\n', 'job-7');
    assert.equal(own, 'job-7');
    assert.match((await factory.execute({ verb: 'requeue', id })).message, /as the job job-7-2\.$/);
    await waitForStage(factory, 'job-7-2', 'review');
    assert.match(readFileSync(path.join(calls, '2'), 'utf8'), /Write it/);
    assert.deepEqual(readdirSync(path.join(home, 'quarantine/settling')), []);
    assert.ok(existsSync(path.join(home, 'quarantine', `${id}.md`)));
  });
});
