/** One runner a home: who becomes it, what happens without one, and what it leaves to the next. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Hooks, offline } from '../../../src/runner/hooks.ts';
import { sessionEngine } from '../support/engines.ts';
import { closeFactories, openTestFactory, waitForJob, waitForStage, waitUntil } from '../support/factory.ts';
import { fullDisk } from '../support/full-disk.ts';
import { jobFile, script } from '../support/job-file.ts';
import { scratchFolder, scratchHome, scratchRepo, write } from '../support/scratch.ts';

const until = (file: string) => `while [ ! -e '${file}' ]; do sleep 0.05; done`;

describe('the runner of a home', function () {
  this.timeout(20_000);
  afterEach(closeFactories);

  let folder: string;
  let home: string;
  beforeEach(() => {
    folder = scratchFolder();
    home = scratchHome();
  });

  const job = (...lines: string[]) =>
    jobFile({ cwd: scratchFolder(), review: 'skip', body: script(...lines) });

  it('is one; the next takes over as soon as it leaves, and requests reach it from elsewhere', async () => {
    const [first, second] = await Promise.all([openTestFactory(home), openTestFactory(home)]);
    await first.startRunner();
    await second.startRunner();
    assert.deepEqual((await first.board()).runner, { kind: 'here' });
    assert.deepEqual((await second.board()).runner, { kind: 'elsewhere', pid: process.pid, what: 'a test' });
    const id = await second.add(jobFile({ cwd: scratchRepo() }), 'one');
    await waitForStage(second, id, 'review');
    assert.equal((await second.execute({ verb: 'approve', id })).ok, true);
    await first.stopRunner();
    await waitUntil(second, async () => ((await second.board()).runner.kind === 'here' ? true : undefined));
    assert.equal((await second.board()).runner.kind, 'here');
  });

  it('carries nothing out before the fleet knows what there is', async () => {
    const before = await openTestFactory(home);
    await before.startRunner();
    await before.add(jobFile({ cwd: scratchRepo() }), 'one');
    await waitForStage(before, 'one', 'review');
    await before.dispose();
    const told: string[] = [];
    const attached = Promise.withResolvers<void>();
    const hooks: Hooks = {
      ...offline,
      attach: async () => {
        told.push('attach');
        await attached.promise;
        told.push('attached');
      },
      transition: async ({ from, to }) => void told.push(`${from} ${to}`),
    };
    const factory = await openTestFactory(home, { hooks });
    const started = factory.startRunner();
    await waitUntil(factory, () => Promise.resolve(told.length > 0 || undefined));
    const elsewhere = await openTestFactory(home);
    const approved = elsewhere.execute({ verb: 'approve', id: 'one' });
    await sleep(700);
    attached.resolve();
    await started;
    assert.equal((await approved).ok, true);
    assert.deepEqual(told, ['attach', 'attached', 'review testing']);
  });

  it('gives an answer that a full disk does not take when there is room', async () => {
    const runner = await openTestFactory(home);
    await runner.startRunner();
    const id = await runner.add(jobFile({ cwd: scratchRepo() }), 'one');
    await waitForStage(runner, id, 'review');
    const elsewhere = await openTestFactory(home);
    const disk = fullDisk('.answer.json');
    const approved = elsewhere.execute({ verb: 'approve', id });
    try {
      await waitUntil(runner, () => Promise.resolve(disk.refused() > 0 || undefined));
    } finally {
      disk[Symbol.dispose]();
    }
    assert.equal((await approved).ok, true);
  });

  it('answers also when it could not begin', async () => {
    const factory = await openTestFactory(home);
    rmSync(path.join(home, 'assigned'), { recursive: true });
    await assert.rejects(factory.startRunner(), /ENOENT/);
    const { ok, code, message } = await factory.execute({ verb: 'cancel', id: 'one' });
    assert.deepEqual([ok, code], [false, 'not-begun']);
    assert.match(message, /could not begin: .*assigned.*Nothing was changed/);
  });

  it('takes up what runs, without starting it again and without a gap in its log', async () => {
    const first = await openTestFactory(home);
    await first.startRunner();
    await first.add(
      job(`echo before; echo x >> '${folder}/starts'`, until(`${folder}/go`), 'echo after'),
      'one',
    );
    await waitUntil(first, async () => (existsSync(path.join(folder, 'starts')) ? true : undefined));
    await first.dispose();
    const next = await openTestFactory(home);
    await next.startRunner();
    write(folder, { go: '' });
    const row = await waitForStage(next, 'one', 'shipped');
    assert.equal(readFileSync(path.join(folder, 'starts'), 'utf8'), 'x\n');
    assert.equal(readFileSync(row.log ?? '', 'utf8'), 'before\nafter\n');
  });

  it('takes up a setup that runs, and does not start the engine beside it', async () => {
    const first = await openTestFactory(home);
    await first.startRunner();
    const setup = `touch '${folder}/setup'; ${until(`${folder}/go`)}; echo setup >> '${folder}/order'`;
    await first.add(
      jobFile({
        cwd: scratchFolder(),
        review: 'skip',
        setup,
        body: script(`echo engine >> '${folder}/order'`),
      }),
      'one',
    );
    await waitUntil(first, async () => (existsSync(path.join(folder, 'setup')) ? true : undefined));
    await first.dispose();
    const next = await openTestFactory(home);
    await next.startRunner();
    setTimeout(() => write(folder, { go: '' }), 300);
    await waitForStage(next, 'one', 'shipped');
    assert.equal(readFileSync(path.join(folder, 'order'), 'utf8'), 'setup\nengine\n');
  });

  it('takes up a verify that runs, and goes on with it', async () => {
    const first = await openTestFactory(home);
    await first.startRunner();
    const verify = `echo v >> '${folder}/verified'; ${until(`${folder}/go`)}`;
    await first.add(jobFile({ cwd: scratchRepo(), review: 'skip', verify: [verify] }), 'one');
    await waitUntil(first, async () => (existsSync(path.join(folder, 'verified')) ? true : undefined));
    await first.dispose();
    const next = await openTestFactory(home);
    await next.startRunner();
    write(folder, { go: '' });
    await waitForStage(next, 'one', 'shipped');
    assert.equal(readFileSync(path.join(folder, 'verified'), 'utf8'), 'v\n');
  });

  it('without one a request is carried out at once, and the home is free again', async () => {
    const factory = await openTestFactory(home);
    const id = await factory.add(jobFile({ cwd: scratchFolder(), body: script('exit 1') }), 'one');
    await factory.startRunner();
    await waitForStage(factory, id, 'failed');
    await factory.stopRunner();
    const [one, two] = await Promise.all([
      factory.execute({ verb: 'retry', id }),
      factory.execute({ verb: 'cancel', id: 'nobody' }),
    ]);
    assert.deepEqual([one.ok, two.code], [true, 'no-such-job']);
    const other = await openTestFactory(home);
    await waitUntil(factory, async () =>
      (await other.board()).runner.kind === 'stopped' ? true : undefined,
    );
    // The one that has just let go may still be leaving.
    await other.startRunner();
    await waitUntil(other, async () => ((await other.board()).runner.kind === 'here' ? true : undefined));
  });

  it('a job that a person runs without one is let go of when the window closes, and goes on', async () => {
    const factory = await openTestFactory(home);
    await factory.add(job(until(`${folder}/go`)), 'one');
    assert.equal((await factory.execute({ verb: 'run', id: 'one' })).ok, true);
    await waitForStage(factory, 'one', 'building');
    await factory.dispose();
    const next = await openTestFactory(home);
    await next.startRunner();
    write(folder, { go: '' });
    await waitForStage(next, 'one', 'shipped');
  });

  it('two jobs that a person runs without one both come to their end', async () => {
    const factory = await openTestFactory(home);
    await factory.add(job('true'), 'quick');
    await factory.add(job(until(`${folder}/go`)), 'slow');
    assert.equal((await factory.execute({ verb: 'run', id: 'quick' })).ok, true);
    assert.equal((await factory.execute({ verb: 'run', id: 'slow' })).ok, true);
    await waitForStage(factory, 'quick', 'shipped');
    await waitForStage(factory, 'slow', 'building');
    write(folder, { go: '' });
    await waitForStage(factory, 'slow', 'shipped');
  });

  it('starting it while a request is carried out alone makes it the runner afterwards', async () => {
    const factory = await openTestFactory(home);
    await factory.add(job(until(`${folder}/go`)), 'one');
    await factory.execute({ verb: 'run', id: 'one' });
    await factory.startRunner();
    await factory.add(job('true'), 'two');
    write(folder, { go: '' });
    await waitForStage(factory, 'two', 'shipped');
    assert.equal((await factory.board()).runner.kind, 'here');
    await factory.stopRunner();
    const other = await openTestFactory(home);
    await other.startRunner();
    assert.equal((await other.board()).runner.kind, 'here');
  });

  it('what was sent back goes first, also for the next runner', async () => {
    const calls = scratchFolder();
    const settings = { maxParallel: 1, engines: { mine: sessionEngine(calls, '') } };
    const first = await openTestFactory(home, { settings });
    await first.startRunner();
    await first.add(jobFile({ engine: 'mine', cwd: scratchFolder(), priority: 1, body: 'back' }), 'back');
    await waitForStage(first, 'back', 'review');
    await first.stopRunner();
    await first.add(
      jobFile({ engine: 'mine', cwd: scratchFolder(), priority: 9, body: 'important' }),
      'important',
    );
    assert.equal((await first.execute({ verb: 'sendBack', id: 'back', text: 'again' })).ok, true);
    await first.dispose();
    const next = await openTestFactory(home, { settings });
    await next.startRunner();
    await waitForStage(next, 'important', 'review');
    await waitForJob(next, 'back', (row) => row.stage === 'review' && existsSync(path.join(calls, '3')));
    assert.match(readFileSync(path.join(calls, '2'), 'utf8'), /again/);
  });

  it('a folder that a job works in stays its own for the next runner', async () => {
    const cwd = scratchFolder();
    const first = await openTestFactory(home);
    await first.startRunner();
    await first.add(
      jobFile({ cwd, review: 'skip', body: script(until(`${folder}/go`), `echo a >> '${folder}/order'`) }),
      'a',
    );
    await waitForStage(first, 'a', 'building');
    await first.dispose();
    const next = await openTestFactory(home);
    await next.add(jobFile({ cwd, review: 'skip', body: script(`echo b >> '${folder}/order'`) }), 'b');
    const third = await next.add(job('true'), 'c');
    await next.startRunner();
    await waitForStage(next, third, 'shipped');
    write(folder, { go: '' });
    await waitForStage(next, 'b', 'shipped');
    assert.equal(readFileSync(path.join(folder, 'order'), 'utf8'), 'a\nb\n');
  });
});
