import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Board } from '../../src/runner/board.ts';
import { dayOf } from '../../src/runner/budget.ts';
import { Layout } from '../../src/runner/home/layout.ts';
import { writeSharedSettings } from '../../src/runner/settings.ts';
import { EVENTS, scriptEngine } from '../runner/support/engines.ts';
import {
  closeFactories,
  openTestFactory,
  waitForJob,
  waitForStage,
  waitUntil,
} from '../runner/support/factory.ts';
import { jobFile, script } from '../runner/support/job-file.ts';
import { git, scratchFolder, scratchHome, scratchRepo } from '../runner/support/scratch.ts';
import { aq, start } from './aq.ts';

describe('aq', function () {
  this.timeout(30_000);
  afterEach(closeFactories);

  let home: string;
  let folder: string;
  beforeEach(() => {
    home = scratchHome();
    folder = scratchFolder();
  });

  /** A job file on disk; returns its path. */
  function file(name: string, text: string): string {
    writeFileSync(path.join(folder, name), text);
    return path.join(folder, name);
  }

  const inPlace = (...lines: string[]) => jobFile({ cwd: folder, review: 'skip', body: script(...lines) });

  it('takes a job from a file to main', async () => {
    const repo = scratchRepo();
    const added = await aq(home, [
      'add',
      file('Faster imports.job.md', jobFile({ cwd: repo, verify: ['test -f result.txt'] })),
    ]);
    assert.deepEqual(added, { code: 0, stdout: 'faster-imports\n', stderr: '' });
    const id = 'faster-imports';
    const ran = await aq(home, ['run', '--once']);
    assert.deepEqual([ran.code, ran.stdout.split('\n').at(-2), ran.stderr], [0, `${id}  review`, '']);
    assert.deepEqual(await aq(home, ['promote', id]), {
      code: 0,
      stdout: `${id} has passed and is ready to ship.\n`,
      stderr: '',
    });
    assert.deepEqual(await aq(home, ['ship', id]), {
      code: 0,
      stdout: `${id} has shipped: merged into main.\n`,
      stderr: '',
    });
    assert.equal(git(repo, 'show', 'main:result.txt'), 'done');
  });

  it('add reads standard input and several files, or nothing at all', async () => {
    const both = await aq(home, ['add', '-', file('a.md', inPlace('true')), '--json'], {
      input: inPlace('true'),
    });
    assert.deepEqual(JSON.parse(both.stdout), [
      { file: '-', id: 'job' },
      { file: path.join(folder, 'a.md'), id: 'a' },
    ]);
    const missing = await aq(home, ['add', file('b.md', 'x'), path.join(folder, 'missing.md')]);
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /missing\.md cannot be read .*; nothing was added\. Name a Markdown file/);
    assert.deepEqual(readdirSync(path.join(home, 'inbox')).sort(), ['a.md', 'job.md']);
  });

  it('a job without `cwd` works where it was added, wherever it is run', async () => {
    await aq(home, ['add', '-'], { input: jobFile({ review: 'skip' }), cwd: folder });
    const elsewhere = scratchFolder();
    assert.equal((await aq(home, ['run', '--once'], { cwd: elsewhere })).code, 0);
    assert.deepEqual(
      [existsSync(path.join(folder, 'result.txt')), existsSync(path.join(elsewhere, 'result.txt'))],
      [true, false],
    );
  });

  it('run --once tells by its exit code that a job did not succeed', async () => {
    await aq(home, [
      'add',
      file('good.md', inPlace('true')),
      file('bad.md', inPlace('exit 4')),
      file('wrong.md', '---\ntimeout: abc\n---\nx'),
    ]);
    const ran = await aq(home, ['run', '--once']);
    assert.equal(ran.code, 1);
    assert.match(ran.stdout, /^good {2}shipped$/m);
    assert.match(ran.stdout, /^bad {2}failed {2}The script ended with exit status 4\.$/m);
    assert.match(ran.stdout, /^wrong {2}blocked {2}.*line 2: timeout:/m);
    assert.deepEqual(await aq(home, ['run', '--once']), { code: 0, stdout: '', stderr: '' });
  });

  it('run --once --json prints one object a line', async () => {
    await aq(home, ['add', file('bad.md', inPlace('exit 4'))]);
    const { stdout, code } = await aq(home, ['run', '--once', '--json']);
    assert.equal(code, 1);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { id: string; stage: string });
    assert.deepEqual(lines.at(-1), {
      id: 'bad',
      stage: 'failed',
      why: 'The script ended with exit status 4.',
    });
  });

  it('run --once beside a live runner waits until that has nothing left', async () => {
    const window = await openTestFactory(home);
    await window.startRunner();
    const go = path.join(folder, 'go');
    await window.add(inPlace(`while [ ! -e '${go}' ]; do sleep 0.05; done`), 'one');
    const { ended } = start(home, ['run', '--once']);
    await waitForStage(window, 'one', 'building');
    writeFileSync(go, '');
    const outcome = await ended;
    assert.equal(outcome.code, 0);
    assert.match(outcome.stderr, /^Waiting: a test \(process \d+\) runs the jobs of this home\.$/m);
    assert.equal((await window.job('one'))?.stage, 'shipped');
  });

  it('run goes on until it is interrupted, and leaves what runs to the next', async () => {
    const go = path.join(folder, 'go');
    await aq(home, [
      'add',
      file('one.md', inPlace(`touch '${folder}/started'; while [ ! -e '${go}' ]; do sleep 0.05; done`)),
    ]);
    const { child, ended } = start(home, ['run']);
    const watcher = await openTestFactory(home);
    await waitUntil(watcher, async () => (existsSync(path.join(folder, 'started')) ? true : undefined));
    const status = JSON.parse((await aq(home, ['status', '--json'])).stdout) as { runner: unknown };
    assert.deepEqual(status.runner, { kind: 'elsewhere', pid: child.pid, what: 'aq' });
    child.kill('SIGINT');
    const { code, stderr } = await ended;
    assert.equal(code, 0);
    assert.match(stderr, /Engines that run go on/);
    writeFileSync(go, '');
    assert.equal((await aq(home, ['run', '--once'])).code, 0);
    assert.match((await aq(home, ['status'])).stdout, /shipped \(1\)/);
  });

  it('requests go to the runner that is there', async () => {
    const window = await openTestFactory(home);
    await window.startRunner();
    await window.add(inPlace('sleep 1000'), 'one');
    await waitForStage(window, 'one', 'building');
    const { code, stdout } = await aq(home, ['cancel', 'one', '--json']);
    assert.equal(code, 0);
    assert.deepEqual(JSON.parse(stdout), {
      id: 'one',
      ok: true,
      message: 'one was cancelled; nothing of it is left running, and its work is kept.',
    });
  });

  it('status shows what there is, as text and as JSON', async () => {
    const empty = await aq(home, ['status']);
    assert.match(empty.stdout, /Runner {2}stopped .*\n\nNothing here yet\./);
    await aq(home, [
      'add',
      file('one.md', jobFile({ title: 'Two\u001b[31m colours', cwd: folder, needs: ['other'] })),
    ]);
    const { stdout } = await aq(home, ['status']);
    assert.match(
      stdout,
      /^queued \(1\)\n {2}one {2}Two ?\[31m colours {2}\[shell, .*\]\n {6}needs other, and there is no such job$/m,
    );
    const { code, stdout: json } = await aq(home, ['status', '--json']);
    const status = JSON.parse(json) as {
      home: string;
      runner: unknown;
      stages: { stage: string; count: number }[];
    };
    assert.deepEqual([code, status.home, status.runner], [0, home, { kind: 'stopped' }]);
    assert.deepEqual(
      status.stages.filter(({ count }) => count > 0).map(({ stage }) => stage),
      ['queued'],
    );
  });

  it('status tells what was used, of what may be, and what that holds', async () => {
    const events = {
      ...EVENTS,
      costUsd: [{ path: 'cost', when: { type: 'result' } }],
      inputTokens: [{ path: 'in', when: { type: 'result' } }],
      outputTokens: [{ path: 'out', when: { type: 'result' } }],
    };
    const result = JSON.stringify({
      type: 'result',
      ok: true,
      text: 'Done.',
      cost: 0.3,
      in: 12_000,
      out: 500,
    });
    const layout = new Layout(home);
    mkdirSync(layout.root, { recursive: true });
    const paid = scriptEngine(`echo '${result}'`, { events });
    await writeSharedSettings(layout, { maxParallel: 1, engines: { paid } });
    const job = jobFile({ engine: 'paid', cwd: folder, body: 'Do it.' });
    await aq(home, ['add', file('one.md', job), file('two.md', job)]);
    const env = { AQ_BUDGET_PER_DAY_USD: '0.25', AQ_BUDGET_PER_DAY_TOKENS: '100000' };
    assert.match(
      (await aq(home, ['status'], { env })).stdout,
      /^Today {3}\$0\.00 of \$0\.25, 0 of 100k tokens$/m,
    );
    const ran = await aq(home, ['run', '--once'], { env });
    const held = 'until midnight: today’s runs have cost $0.30, and the ceiling of a day is $0.25';
    assert.equal(ran.code, 0);
    assert.equal(
      ran.stderr,
      `Nothing new is started ${held}. What runs goes on. To start more today, raise \`agentQueue.budget.perDayUsd\`.\n`,
    );

    const { stdout } = await aq(home, ['status'], { env });
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    assert.ok(
      stdout.includes(
        `Today   $0.30 of $0.25, 12.5k of 100k tokens\nHeld    nothing new is started ${held} (${zone})\n`,
      ),
      stdout,
    );
    assert.match(stdout, /^ {2}two .*\n {6}is held until midnight: today’s runs have cost/m);
    assert.match(stdout, /^ {2}one {2}Do it\. {2}\[paid, 0 files changed, \$0\.30, .*\]$/m);

    const status = JSON.parse((await aq(home, ['status', '--json'], { env })).stdout) as Board;
    const rows = status.stages.flatMap(({ rows }) => rows);
    const { durationMs, ...usage } = rows.find(({ id }) => id === 'one')?.usage ?? {};
    assert.deepEqual(usage, { costUsd: 0.3, inputTokens: 12_000, outputTokens: 500 });
    assert.ok((durationMs ?? 0) > 0);
    const { usage: sum, endsAt, ...today } = status.today;
    assert.deepEqual([sum?.costUsd, sum?.inputTokens, sum?.atLeast], [0.3, 12_000, undefined]);
    assert.ok(endsAt > Date.now());
    assert.deepEqual(today, {
      day: dayOf(Date.now()),
      timeZone: zone,
      ceilings: { costUsd: 0.25, tokens: 100_000 },
      hold: { until: endsAt, unit: 'usd', text: held },
    });
    // The environment's ceiling raised, the other job runs.
    assert.match((await aq(home, ['run', '--once'])).stdout, /^two {2}review/m);
  });

  it('log prints a log, and follows one to its end', async () => {
    const go = path.join(folder, 'go');
    await aq(home, [
      'add',
      file('one.md', inPlace('echo first', `while [ ! -e '${go}' ]; do sleep 0.05; done`, 'echo last')),
    ]);
    const none = await aq(home, ['log', 'one']);
    assert.deepEqual(
      [none.code, none.stderr],
      [1, 'one has not run yet, so there is no log. Run it with `aq run`.\n'],
    );
    const runner = await openTestFactory(home);
    await runner.startRunner();
    await waitForStage(runner, 'one', 'building');
    const { child, ended } = start(home, ['log', '-f', 'one']);
    await once(child.stdout ?? child, 'readable');
    writeFileSync(go, '');
    assert.deepEqual(await ended, { code: 0, stdout: 'first\nlast\n', stderr: '' });
    assert.equal((await aq(home, ['log', 'one'])).stdout, 'first\nlast\n');
  });

  it('follows from one command of a job to the next', async () => {
    const go = path.join(folder, 'go');
    const wait = `while [ ! -e '${go}' ]; do sleep 0.05; done`;
    await aq(home, ['add', '-'], {
      input: jobFile({
        cwd: folder,
        review: 'skip',
        setup: `echo setup; ${wait}`,
        body: script('echo engine'),
      }),
    });
    const runner = await openTestFactory(home);
    await runner.startRunner();
    await waitForJob(runner, 'job', (row) => row.activity === 'setup');
    const { child, ended } = start(home, ['log', '-f', 'job']);
    await once(child.stdout ?? child, 'readable');
    writeFileSync(go, '');
    assert.deepEqual(await ended, { code: 0, stdout: 'setup\nengine\n', stderr: '' });
  });

  it('retry queues again; a refusal says what is possible', async () => {
    await aq(home, ['add', file('one.md', inPlace(`test -e '${folder}/flag'`))]);
    await aq(home, ['run', '--once']);
    const early = await aq(home, ['ship', 'one']);
    assert.deepEqual(early, {
      code: 1,
      stdout: '',
      stderr: 'one is failed; shipping is not possible there. Nothing was changed. Possible now: retry.\n',
    });
    writeFileSync(path.join(folder, 'flag'), '');
    assert.deepEqual(await aq(home, ['retry', 'one']), {
      code: 0,
      stdout: 'one is queued again.\n',
      stderr: '',
    });
    assert.equal((await aq(home, ['run', '--once'])).code, 0);
  });

  it('knows the jobs that there are', async () => {
    for (const verb of ['promote', 'ship', 'retry', 'cancel', 'log']) {
      for (const id of ['nobody', '../../etc/passwd']) {
        const { code, stdout, stderr } = await aq(home, [verb, id]);
        assert.deepEqual([code, stdout], [3, ''], `${verb} ${id}`);
        assert.match(stderr, /^There is no job /);
      }
    }
  });

  it('exits with 2 when the command line cannot be read, and explains itself', async () => {
    for (const args of [['nonsense'], ['add'], ['log'], ['run', '--twice'], ['ship', 'a', 'b'], []]) {
      const { code, stderr } = await aq(home, args);
      assert.equal(code, 2, args.join(' '));
      assert.notEqual(stderr, '');
    }
    const help = await aq(home, ['--help']);
    assert.equal(help.code, 0);
    for (const text of ['add', 'run', 'status', 'log', 'promote', 'ship', 'retry', 'cancel', 'Exit codes:'])
      assert.ok(help.stdout.includes(text), text);
    assert.equal(existsSync(home), false, 'nothing of this makes a home');
  });

  it('--home wins over AQ_HOME, and one that cannot be is refused in words', async () => {
    const other = scratchHome('other home');
    await aq(home, ['--home', other, 'add', file('one.md', 'x')]);
    assert.deepEqual([existsSync(home), existsSync(path.join(other, 'inbox', 'one.md'))], [false, true]);
    mkdirSync(path.dirname(home), { recursive: true });
    writeFileSync(home, 'a file');
    const { code, stderr } = await aq(home, ['status']);
    assert.notEqual(code, 0);
    assert.doesNotMatch(stderr, /^\s+at /m);
  });
});
