/** Engines that misbehave, and what a job makes of them. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { JobRow } from '../../../src/runner/board.ts';
import { steeredClock } from '../support/clock.ts';
import { EVENTS, scriptEngine, sessionEngine } from '../support/engines.ts';
import {
  closeFactories,
  openTestFactory,
  processesOf,
  waitForJob,
  waitForStage,
  waitUntil,
} from '../support/factory.ts';
import { jobFile } from '../support/job-file.ts';
import { git, scratchFolder, scratchHome, scratchRepo } from '../support/scratch.ts';

const SAYS_DONE = `echo '{"type":"result","ok":true,"text":"All done."}'`;

describe('an engine that', function () {
  this.timeout(20_000);
  afterEach(closeFactories);

  let home: string;
  async function outcome(
    engine: Record<string, unknown>,
    front: Record<string, unknown> = {},
  ): Promise<JobRow> {
    home = scratchHome();
    const factory = await openTestFactory(home, { settings: { engines: { mine: engine } } });
    await factory.startRunner();
    const id = await factory.add(
      jobFile({ engine: 'mine', cwd: scratchRepo(), body: 'Do it.', ...front }),
      'one',
    );
    return waitForStage(factory, id, ['review', 'failed', 'blocked']);
  }

  it('says that it failed has failed, whatever its exit code', async () => {
    const row = await outcome(
      scriptEngine(
        `echo work > work.txt; echo '{"type":"result","ok":false,"text":"I could not."}'; exit 0`,
        { events: EVENTS },
      ),
    );
    assert.deepEqual([row.stage, row.reason?.text], ['failed', 'mine reported that it failed: I could not.']);
    assert.equal(row.files, 1, 'its work is kept');
  });

  it('ends without its final event has not finished', async () => {
    const row = await outcome(
      scriptEngine(`echo work > work.txt; echo '{"type":"init","id":"s"}'`, { events: EVENTS }),
    );
    assert.deepEqual([row.stage, row.reason?.code], ['failed', 'no-final-event']);
  });

  it('changes nothing and says nothing has no result', async () => {
    const row = await outcome(scriptEngine('exit 0'));
    assert.deepEqual([row.stage, row.reason?.code], ['failed', 'no-result']);
    assert.equal(row.reason?.text, 'mine said that it had finished, but changed nothing and gave no answer.');
  });

  it('changes something and says nothing has one', async () => {
    const row = await outcome(scriptEngine('echo x > new.txt'));
    assert.deepEqual(
      [row.stage, row.files, row.summary],
      ['review', 1, 'Changed files, and gave no answer.'],
    );
  });

  it('writes invalid UTF-8 leaves a log that is valid', async () => {
    const row = await outcome(scriptEngine(`printf 'caf\\351 \\377\\376 \\303'; echo; echo x > new.txt`));
    assert.equal(row.stage, 'review');
    const log = readFileSync(row.log ?? '');
    assert.equal(Buffer.compare(Buffer.from(log.toString('utf8')), log), 0);
    assert.match(log.toString(), /^caf\ufffd/);
  });

  it('never reads its prompt is not waited for', async () => {
    const row = await outcome(scriptEngine('echo x > new.txt'), { body: `${'word '.repeat(200_000)}\n` });
    assert.equal(row.stage, 'review');
  });

  it('never exits after its final event is ended, and has succeeded', async () => {
    const row = await outcome(
      scriptEngine(`echo x > new.txt; ${SAYS_DONE}; exec sleep 1000`, { events: EVENTS, lingerMs: 100 }),
    );
    assert.deepEqual([row.stage, row.summary], ['review', 'All done.']);
    assert.deepEqual(await processesOf(home), []);
  });

  it('never ends is ended at the time limit', async () => {
    const row = await outcome(scriptEngine('echo x > new.txt; exec sleep 1000'), { timeout: '1s' });
    assert.deepEqual([row.stage, row.reason?.code, row.files], ['failed', 'timeout', 1]);
    assert.deepEqual(await processesOf(home), []);
  });

  it('has hit a limit is run again by itself when it is lifted, in its session, and says until when it waits', async () => {
    home = scratchHome();
    const clock = steeredClock((ms) => Math.min(ms, 200));
    const calls = scratchFolder();
    const limited = `{"type":"result","ok":false,"text":"Rate limit reached. Please retry in 7200s."}`;
    const lines = `[ $n -gt 0 ] || { echo draft > new.txt; echo '${limited}'; exit 0; }`;
    const settings = { engines: { mine: sessionEngine(calls, lines) } };
    const factory = await openTestFactory(home, { settings, clock });
    await factory.startRunner();
    const id = await factory.add(jobFile({ engine: 'mine', cwd: scratchRepo(), body: 'Do it.' }), 'one');
    const waiting = await waitForJob(factory, id, (row) => row.reason?.code === 'rate-limit');
    assert.equal(waiting.stage, 'queued');
    assert.match(
      waiting.reason?.text ?? '',
      /Please retry in 7200s\. It is run again by itself on .+ \d\d:\d\d;/,
    );
    const other = await openTestFactory(home);
    const { stages } = await other.board();
    const [shown] = stages.find(({ stage }) => stage === 'queued')?.rows ?? [];
    assert.match(
      shown?.waitsFor ?? '',
      /^waits until .+ \d\d:\d\d for the limit of its engine to be lifted$/,
    );
    clock.jump(7_100_000);
    await sleep(1000);
    assert.equal((await factory.job(id))?.stage, 'queued', 'not before its time');
    clock.jump(101_000);
    const row = await waitForStage(factory, id, 'review');
    assert.deepEqual([row.attempt, row.files, row.reason], [1, 1, undefined]);
    assert.match(
      readFileSync(path.join(calls, '2'), 'utf8'),
      /^args: --resume session-7\nYour work was interrupted/,
    );
  });

  it('does not know its session any more begins one on top of what was commented, with the task and the comment', async () => {
    home = scratchHome();
    const calls = scratchFolder();
    const forgets = `case "$*" in *--resume*) echo 'There is no such session.' >&2; exit 1;; esac; echo $n > new-$n.txt`;
    const patterns = [{ match: 'no such session', code: 'no-session' }];
    const factory = await openTestFactory(home, {
      settings: { engines: { mine: sessionEngine(calls, forgets, { patterns }) } },
    });
    await factory.startRunner();
    const id = await factory.add(jobFile({ engine: 'mine', cwd: scratchRepo(), body: 'Do it.' }), 'one');
    await waitForStage(factory, id, 'review');
    await factory.execute({ verb: 'sendBack', id, text: 'Also this.' });
    const row = await waitForJob(factory, id, ({ stage, files }) => stage === 'review' && files === 2);
    assert.deepEqual([row.attempt, row.reason], [1, undefined]);
    const [first, second, third] = ['1', '2', '3'].map((n) => readFileSync(path.join(calls, n), 'utf8'));
    assert.match(first ?? '', /^args: \nDo it\.$/);
    assert.match(second ?? '', /^args: --resume session-7\nAlso this\.$/);
    assert.match(third ?? '', /^args: \nDo it\.\n\n.*comments:\n\nAlso this\.$/s);
  });

  it('leaves daemons behind leaves none', async () => {
    const pids = path.join(scratchFolder(), 'pids');
    const daemon = `setsid sh -c 'echo $$ >> "${pids}"; exec sleep 1000' >/dev/null 2>&1 </dev/null &`;
    const row = await outcome(
      scriptEngine(`${daemon}\nwhile [ ! -s '${pids}' ]; do sleep 0.02; done\necho x > new.txt`),
    );
    assert.equal(row.stage, 'review');
    assert.deepEqual(await processesOf(home), []);
  });

  it('is given a prompt of a megabyte gets every byte of it, and none as an argument', async () => {
    const prompt = `-x --flag "quotes" 'and' $(not run) \`nor\` \\ \u0001 é😀\n${'0123456789abcde\n'.repeat(65_000)}`;
    const copy = path.join(scratchFolder(), 'prompt');
    const row = await outcome(
      scriptEngine(
        `cat > '${copy}'; echo "arguments: $#" > new.txt; tr '\\0' ' ' < /proc/$$/cmdline >> new.txt`,
      ),
      { body: prompt },
    );
    assert.equal(row.stage, 'review', row.reason?.text);
    assert.equal(readFileSync(copy, 'utf8') === prompt, true);
    const seen = readFileSync(path.join(row.folder ?? '', 'new.txt'), 'utf8');
    assert.match(seen, /^arguments: 0\n/);
    assert.doesNotMatch(seen, /quotes/);
  });

  it('is not installed blocks the job, and says how to mend it', async () => {
    const row = await outcome({ executable: 'no-such-program-anywhere', label: 'Mine', install: 'get mine' });
    assert.deepEqual([row.stage, row.reason?.code], ['blocked', 'engine-missing']);
    assert.match(
      row.reason?.text ?? '',
      /Mine is not installed: no no-such-program-anywhere was found on the PATH\. Nothing was run\./,
    );
    assert.match(row.reason?.action ?? '', /get mine/);
  });

  it('does not exist, is misspelt, or is not named blocks the job', async () => {
    const unknown = await outcome({}, { engine: 'claud' });
    assert.deepEqual([unknown.stage, unknown.reason?.code], ['blocked', 'bad-manifest']);
    assert.match(unknown.reason?.text ?? '', /line 2: engine: expected one of .*did you mean claude\?/);
    const broken = await outcome({ args: [1] });
    assert.equal(broken.stage, 'blocked');
    assert.match(broken.reason?.text ?? '', /mine/);
    const none = await outcome({}, { engine: undefined });
    assert.deepEqual([none.stage, none.reason?.code], ['blocked', 'no-engine']);
  });

  it('needs nobody’s credentials does not see ours', async () => {
    home = scratchHome();
    const secret = 'hunter2-hunter2';
    const factory = await openTestFactory(home, {
      settings: { engines: { mine: scriptEngine('env > env.txt; echo the token is hunter2-hunter2') } },
      env: { ...process.env, GH_TOKEN: secret, AQ_FLEET_TOKEN: secret, MY_API_KEY: secret },
    });
    await factory.startRunner();
    const repo = scratchRepo();
    const id = await factory.add(jobFile({ engine: 'mine', cwd: repo, body: 'Do it.' }), 'one');
    const row = await waitForStage(factory, id, 'review');
    const { commit } = await factory.changes(id);
    assert.doesNotMatch(git(repo, 'show', `${commit}:env.txt`), /hunter2/);
    assert.doesNotMatch(readFileSync(row.log ?? '', 'utf8'), /hunter2/);
    const found = await waitUntil(factory, async () =>
      existsSync(path.join(home, 'runs', id, 'state.json')) ? true : undefined,
    );
    assert.equal(found, true);
    assert.doesNotMatch(readFileSync(path.join(home, 'runs', id, 'state.json'), 'utf8'), /hunter2/);
  });
});
