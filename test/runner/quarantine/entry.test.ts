/** What is kept of a result in quarantine, and how it is settled and opened again. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { closeFactories, openTestFactory, waitForStage } from '../support/factory.ts';
import { jobFile } from '../support/job-file.ts';
import { environment, git, scratchFolder, scratchHome, scratchRepo, write } from '../support/scratch.ts';
import { quarantined, quarantineOne, STALE } from './support/quarantined.ts';

describe('a result in quarantine', function () {
  this.timeout(30_000);
  let home: string;
  let repo: string;
  beforeEach(() => {
    home = scratchHome();
    repo = scratchRepo();
  });
  afterEach(closeFactories);

  it('is told with all that is known of it', async () => {
    const { factory, id } = await quarantined(home, repo, ['echo said', 'echo done > result.txt'], {
      where: { epoch: 4, holder: 'mac-studio', stage: 'building', takenAt: Date.now() },
      why: { ...STALE, facts: { currentEpoch: 4, sleptMs: 7_800_000, lapsedAt: Date.now() } },
    });
    const entry = await factory.quarantine.entry(id);
    assert.ok(entry?.work !== undefined);
    assert.deepEqual(
      [entry.jobId, entry.epoch, entry.stale?.currentEpoch, entry.stale?.holder, entry.stale?.stage],
      ['Job-7', 3, 4, 'mac-studio', 'building'],
    );
    assert.match(
      entry.why ?? '',
      /^This laptop slept for 2 h 10 min; the lease ran out at \d\d:\d\d; mac-studio took the job at \d\d:\d\d\.$/,
    );
    assert.deepEqual([entry.title, entry.engine, entry.reason.code], ['Faster imports', 'shell', 'fenced']);
    assert.deepEqual(
      entry.work.files.map(({ path, status }) => [path, status]),
      [['result.txt', 'added']],
    );
    assert.equal(git(repo, 'show', `${entry.work.commit}:result.txt`), 'done');
    assert.equal(entry.work.base, git(repo, 'rev-parse', 'main'));
    assert.equal(readFileSync(entry.log ?? '', 'utf8'), 'said\n');
    assert.match(readFileSync(entry.prompt, 'utf8'), /echo done/);
    assert.deepEqual(await factory.quarantine.entry('nobody'), undefined);
  });

  it('names nobody as having taken it where its own epoch was ended', async () => {
    const { factory, id } = await quarantined(home, repo, ['true'], {
      where: { epoch: 3, holder: 'this-laptop', stage: 'failed', takenAt: Date.now() },
      why: { code: 'fenced', text: 'Cancelled at the coordinator.' },
    });
    const { stale, why } = (await factory.quarantine.entry(id)) ?? {};
    assert.deepEqual([stale?.holder, why], [undefined, 'Nobody has the job now (failed).']);
  });

  it('has what `verify` said, where that has failed', async () => {
    const { factory, fleet, id } = await quarantined(home, repo, ['true'], {});
    await factory.execute({ verb: 'discard', id });
    const text = { verify: ['echo no luck; exit 1'] };
    const claim = { jobId: 'tested', epoch: 1, leaseMs: 900_000 };
    await fleet.runner?.materialise({ claim, text: jobFile({ cwd: repo, ...text }) });
    await waitForStage(factory, 'tested-e1', 'review');
    await factory.execute({ verb: 'approve', id: 'tested-e1' });
    await fleet.runner?.revoked('tested-e1', STALE);
    const entry = await factory.quarantine.entry('tested-e1');
    assert.equal(entry?.verify?.tail, 'no luck');
    assert.equal(readFileSync(entry?.verify?.log ?? '', 'utf8'), 'no luck\n');
  });

  it('can be read, and its work recovered, with nothing but an editor and git', async () => {
    const { factory, id } = await quarantined(home, repo, [
      'echo more >> a.txt; printf "\\000\\001" > b.bin; mkdir d; echo x > "d/e f.txt"',
    ]);
    const { work } = (await factory.quarantine.entry(id)) ?? {};
    await factory.dispose();
    const text = readFileSync(path.join(home, 'quarantine', `${id}.txt`), 'utf8');
    assert.match(text, /^Faster imports\n\nThis result is in quarantine: The job is now under epoch 4/);
    assert.match(text, /Job-7, under epoch 3/);
    // The worktree, the branch and all else of ours may go; git may tidy up.
    rmSync(path.join(home, 'worktrees'), { recursive: true });
    git(repo, 'worktree', 'prune');
    git(repo, 'for-each-ref', '--format=%(refname)', 'refs/heads/agent-queue')
      .split('\n')
      .filter((ref) => ref !== '')
      .forEach((ref) => git(repo, 'update-ref', '-d', ref));
    git(repo, 'reflog', 'expire', '--expire=now', '--all');
    git(repo, 'gc', '-q', '--prune=now');
    // What the text says to type is typed.
    const commands = text.split('\n').filter((line) => /^ {2}git -C /.test(line));
    assert.equal(commands.length, 3);
    const run = (line = '') =>
      execFileSync('sh', ['-c', line], { cwd: scratchFolder(), env: environment(), encoding: 'utf8' });
    assert.match(run(commands[0]), /\+more/);
    run(commands[1]);
    assert.equal(git(repo, 'rev-parse', `recovered-${id}`), work?.commit);
    run(commands[2]);
    assert.equal(readFileSync(path.join(repo, 'a.txt'), 'utf8'), 'a\nmore\n');
    assert.deepEqual([...readFileSync(path.join(repo, 'b.bin'))], [0, 1]);
    assert.equal(readFileSync(path.join(repo, 'd/e f.txt'), 'utf8'), 'x\n');
  });

  it('holds what was changed by hand since, and is there also without its record', async () => {
    const { factory, fleet, id } = await quarantined(home, repo, ['true']);
    assert.equal((await factory.quarantine.entry(id))?.work, undefined);
    const claim = { jobId: 'mended', epoch: 1, leaseMs: 900_000 };
    await fleet.runner?.materialise({ claim, text: jobFile({ cwd: repo }) });
    const { folder = '' } = await waitForStage(factory, 'mended-e1', 'review');
    write(folder, { 'by-hand.txt': 'x' });
    await fleet.runner?.revoked('mended-e1', STALE);
    const entry = await factory.quarantine.entry('mended-e1');
    assert.deepEqual(
      entry?.work?.files.map(({ path: file }) => file),
      ['by-hand.txt', 'result.txt'],
    );
    rmSync(path.join(home, 'quarantine', 'mended-e1.json'));
    assert.deepEqual(await factory.quarantine.entry('mended-e1'), entry);
    // Its state as well: then the file is all there is, and it can be discarded.
    rmSync(path.join(home, 'runs', 'mended-e1', 'state.json'));
    assert.equal((await factory.quarantine.entry('mended-e1'))?.reason.code, 'unknown');
    assert.equal((await factory.execute({ verb: 'adopt', id: 'mended-e1' })).code, 'no-work');
    assert.equal((await factory.execute({ verb: 'discard', id: 'mended-e1' })).ok, true);
  });

  it('discarded it is out of sight and whole, and can be restored', async () => {
    const { factory, id } = await quarantined(home, repo, ['echo done > result.txt']);
    const before = await factory.quarantine.entry(id);
    const refs = git(repo, 'for-each-ref');
    assert.equal((await factory.execute({ verb: 'restore', id })).code, 'open');
    const answer = await factory.execute({ verb: 'discard', id, text: 'Not needed.' });
    assert.deepEqual(answer, {
      ok: true,
      message: `${id} is discarded; it is kept for 30 days, and can be restored until then.`,
    });
    const seen = async () => {
      const { stages } = await factory.board();
      return {
        listed: (await factory.quarantine.page({ offset: 0, limit: 9 })).entries.map((each) => each.id),
        all: (await factory.quarantine.page({ offset: 0, limit: 9, all: true })).count,
        onBoard: stages.find(({ stage }) => stage === 'quarantine')?.count,
      };
    };
    assert.deepEqual(await seen(), { listed: [], all: 1, onBoard: 0 });
    assert.equal(git(repo, 'for-each-ref'), refs);
    for (const verb of ['discard', 'adopt', 'requeue'] as const) {
      const refused = await factory.execute({ verb, id });
      assert.deepEqual([refused.ok, refused.code], [false, 'settled']);
      assert.match(refused.message, /has been discarded: Not needed\. Nothing was changed\.$/);
    }
    assert.equal((await factory.job(id))?.settled?.as, 'discarded');
    assert.equal((await factory.execute({ verb: 'restore', id })).ok, true);
    assert.deepEqual(await seen(), { listed: [id], all: 1, onBoard: 1 });
    assert.deepEqual(await factory.quarantine.entry(id), before);
  });

  it('can be settled from another window, with the fleet off, and nobody running jobs', async () => {
    const { factory, id } = await quarantined(home, repo, ['echo done > result.txt']);
    const other = await openTestFactory(home);
    assert.equal((await other.execute({ verb: 'discard', id })).ok, true);
    assert.equal((await factory.quarantine.page({ offset: 0, limit: 9 })).count, 0);
    await factory.dispose();
    assert.equal((await other.execute({ verb: 'restore', id })).ok, true);
    assert.equal((await other.quarantine.entry(id))?.work?.files.length, 1);
    assert.equal((await other.quarantine.compare(id)).verdict.kind, 'unknown');
    assert.equal((await other.execute({ verb: 'adopt', id })).ok, true);
  });

  it('is listed newest first, a page at a time, and only the page is read', async () => {
    const { factory, fleet, id } = await quarantined(home, repo, ['true']);
    const second = await quarantineOne({ factory, fleet }, repo, ['true'], { jobId: 'second' });
    // Ten thousand more that nothing is known of but their files.
    const dir = path.join(home, 'quarantine');
    for (let n = 0; n < 10_000; n += 1) writeFileSync(path.join(dir, `old-${n}.md`), '# Old\n');
    const first = await factory.quarantine.page({ offset: 0, limit: 3 });
    assert.equal(first.count, 10_002);
    assert.deepEqual(
      first.entries.map((entry) => entry.id),
      [second, id, 'old-0'],
    );
    const last = await factory.quarantine.page({ offset: 10_000, limit: 50 });
    assert.equal(last.entries.length, 2);
    const began = performance.now();
    await factory.execute({ verb: 'discard', id: 'old-77' });
    await factory.quarantine.entry('old-78');
    assert.ok(performance.now() - began < 1000, 'settling one does not look at the others');
    assert.equal((await factory.quarantine.page({ offset: 0, limit: 1 })).count, 10_001);
  });

  it('asks nobody under the old epoch and tells the fleet of nothing, whatever is done with it', async () => {
    const { factory, fleet, id } = await quarantined(home, repo, ['echo done > result.txt']);
    const told = fleet.told.length;
    fleet.asked.length = 0;
    await factory.quarantine.compare(id);
    await factory.execute({ verb: 'discard', id });
    await factory.execute({ verb: 'restore', id });
    assert.equal((await factory.execute({ verb: 'adopt', id })).ok, true);
    assert.equal((await factory.execute({ verb: 'approve', id: 'job-7' })).ok, true);
    assert.equal((await factory.execute({ verb: 'ship', id: 'job-7' })).ok, true);
    const later = fleet.told.slice(told);
    assert.deepEqual(
      new Set(later.map(({ id, claim }) => `${id} ${claim?.epoch}`)),
      new Set(['job-7 undefined']),
    );
    assert.deepEqual(new Set(fleet.asked), new Set(['where Job-7', 'permit undefined']));
  });

  it('that was refused, or whose repository is gone, is one as well', async () => {
    const { factory, id } = await quarantined(home, repo, ['echo done > result.txt'], {
      why: { code: 'refused', text: 'The coordinator refused the report.' },
    });
    assert.equal((await factory.quarantine.entry(id))?.reason.code, 'refused');
    rmSync(repo, { recursive: true });
    assert.equal((await factory.quarantine.entry(id))?.work?.files.length, 1);
    assert.equal((await factory.execute({ verb: 'adopt', id })).code, 'repository-gone');
    await assert.rejects(factory.quarantine.patch(id), { code: 'repository-gone' });
    mkdirSync(repo);
    assert.ok(existsSync(path.join(home, 'quarantine', `${id}.txt`)));
    assert.deepEqual(readdirSync(path.join(home, 'quarantine', 'settling')), []);
  });
});
