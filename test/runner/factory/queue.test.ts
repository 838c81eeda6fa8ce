/** Who runs when: order, limits, locks, needs, requirements, retries, and a person's word. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Factory } from '../../../src/runner/factory.ts';
import { steeredClock } from '../support/clock.ts';
import {
  closeFactories,
  openTestFactory,
  processesOf,
  waitForJob,
  waitForStage,
  waitUntil,
} from '../support/factory.ts';
import { jobFile, script } from '../support/job-file.ts';
import { git, scratchFolder, scratchHome, scratchRepo, write } from '../support/scratch.ts';

/** Ends as soon as the file is there. */
const until = (file: string) => `while [ ! -e '${file}' ]; do sleep 0.05; done`;

describe('queue', function () {
  this.timeout(30_000);
  afterEach(closeFactories);

  let folder: string;
  let home: string;
  beforeEach(() => {
    folder = scratchFolder();
    home = scratchHome();
  });
  const lines = (name: string) => readFileSync(path.join(folder, name), 'utf8').trim().split('\n');

  /** A job in a folder of its own that is done as soon as its script is. */
  function job(front: Record<string, unknown>, ...script_: string[]): string {
    const cwd = scratchFolder();
    return jobFile({ cwd, review: 'skip', body: script(...script_), ...front });
  }

  async function queuedOrder(factory: Factory): Promise<string> {
    const { stages } = await factory.board();
    return (stages.find(({ stage }) => stage === 'queued')?.rows ?? []).map(({ id }) => id).join(' ');
  }

  it('runs by priority, then age, and as a person has reordered them', async () => {
    const factory = await openTestFactory(home, { settings: { maxParallel: 1 } });
    const note = `echo "$AQ_JOB_ID" >> '${folder}/order'`;
    for (const [name, priority] of [
      ['a', 5],
      ['b', 5],
      ['c', 5],
      ['high', 8],
      ['low', 2],
    ] as const) {
      await factory.add(job({ priority }, note), name);
    }
    assert.equal(await queuedOrder(factory), 'high a b c low');
    await factory.reorder(['low', 'c'], 'b');
    assert.equal(await queuedOrder(factory), 'high a low c b');
    await factory.reorder(['high'], undefined);
    assert.equal(await queuedOrder(factory), 'a low c b high');
    await factory.startRunner();
    await factory.idle();
    assert.deepEqual(lines('order'), ['a', 'low', 'c', 'b', 'high']);
  });

  it('keeps to maxParallel, and goes beyond it at a person’s word', async () => {
    const factory = await openTestFactory(home, { settings: { maxParallel: 1 } });
    for (const name of ['a', 'b', 'c']) await factory.add(job({}, until(`${folder}/go`)), name);
    await factory.startRunner();
    await waitForStage(factory, 'a', 'building');
    assert.equal(await queuedOrder(factory), 'b c');
    assert.deepEqual(await factory.execute({ verb: 'run', id: 'c' }), { ok: true, message: 'c runs now.' });
    await waitForStage(factory, 'c', 'building');
    assert.equal(await queuedOrder(factory), 'b');
    write(folder, { go: '' });
    await Promise.all(['a', 'b', 'c'].map((id) => waitForStage(factory, id, 'shipped')));
  });

  it('never runs two of one lock at once, in one home and across two', async () => {
    const lock = path.basename(folder);
    const enter = `mkdir '${folder}/inside' || echo both >> '${folder}/clash'; sleep 0.15; rmdir '${folder}/inside'`;
    const other = scratchHome();
    const factories = await Promise.all(
      [home, other].map((each) => openTestFactory(each, { settings: { maxParallel: 4 } })),
    );
    for (const [n, factory] of factories.entries()) {
      for (const name of ['a', 'b']) await factory.add(job({ lock }, enter), `${name}${n}`);
    }
    await Promise.all(factories.map((factory) => factory.startRunner()));
    await Promise.all(
      factories.flatMap((factory, n) =>
        ['a', 'b'].map((name) => waitForStage(factory, `${name}${n}`, 'shipped', { timeout: 25_000 })),
      ),
    );
    assert.equal(existsSync(path.join(folder, 'clash')), false);
  });

  it('tells when a file that was dropped is written, also where no runner looks', async () => {
    const factory = await openTestFactory(home);
    const waits: (string | undefined)[] = [];
    const told = Promise.withResolvers<void>();
    const look = async (): Promise<void> => {
      const { stages } = await factory.board();
      const [row] = stages.find(({ stage }) => stage === 'queued')?.rows ?? [];
      if (row === undefined) return;
      waits.push(row.waitsFor);
      if (row.waitsFor === undefined) told.resolve();
    };
    factory.onDidChange(() => void look());
    write(path.join(home, 'inbox'), { 'dropped.md': job({}, 'true') });
    await told.promise;
    assert.equal(waits[0], 'is still being written');
  });

  it('says which lock a job waits for, and who has it', async () => {
    const factory = await openTestFactory(home);
    const lock = path.basename(folder);
    await factory.add(job({ lock }, until(`${folder}/go`)), 'a');
    await factory.startRunner();
    await waitForStage(factory, 'a', 'building');
    await factory.add(job({ lock }, 'true'), 'b');
    const { stages } = await factory.board();
    const row = stages.find(({ stage }) => stage === 'queued')?.rows[0];
    assert.equal(row?.waitsFor, `waits for the lock ${lock}, held by a`);
    const answer = await factory.execute({ verb: 'run', id: 'b' });
    assert.deepEqual(
      [answer.ok, answer.message],
      [false, `b waits for the lock ${lock}, held by a. It stays in the inbox.`],
    );
    write(folder, { go: '' });
    await waitForStage(factory, 'b', 'shipped');
  });

  it('an approved job waits for its lock before anything is verified', async () => {
    const factory = await openTestFactory(scratchHome());
    const repo = scratchRepo();
    const lock = `verify-${process.pid}`;
    const log = path.join(scratchFolder(), 'log');
    await factory.startRunner();
    const id = await factory.add(jobFile({ cwd: repo, lock, verify: `echo verify >> ${log}` }), 'first');
    await waitForStage(factory, id, 'review');
    const other = await factory.add(
      jobFile({ cwd: scratchFolder(), lock, body: script('sleep 1', `echo other >> ${log}`) }),
      'other',
    );
    await waitForStage(factory, other, 'building');
    assert.equal((await factory.execute({ verb: 'approve', id })).ok, true);
    assert.equal(readFileSync(log, 'utf8'), 'other\nverify\n');
  });

  it('the lock stays with a job that outlives its runner', async () => {
    const lock = path.basename(folder);
    const first = await openTestFactory(home);
    await first.add(job({ lock }, until(`${folder}/go`), `echo a >> '${folder}/order'`), 'a');
    await first.startRunner();
    await waitForStage(first, 'a', 'building');
    await first.dispose();
    const next = await openTestFactory(home);
    await next.add(job({ lock }, `echo b >> '${folder}/order'`), 'b');
    const third = await next.add(job({}, 'true'), 'c');
    await next.startRunner();
    await waitForStage(next, third, 'shipped');
    assert.equal((await next.job('b'))?.stage, 'queued');
    write(folder, { go: '' });
    await waitForStage(next, 'b', 'shipped');
    assert.deepEqual(lines('order'), ['a', 'b']);
  });

  it('waits for the jobs that it needs, and for what the machine lacks, and says so', async () => {
    const factory = await openTestFactory(home);
    await factory.startRunner();
    await factory.add(job({ needs: ['first'] }, `echo second >> '${folder}/order'`), 'second');
    await factory.add(job({ requires: ['tool:no-such-tool'] }, 'true'), 'lacking');
    await factory.idle();
    const waits = async () => {
      const { stages } = await factory.board();
      return Object.fromEntries(
        (stages.find(({ stage }) => stage === 'queued')?.rows ?? []).map((row) => [row.id, row.waitsFor]),
      );
    };
    assert.deepEqual(await waits(), {
      second: 'needs first, and there is no such job',
      lacking: 'requires tool:no-such-tool, which this machine does not have',
    });
    await factory.add(job({}, `echo first >> '${folder}/order'`), 'first');
    await waitForStage(factory, 'second', 'shipped');
    assert.deepEqual(lines('order'), ['first', 'second']);
  });

  it('tries again by itself and gives up after the allowed attempts', async () => {
    const clock = steeredClock((ms) => Math.min(ms, 30));
    const now = clock.now.bind(clock);
    const factory = await openTestFactory(home, { clock: { ...clock, now } });
    await factory.startRunner();
    await factory.add(job({ retries: 1 }, `echo try >> '${folder}/tries'; exit 3`), 'one');
    await waitForJob(
      factory,
      'one',
      (row) => row.stage === 'queued' && existsSync(path.join(folder, 'tries')),
    );
    clock.jump(6_000);
    const row = await waitForStage(factory, 'one', 'dead_letter');
    assert.equal(
      row.reason?.text,
      'The script ended with exit status 3. That was attempt 2 of 2; no more are made by themselves.',
    );
    assert.deepEqual(lines('tries'), ['try', 'try']);
    assert.equal((await factory.execute({ verb: 'retry', id: 'one' })).ok, true);
    await waitForJob(factory, 'one', (each) => each.stage !== 'dead_letter');
  });

  it('an automatic retry starts from the base, and what the first attempt did is kept', async () => {
    const clock = steeredClock((ms) => Math.min(ms, 30));
    const factory = await openTestFactory(home, { clock });
    await factory.startRunner();
    const repo = scratchRepo();
    const body = script(
      'echo work >> work.txt',
      `test -e '${folder}/tried' || { touch '${folder}/tried'; exit 3; }`,
    );
    await factory.add(jobFile({ cwd: repo, retries: 1, body }), 'one');
    await waitForJob(
      factory,
      'one',
      (row) => row.stage === 'queued' && row.attempt === 0 && existsSync(path.join(folder, 'tried')),
    );
    clock.jump(6_000);
    await waitForStage(factory, 'one', 'review');
    const { commit } = await factory.changes('one');
    assert.equal(git(repo, 'show', `${commit}:work.txt`), 'work');
    assert.equal(git(repo, 'show', 'refs/agent-queue/one/attempt-1:work.txt'), 'work');
  });

  it('is not kept from an automatic retry by a wall clock that jumped back', async () => {
    const clock = steeredClock((ms) => Math.min(ms, 30));
    const factory = await openTestFactory(home, { clock });
    await factory.startRunner();
    await factory.add(
      job({ retries: 1 }, `test -e '${folder}/tried' || { touch '${folder}/tried'; exit 3; }`),
      'one',
    );
    await waitForJob(
      factory,
      'one',
      (row) => row.stage === 'queued' && existsSync(path.join(folder, 'tried')),
    );
    clock.jump(-3 * 86_400_000);
    await waitForStage(factory, 'one', 'shipped');
  });

  it('sleeps when the job that it would try again later has gone', async () => {
    const clock = steeredClock();
    const factory = await openTestFactory(home, { clock });
    await factory.startRunner();
    await factory.add(job({ retries: 1 }, `touch '${folder}/tried'; exit 3`), 'one');
    await waitForJob(
      factory,
      'one',
      (row) => row.stage === 'queued' && existsSync(path.join(folder, 'tried')),
    );
    await waitUntil(factory, async () =>
      clock.sleeps.some((ms) => ms > 1000 && ms <= 5000) ? true : undefined,
    );
    await factory.execute({ verb: 'cancel', id: 'one' });
    clock.jump(60_000);
    await factory.add(job({}, 'true'), 'two');
    await waitForStage(factory, 'two', 'shipped');
    const before = clock.sleeps.length;
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.ok(
      clock.sleeps.length - before < 5,
      `it looked around ${clock.sleeps.length - before} times in 100 ms`,
    );
  });

  it('cancels what is queued and what runs; nothing of it is left running', async () => {
    const factory = await openTestFactory(home, { settings: { maxParallel: 1 } });
    await factory.startRunner();
    await factory.add(job({}, `setsid -f sleep 1000; touch '${folder}/started'; exec sleep 1000`), 'running');
    await factory.add(job({}, 'true'), 'waiting');
    await waitUntil(factory, async () => (existsSync(path.join(folder, 'started')) ? true : undefined));
    assert.equal((await factory.execute({ verb: 'cancel', id: 'waiting' })).ok, true);
    assert.equal((await factory.job('waiting'))?.reason?.code, 'cancelled');
    assert.notEqual((await processesOf(home)).length, 0);
    assert.equal((await factory.execute({ verb: 'cancel', id: 'running' })).ok, true);
    assert.deepEqual(
      [(await factory.job('running'))?.stage, (await factory.job('running'))?.reason?.code],
      ['failed', 'cancelled'],
    );
    assert.deepEqual(await processesOf(home), []);
  });

  it('survives jumps of the clock by days in either direction', async () => {
    const clock = steeredClock();
    const factory = await openTestFactory(home, { clock });
    await factory.startRunner();
    for (const [name, jump] of [
      ['a', 3],
      ['b', -6],
      ['c', 3],
    ] as const) {
      await factory.add(job({}, 'sleep 0.2'), name);
      await waitForJob(factory, name, (row) => row.stage !== 'queued');
      clock.jump(jump * 86_400_000);
      await waitForStage(factory, name, 'shipped');
    }
  });
});
