/** What people put into an inbox, and where they point it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import type { JobRow } from '../../../src/runner/board.ts';
import type { Factory } from '../../../src/runner/factory.ts';
import { STAGES } from '../../../src/runner/stages.ts';
import {
  closeFactories,
  openTestFactory,
  processesOf,
  waitForJob,
  waitForStage,
  waitUntil,
} from '../support/factory.ts';
import { jobFile, script } from '../support/job-file.ts';
import { emptyRepo, git, scratchFolder, scratchHome, scratchRepo, write } from '../support/scratch.ts';

describe('input', function () {
  this.timeout(20_000);
  afterEach(closeFactories);

  let home: string;
  let factory: Factory;
  beforeEach(async () => {
    home = scratchHome();
    factory = await openTestFactory(home, { settings: { maxParallel: 4 } });
  });

  const inbox = (name = '') => path.join(home, 'inbox', name);
  const job = (front: Record<string, unknown> = {}) =>
    jobFile({ cwd: scratchFolder(), review: 'skip', body: script('true'), ...front });

  /** Arrives whole, as if moved there by a file manager. */
  function drop(name: string, text: string | Uint8Array): void {
    const draft = path.join(scratchFolder(), 'draft');
    writeFileSync(draft, text);
    renameSync(draft, inbox(name));
  }

  async function rows(): Promise<JobRow[]> {
    return (await factory.board()).stages.flatMap(({ rows }) => rows);
  }

  async function where(): Promise<Record<string, string>> {
    return Object.fromEntries((await rows()).map(({ id, stage }) => [id, stage]));
  }

  async function blocked(front: Record<string, unknown> | string): Promise<{ code: string; text: string }> {
    await factory.startRunner();
    const id = await factory.add(typeof front === 'string' ? front : jobFile(front), 'job');
    const { reason } = await waitForStage(factory, id, ['blocked', 'failed', 'review', 'shipped']);
    return { code: reason?.code ?? '', text: reason?.text ?? '' };
  }

  describe('a front matter with a fault blocks the job, naming line, key and expectation', () => {
    for (const [what, text, reason] of [
      ['YAML', '---\nengine: shell\ntitle: [a\n---\nx', /line 3/],
      ['timeout 0', '---\nengine: shell\ntimeout: 0\n---\nx', /line 3: timeout: expected a duration/],
      ['timeout abc', '---\ntimeout: abc\n---\nx', /line 2: timeout: expected a duration such as 90s/],
      ['an unclosed front matter', '---\nengine: shell\n\nDo it.', /line 1: expected a line ---/],
      ['an empty prompt', '---\nengine: shell\n---\n \n', /expected a prompt/],
      ['NUL', '---\nengine: sh\0ell\n---\nx', /line 2/],
    ] as const) {
      it(what, async () => {
        const { code, text: said } = await blocked(text);
        assert.equal(code, 'bad-manifest');
        assert.match(said, reason);
      });
    }
  });

  it('a prompt of more than a megabyte is blocked, and kept', async () => {
    const { text } = await blocked(`---\nengine: shell\n---\n${'x'.repeat(1024 * 1024 + 1)}`);
    assert.match(text, /at most 1 MiB/);
    assert.equal(readFileSync(path.join(home, 'blocked', 'job.md')).length > 1024 * 1024, true);
  });

  it('a blocked job whose file was corrected can be retried', async () => {
    const cwd = scratchFolder();
    await blocked('---\ntimeout: abc\n---\nx');
    writeFileSync(
      path.join(home, 'blocked', 'job.md'),
      jobFile({ cwd, review: 'skip', body: script('true') }),
    );
    assert.equal((await factory.execute({ verb: 'retry', id: 'job' })).ok, true);
    await waitForStage(factory, 'job', 'shipped');
  });

  it('bytes that are no text do no harm', async () => {
    await factory.startRunner();
    drop('bytes.md', Buffer.from([0xff, 0xfe, 0x00, 0x2d, 0x80, 0x0a]));
    const row = await waitForJob(factory, 'bytes', ({ stage }) => stage !== 'queued' && stage !== 'assigned');
    assert.equal(row.stage, 'blocked');
  });

  describe('where', () => {
    it('a folder that is missing, is a file, or is nowhere blocks the job', async () => {
      const folder = scratchFolder();
      write(folder, { file: 'x' });
      assert.equal((await blocked({ cwd: path.join(folder, 'missing') })).code, 'cwd-missing');
      assert.equal((await blocked({ cwd: path.join(folder, 'file') })).code, 'cwd-not-a-folder');
      assert.equal((await blocked({})).code, 'no-cwd');
      assert.equal((await blocked({ cwd: 'relative' })).code, 'relative-cwd');
      assert.equal((await blocked({ cwd: emptyRepo() })).code, 'empty-repository');
      assert.equal((await blocked({ cwd: scratchRepo(), base: 'no-such-branch' })).code, 'base-not-found');
      assert.equal((await blocked({ repo: 'github.com/acme/none' })).code, 'no-clone');
    });

    it('outside any repository it is worked in place, and says so', async () => {
      await factory.startRunner();
      const cwd = scratchFolder();
      const id = await factory.add(jobFile({ cwd }), 'one');
      await waitForStage(factory, id, 'review');
      assert.equal(readFileSync(path.join(cwd, 'result.txt'), 'utf8'), 'done\n');
      await assert.rejects(factory.changes(id), /works in a folder outside any repository/);
      assert.equal((await factory.execute({ verb: 'approve', id })).ok, true);
      assert.equal((await factory.execute({ verb: 'ship', id })).ok, true);
    });

    it('`worktree: false` works in the checkout, and shows only what the job did', async () => {
      await factory.startRunner();
      const repo = scratchRepo({ files: { 'a.txt': 'a\n' } });
      write(repo, { 'mine.txt': 'mine' });
      const id = await factory.add(jobFile({ cwd: repo, worktree: false }), 'one');
      await waitForStage(factory, id, 'review');
      assert.deepEqual(
        (await factory.changes(id)).files.map((file) => file.path),
        ['result.txt'],
      );
      assert.equal(git(repo, 'status', '--porcelain'), '?? mine.txt\n?? result.txt');
      assert.equal((await factory.execute({ verb: 'approve', id })).ok, true);
      assert.deepEqual(await factory.execute({ verb: 'ship', id }), {
        ok: true,
        message: 'one has shipped: done in place.',
      });
    });

    it('uncommitted changes stay the person’s, and are not part of the work', async () => {
      await factory.startRunner();
      const repo = scratchRepo();
      write(repo, { 'a.txt': 'half done\n' });
      const id = await factory.add(jobFile({ cwd: repo, body: script('cat a.txt > seen.txt') }), 'one');
      await waitForStage(factory, id, 'review');
      const { commit: result } = await factory.changes(id);
      assert.equal(git(repo, 'show', `${result}:seen.txt`), 'a');
      assert.equal(readFileSync(path.join(repo, 'a.txt'), 'utf8'), 'half done\n');
      assert.match(
        readFileSync(path.join(home, 'runs', id, 'state.json'), 'utf8'),
        /1 uncommitted file in your checkout is not part of the work/,
      );
    });

    it('a detached HEAD has nowhere to merge to, and keeps the work on a branch', async () => {
      await factory.startRunner();
      const repo = scratchRepo();
      git(repo, 'checkout', '-q', '--detach');
      const id = await factory.add(jobFile({ cwd: repo, review: 'skip' }), 'one');
      const row = await waitForStage(factory, id, 'shipped');
      assert.equal(row.landed?.kind, 'none');
      assert.equal(git(repo, 'show', 'agent-queue/one:result.txt'), 'done');
    });

    it('a subfolder stays the same subfolder; `.worktreeinclude` and `setup` make it ready', async () => {
      await factory.startRunner();
      const repo = scratchRepo({
        files: { 'app/a.txt': 'a', '.gitignore': '.env\nnode\n', '.worktreeinclude': '.env\n' },
      });
      write(repo, { '.env': 'KEY=1' });
      const id = await factory.add(
        jobFile({
          cwd: path.join(repo, 'app'),
          setup: 'test -f a.txt && echo set > ../node',
          body: script('cat ../.env ../node a.txt > all.txt'),
        }),
        'one',
      );
      await waitForStage(factory, id, 'review');
      const { commit: result, files } = await factory.changes(id);
      assert.deepEqual(
        files.map((file) => file.path),
        ['app/all.txt'],
      );
      assert.equal(git(repo, 'show', `${result}:app/all.txt`), 'KEY=1set\na');
    });

    it('a setup that fails starts no engine', async () => {
      const { code, text } = await blocked({ cwd: scratchRepo(), setup: 'echo broken; exit 7' });
      assert.equal(code, 'setup');
      assert.match(text, /^`setup` ended with exit status 7; the engine was not started\./);
      const row = await factory.job('job');
      assert.equal(row?.stage, 'failed');
      assert.match(readFileSync(row?.log ?? '', 'utf8'), /broken/);
    });

    it('`repo` finds the clone by any spelling of its address', async () => {
      const parent = scratchFolder();
      const clone = path.join(parent, 'clone');
      git(parent, 'clone', '-q', scratchRepo({ files: { 'sub/b.txt': 'b' } }), clone);
      git(clone, 'remote', 'set-url', 'origin', 'git@github.com:Acme/App.git');
      const other = await openTestFactory(scratchHome(), { settings: { repositories: [parent] } });
      await other.startRunner();
      for (const [n, repo] of [
        'github.com/acme/app',
        'https://github.com/acme/app.git',
        'ssh://git@github.com/acme/app',
      ].entries()) {
        const id = await other.add(jobFile({ repo, cwd: 'sub', body: script('cat b.txt') }), `job-${n}`);
        const row = await waitForStage(other, id, ['review', 'failed', 'blocked']);
        assert.equal(path.basename(row.folder ?? ''), 'sub', row.reason?.text);
      }
    });
  });

  describe('names', () => {
    it('with spaces, line breaks, quotes, emoji and dots all run, as jobs of their own', async () => {
      const names = [
        'a b',
        'line\nbreak',
        `quo"te's`,
        '😀',
        '..x..',
        'a..b',
        '-rf',
        '$(touch x)',
        'ÄÖ',
        'x'.repeat(200),
        'CON',
        'a.lock',
      ];
      for (const name of names) drop(`${name}.md`, job());
      await factory.startRunner();
      await factory.idle();
      const { stages } = await factory.board();
      const shipped = stages.find(({ stage }) => stage === 'shipped')?.rows.map(({ id }) => id) ?? [];
      assert.equal(shipped.length, names.length - 1, 'one begins with a dot, and is hidden');
      for (const id of shipped) assert.match(id, /^[a-z0-9][a-z0-9._-]*$/);
      assert.deepEqual(readdirSync(inbox()), ['..x...md']);
      assert.equal(existsSync('x'), false);
    });

    it('that come to the same do not overwrite each other', async () => {
      drop('my job.md', job({ title: 'First' }));
      drop('my-job.md', job({ title: 'Second' }));
      drop('My Job.md', job({ title: 'Third' }));
      await factory.add(job({ title: 'Fourth' }), 'my job');
      await factory.startRunner();
      await factory.idle();
      assert.deepEqual((await rows()).map(({ title }) => title).sort(), [
        'First',
        'Fourth',
        'Second',
        'Third',
      ]);
    });

    it('that are in work or finished make the next of that name another job', async () => {
      await factory.startRunner();
      const go = path.join(scratchFolder(), 'go');
      drop('same.md', job({ body: script(`while [ ! -e '${go}' ]; do sleep 0.05; done`) }));
      await waitForStage(factory, 'same', 'building');
      drop('same.md', job({ title: 'Second' }));
      await waitForStage(factory, 'same-2', 'shipped');
      writeFileSync(go, '');
      await waitForStage(factory, 'same', 'shipped');
      drop('same.md', job({ title: 'Third' }));
      await waitForStage(factory, 'same-3', 'shipped');
    });

    it('a failed job that a person moves back into the inbox runs again as the same job', async () => {
      await factory.startRunner();
      const flag = path.join(scratchFolder(), 'flag');
      drop('one.md', job({ body: script(`test -e '${flag}'`) }));
      await waitForStage(factory, 'one', 'failed');
      writeFileSync(flag, '');
      renameSync(path.join(home, 'failed', 'one.md'), inbox('one.md'));
      const row = await waitForStage(factory, 'one', 'shipped');
      assert.deepEqual([row.id, row.attempt], ['one', 1]);
    });
  });

  describe('arrival', () => {
    it('a file that is written slowly is not taken before it is complete', async () => {
      await factory.startRunner();
      const text = jobFile({ cwd: scratchFolder(), review: 'skip', body: script('echo one', 'echo two') });
      const writer = `const fs = require('fs'); const [file, text] = process.argv.slice(1); let at = 0;
        const step = () => { fs.appendFileSync(file, text.slice(at, at += ${Math.ceil(text.length / 5)})); if (at < text.length) setTimeout(step, 400); };
        step();`;
      spawn(process.execPath, ['-e', writer, inbox('slow.md'), text], { stdio: 'inherit' });
      const row = await waitForStage(factory, 'slow', ['shipped', 'blocked', 'failed']);
      assert.equal(row.stage, 'shipped', row.reason?.text);
      assert.equal(readFileSync(row.log ?? '', 'utf8'), 'one\ntwo\n');
    });

    it('a file that is still growing when it is found is left until it stands still', async () => {
      writeFileSync(inbox('growing.md'), job());
      const [row] = (await factory.board()).stages[0]?.rows ?? [];
      assert.equal(row?.waitsFor, 'is still being written');
      await factory.startRunner();
      appendFileSync(inbox('growing.md'), '\nmore\n');
      await waitForStage(factory, 'growing', 'shipped');
    });

    it('a file that is deleted while it is queued is forgotten', async () => {
      drop('one.md', job({ needs: ['never'] }));
      await factory.startRunner();
      await waitUntil(factory, async () => ((await where())['one'] === 'queued' ? true : undefined));
      rmSync(inbox('one.md'));
      const gone = await waitUntil(factory, async () =>
        (await where())['one'] === undefined ? true : undefined,
      );
      assert.equal(gone, true);
    });

    it('a file that is deleted while its job runs takes the job with it, and nothing else', async () => {
      await factory.startRunner();
      const go = path.join(scratchFolder(), 'go');
      const repo = scratchRepo();
      drop(
        'one.md',
        jobFile({ cwd: repo, body: script('echo w > w.txt', `while [ ! -e '${go}' ]; do sleep 0.05; done`) }),
      );
      await waitForStage(factory, 'one', 'building');
      rmSync(path.join(home, 'building', 'one.md'));
      writeFileSync(go, '');
      await factory.add(job(), 'two');
      await waitForStage(factory, 'two', 'shipped');
      await waitUntil(factory, async () =>
        git(repo, 'for-each-ref', 'refs/agent-queue/one/wip') === '' ? undefined : true,
      );
      assert.equal(git(repo, 'show', 'refs/agent-queue/one/wip:w.txt'), 'w', 'the work is kept');
      assert.equal((await where())['one'], undefined);
    });
  });

  describe('damage', () => {
    it('a state that cannot be read hides nothing, and the job can be run anew', async () => {
      await factory.startRunner();
      await factory.add(jobFile({ cwd: scratchRepo() }), 'one');
      await waitForStage(factory, 'one', 'review');
      writeFileSync(path.join(home, 'runs', 'one', 'state.json'), '{"version": 1, "id"');
      assert.equal((await where())['one'], 'review');
      const answer = await factory.execute({ verb: 'approve', id: 'one' });
      assert.deepEqual(
        [answer.code, answer.action],
        ['no-state', 'Move the file back into the inbox to run it anew.'],
      );
      renameSync(path.join(home, 'review', 'one.md'), inbox('one.md'));
      await waitForStage(factory, 'one-2', 'review');
    });

    it('a job in work whose state cannot be read is ended and waits for a person; then it begins anew, in a run of its own', async () => {
      await factory.startRunner();
      const tries = path.join(scratchFolder(), 'tries');
      await factory.add(
        job({ body: script(`echo x >> '${tries}'`, `test $(wc -l < '${tries}') -gt 1 || sleep 1000`) }),
        'one',
      );
      await waitUntil(factory, async () => (existsSync(tries) ? true : undefined));
      await factory.dispose();
      writeFileSync(path.join(home, 'runs', 'one', 'state.json'), '');
      factory = await openTestFactory(home);
      await factory.startRunner();
      const row = await waitForStage(factory, 'one', 'blocked');
      assert.match(row.reason?.text ?? '', /cannot be read.*Nothing of it runs any more/);
      assert.deepEqual(await processesOf(home), [], 'the first try has been ended');
      assert.equal((await factory.execute({ verb: 'retry', id: 'one' })).ok, true);
      await waitForStage(factory, 'one', ['shipped', 'failed']);
      assert.equal(readFileSync(tries, 'utf8'), 'x\nx\n');
      assert.deepEqual(readdirSync(path.join(home, 'runs', 'one', 'attempts')), ['1', '2']);
    });

    it('garbage in the journal, in commands and in the settings stops nothing', async () => {
      await factory.startRunner();
      appendFileSync(path.join(home, 'journal.jsonl'), 'garbage\n{"id":\n\0\0\n');
      writeFileSync(path.join(home, 'commands', 'x.request.json'), 'garbage');
      writeFileSync(path.join(home, 'commands', 'y.answer.json'), 'garbage');
      writeFileSync(path.join(home, 'config.json'), 'garbage');
      await factory.add(job(), 'one');
      await waitForStage(factory, 'one', 'shipped');
      const { stages } = await factory.board();
      assert.deepEqual(
        stages.map(({ stage }) => stage),
        [...STAGES],
      );
    });
  });
});
