import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { identityOf, isAlive } from '../../../src/platform/processes/table.ts';
import { BEGUN_FILE, END_FILE } from '../../../src/runner/supervisor/contract.ts';
import { cleanUpLost, watchRun } from '../../../src/runner/supervisor/watch.ts';
import { begun, fastClock, launch, logged, makeScratch, marked, type Scratch } from './support.ts';

describe('watchRun', function () {
  this.timeout(30_000);
  let scratch: Scratch;
  beforeEach(async () => {
    scratch = await makeScratch();
  });
  afterEach(() => scratch.remove());

  const put = (name: string, content: unknown): Promise<void> =>
    writeFile(path.join(scratch.dir, name), typeof content === 'string' ? content : JSON.stringify(content));
  const dead = { pid: 4_000_000, startTime: 'long ago' };
  const end = {
    version: 1,
    endedBy: 'itself',
    exitCode: 0,
    signal: null,
    startedAt: 1,
    endedAt: 2,
    durationMs: 1,
    logBytes: 0,
    digest: { final: false, failed: false },
    survivors: 0,
  };

  it('finds a run lost whose supervisor was killed, and clears away what it left', async () => {
    const order = scratch.order(
      '(setsid sleep 100 &); trap "" HUP PIPE TERM; echo up; while :; do sleep 0.1; done',
    );
    const supervisor = launch(order);
    const first = await begun(scratch.dir);
    await logged(scratch.dir, 'up');
    const outcome = watchRun(scratch.dir);
    supervisor.kill('SIGKILL');
    await once(supervisor, 'exit');
    assert.deepEqual(await outcome, {
      lost: true,
      begun: first,
      reason: 'the supervisor has gone without a word',
    });
    assert.ok(await isAlive(first.child));
    assert.equal(await cleanUpLost(first, fastClock(20)), 0);
    assert.equal(await isAlive(first.child), false);
    assert.deepEqual(await marked(order.mark), []);
  });

  it('does not touch a process that has got the pid of the lost command', async () => {
    const bystander = launch(scratch.order('sleep 100'));
    const { pid = 0 } = bystander;
    const { startTime = '' } = (await identityOf(pid)) ?? {};
    assert.equal(
      await cleanUpLost({ mark: 'of-another-run', child: { pid, startTime: `${startTime}0` } }),
      0,
    );
    assert.ok(await isAlive({ pid, startTime }));
    bystander.kill('SIGTERM');
    await once(bystander, 'exit');
  });

  it('prefers the end that a dead supervisor has written', async () => {
    await put(BEGUN_FILE, { version: 1, mark: 'm', supervisor: dead, startedAt: 1 });
    await put(END_FILE, end);
    assert.deepEqual(await watchRun(scratch.dir), { lost: false, end });
  });

  it('says which file a crash has cut short', async () => {
    await put(BEGUN_FILE, { version: 1, mark: 'm', supervisor: dead, startedAt: 1 });
    await put(END_FILE, JSON.stringify(end).slice(0, 40));
    const cut = await watchRun(scratch.dir);
    assert.ok(cut.lost);
    assert.match(cut.reason, /gone without a word; end\.json cannot be read/);
    await put(END_FILE, { ...end, digest: null });
    const odd = await watchRun(scratch.dir);
    assert.ok(odd.lost);
    assert.match(odd.reason, /end\.json does not hold what it should/);
  });

  it('takes a run that never begins for lost, and keeps it from beginning later', async () => {
    const clock = fastClock(50);
    assert.deepEqual(await watchRun(scratch.dir, undefined, clock), {
      lost: true,
      reason: 'the run never began',
    });
    assert.equal(await readFile(path.join(scratch.dir, 'stop.json'), 'utf8'), '{"reason":"shutdown"}\n');
    await put(BEGUN_FILE, '{"version":1,');
    const cut = await watchRun(scratch.dir, undefined, clock);
    assert.ok(cut.lost);
    assert.match(cut.reason, /begun\.json cannot be read/);
  });

  it('waits for a directory that is made later, and ends with its signal', async () => {
    const dir = path.join(scratch.dir, 'later');
    const outcome = watchRun(dir, undefined, fastClock(20));
    await mkdir(dir);
    await writeFile(path.join(dir, END_FILE), JSON.stringify(end));
    assert.deepEqual(await outcome, { lost: false, end });
    const controller = new AbortController();
    const watched = watchRun(scratch.dir, controller.signal);
    controller.abort(new Error('enough'));
    await assert.rejects(watched, /enough/);
  });
});
