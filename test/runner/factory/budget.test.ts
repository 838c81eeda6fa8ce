/** Ceilings on real homes: what engines tell is counted, and holds what has not begun. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { HOUR } from '../../../src/platform/clock.ts';
import type { Today } from '../../../src/runner/board.ts';
import { type Budget, dayOf, endOfDay } from '../../../src/runner/budget.ts';
import type { Factory } from '../../../src/runner/factory.ts';
import { Layout } from '../../../src/runner/home/layout.ts';
import { type AttachedRunner, type ClaimPolicy, type Hooks, offline } from '../../../src/runner/hooks.ts';
import type { ExplicitSettings } from '../../../src/runner/settings.ts';
import { writeSharedSettings } from '../../../src/runner/settings.ts';
import { readBegun } from '../../../src/runner/supervisor/records.ts';
import { steeredClock } from '../support/clock.ts';
import { EVENTS, scriptEngine } from '../support/engines.ts';
import {
  closeFactories,
  openTestFactory,
  type RecordingLog,
  recordingLog,
  waitForJob,
  waitForStage,
  waitUntil,
} from '../support/factory.ts';
import { jobFile } from '../support/job-file.ts';
import { scratchFolder, scratchHome, write } from '../support/scratch.ts';

const COSTING = {
  ...EVENTS,
  costUsd: [{ path: 'cost', when: { type: 'result' } }],
  inputTokens: [{ path: 'in', when: { type: 'result' } }],
};

describe('budget', function () {
  this.timeout(30_000);
  afterEach(closeFactories);

  let home: string;
  let folder: string;
  let log: RecordingLog;
  beforeEach(() => {
    home = scratchHome();
    folder = scratchFolder();
    log = recordingLog();
  });

  /** An engine that notes each run in `runs`, does `lines`, and says that it cost $0.30 and read 1000 tokens. */
  function engines(ok = true, lines = ':'): ExplicitSettings['engines'] {
    const result = JSON.stringify({ type: 'result', ok, text: 'Done.', cost: 0.3, in: 1000 });
    return {
      paid: scriptEngine(`echo run >> '${folder}/runs'\n${lines}\necho '${result}'`, {
        events: COSTING,
        session: 'told',
        resumeArgs: ['--resume', '{sessionId}'],
      }),
      untold: scriptEngine(
        `echo run >> '${folder}/runs'; echo '{"type":"result","ok":true,"text":"Done."}'`,
        {
          events: EVENTS,
        },
      ),
    };
  }
  const runs = () =>
    existsSync(path.join(folder, 'runs'))
      ? readFileSync(path.join(folder, 'runs'), 'utf8').split('\n').length - 1
      : 0;
  const until = (name: string) => `while [ ! -e '${folder}/${name}' ]; do sleep 0.05; done`;

  async function open(budget: Budget, settings: ExplicitSettings = {}, more: object = {}): Promise<Factory> {
    const factory = await openTestFactory(home, {
      log,
      settings: { maxParallel: 1, engines: engines(), budget, ...settings },
      ...more,
    });
    await factory.startRunner();
    return factory;
  }
  const add = (factory: Factory, name: string, front: Record<string, unknown> = {}) =>
    factory.add(jobFile({ engine: 'paid', cwd: scratchFolder(), body: 'Do it.', ...front }), name);
  const today = async (factory: Factory): Promise<Today> => (await factory.board()).today;

  async function waitsFor(factory: Factory, id: string): Promise<string> {
    const found = await waitUntil(factory, async () => {
      const { stages } = await factory.board();
      return stages.find(({ stage }) => stage === 'queued')?.rows.find((row) => row.id === id)?.waitsFor;
    });
    return found ?? 'nothing';
  }

  describe('of a job', () => {
    it('counts every attempt, and stops trying by itself when it is used up', async () => {
      const factory = await open({ perJobUsd: 0.5 }, { engines: engines(false) });
      await add(factory, 'one', { retries: 5 });
      // At once after the second run, not when a third is due 20 s later.
      const row = await waitForStage(factory, 'one', ['blocked', 'dead_letter'], { timeout: 15_000 });
      assert.deepEqual([row.stage, row.reason?.code, runs()], ['blocked', 'budget', 2]);
      assert.equal(
        row.reason?.text,
        'paid reported that it failed: Done. Its runs have cost $0.60, and the ceiling of a job is $0.50. It is not run again by itself, and its work is kept.',
      );
      assert.deepEqual(row.usage?.costUsd, 0.6);
      assert.equal(row.usage?.inputTokens, 2000);
      assert.equal(row.usage?.atLeast, undefined);
      assert.ok((row.usage?.durationMs ?? 0) > 0);
    });

    it('does not stop a person: each retry is one run more, and says what it has used', async () => {
      const factory = await open({ perJobTokens: 1000 }, { engines: engines(false) });
      await add(factory, 'one', { retries: 5 });
      await waitForStage(factory, 'one', 'blocked');
      assert.equal(runs(), 1);
      const { ok, message } = await factory.execute({ verb: 'retry', id: 'one' });
      assert.ok(ok);
      assert.match(
        message,
        /Its runs have used at least 1k tokens, and the ceiling of a job is 1k tokens\.$/,
      );
      await waitForJob(
        factory,
        'one',
        ({ stage, usage }) => stage === 'blocked' && usage?.inputTokens === 2000,
      );
      assert.equal(runs(), 2);
    });

    it('holds a retry that was queued before the ceiling was set', async () => {
      const clock = steeredClock((ms) => Math.min(ms, 100));
      const first = await open({}, { engines: engines(false) }, { clock });
      await add(first, 'one', { retries: 5 });
      await waitForJob(first, 'one', ({ stage }) => stage === 'queued' && runs() === 1);
      await first.dispose();
      const factory = await open({ perJobUsd: 0.3 }, { engines: engines(false) }, { clock });
      clock.jump(HOUR / 60);
      const row = await waitForStage(factory, 'one', ['blocked', 'review', 'dead_letter']);
      assert.deepEqual([row.stage, row.reason?.code, runs()], ['blocked', 'budget', 1]);
    });

    it('counts a run that was cancelled, as far as is known', async () => {
      const factory = await open({}, { engines: engines(true, until('go')) });
      await add(factory, 'one');
      await waitUntil(factory, async () => (runs() === 1 ? true : undefined));
      await factory.execute({ verb: 'cancel', id: 'one' });
      const row = await waitForStage(factory, 'one', 'failed');
      assert.ok((row.usage?.durationMs ?? 0) > 0);
      assert.equal(row.usage?.costUsd, undefined, 'not known, rather than nothing');
      assert.deepEqual(Object.keys((await today(factory)).usage ?? {}), ['durationMs']);
    });
  });

  it('takes what a run has used that was cut off for unknown, and the day’s sum for a lower bound', async () => {
    const factory = await open(
      { perDayUsd: 1 },
      { engines: engines(true, `[ -e '${folder}/go' ] || ${until('never')}`) },
    );
    await add(factory, 'one');
    await waitUntil(factory, async () => (runs() === 1 ? true : undefined));
    const begun = await readBegun(new Layout(home).command('one', 1, 'engine'));
    assert.ok(begun.state === 'read');
    process.kill(begun.value.supervisor.pid, 'SIGKILL');
    const row = await waitForStage(factory, 'one', 'failed', { timeout: 20_000 });
    assert.deepEqual([row.reason?.code, row.usage], ['interrupted', {}]);
    write(folder, { go: '' });
    await add(factory, 'two');
    await waitForStage(factory, 'two', 'review');
    const { usage } = await today(factory);
    assert.deepEqual([usage?.costUsd, usage?.atLeast], [0.3, ['durationMs', 'costUsd', 'inputTokens']]);
  });

  describe('of a day', () => {
    it('holds the next job and says until when; a running one goes on, and a restart forgets nothing', async () => {
      const settings = {
        maxParallel: 2,
        engines: engines(true, `[ -e '${folder}/quick' ] || ${until('go')}`),
      };
      const factory = await open({ perDayUsd: 0.3 }, settings);
      await add(factory, 'slow');
      await waitUntil(factory, async () => (runs() === 1 ? true : undefined));
      write(folder, { quick: '' });
      await add(factory, 'quick');
      await waitForStage(factory, 'quick', 'review');
      await add(factory, 'next');
      const text = 'until midnight: today’s runs have cost $0.30, and the ceiling of a day is $0.30';
      assert.equal(await waitsFor(factory, 'next'), `is held ${text}`);
      assert.equal((await factory.job('slow'))?.stage, 'building');
      assert.ok(
        log.lines.some((line) => line.startsWith(`warn Nothing new is started ${text}.`)),
        log.lines.join('\n'),
      );

      await factory.dispose();
      write(folder, { go: '' });
      const later = await open({ perDayUsd: 0.3 }, settings);
      await waitForStage(later, 'slow', 'review');
      assert.match(await waitsFor(later, 'next'), /today’s runs have cost \$0\.60/);
      assert.equal(runs(), 2);
      const { hold, usage, day, endsAt, ceilings } = await today(later);
      assert.deepEqual([usage?.costUsd, day, ceilings], [0.6, dayOf(Date.now()), { costUsd: 0.3 }]);
      assert.deepEqual([hold?.until, hold?.unit], [endOfDay(Date.now()), 'usd']);
      assert.equal(endsAt, hold?.until);
      await later.idle();
    });

    it('lets go at midnight', async () => {
      const clock = steeredClock((ms) => Math.min(ms, 100));
      const factory = await open({ perDayUsd: 0.3 }, {}, { clock });
      await add(factory, 'one');
      await waitForStage(factory, 'one', 'review');
      await add(factory, 'next');
      assert.match(await waitsFor(factory, 'next'), /^is held until midnight/);
      clock.jump(endOfDay(clock.now()) - clock.now() - 2000);
      assert.match(await waitsFor(factory, 'next'), /^is held until midnight/);
      clock.jump(2000);
      await waitForStage(factory, 'next', 'review');
      assert.equal((await today(factory)).hold, undefined);
    });

    it('wakes the runner by itself at midnight, not at its next slow look', async () => {
      // Real sleeps: its slow look would come 15 s later.
      const clock = steeredClock();
      const factory = await open({ perDayUsd: 0.3 }, {}, { clock });
      await add(factory, 'one');
      await waitForStage(factory, 'one', 'review');
      await add(factory, 'next');
      await waitsFor(factory, 'next');
      clock.jump(endOfDay(clock.now()) - clock.now() - 1500);
      // Anything that wakes it lets it plan its sleep anew.
      await add(factory, 'other', { priority: 1 });
      const from = performance.now();
      await waitForStage(factory, 'next', 'review');
      assert.ok(performance.now() - from < 10_000, `${performance.now() - from} ms`);
    });

    it('raised in the editor’s settings, it lets go at once, also for a runner in another process', async () => {
      const layout = new Layout(home);
      const given = { maxParallel: 1, engines: engines() };
      const seeds = await openTestFactory(home, { settings: { ...given, budget: { perDayUsd: 0.3 } } });
      await seeds.dispose();
      // As `aq` opens it: by the settings that the editor has left in the home.
      const factory = await openTestFactory(home, { log, settings: undefined as never });
      await factory.startRunner();
      await add(factory, 'one');
      await waitForStage(factory, 'one', 'review');
      await add(factory, 'next');
      await waitsFor(factory, 'next');
      const from = performance.now();
      await writeSharedSettings(layout, { ...given, budget: { perDayUsd: 1 } });
      await waitForStage(factory, 'next', 'review');
      assert.ok(performance.now() - from < 8000, `${performance.now() - from} ms`);
      assert.deepEqual((await today(factory)).ceilings, { costUsd: 1 });
    });

    it('lets a person run one job, or all of today’s, whoever is the runner', async () => {
      const factory = await open({ perDayUsd: 0.3 });
      await add(factory, 'one');
      await waitForStage(factory, 'one', 'review');
      for (const name of ['a', 'b', 'c']) await add(factory, name);
      await waitsFor(factory, 'b');
      assert.equal((await factory.execute({ verb: 'run', id: 'b' })).message, 'b runs now.');
      await waitForStage(factory, 'b', 'review');
      assert.match(await waitsFor(factory, 'a'), /cost \$0\.60/);
      const window = await openTestFactory(home, { settings: { budget: { perDayUsd: 0.3 } } });
      const from = performance.now();
      await window.runAnywayToday();
      await Promise.all(['a', 'c'].map((id) => waitForStage(factory, id, 'review')));
      assert.ok(performance.now() - from < 10_000, 'not at the next slow look');
      const { lifted, hold, usage } = await today(window);
      assert.deepEqual([lifted, hold, usage?.costUsd], [true, undefined, 1.2]);
    });

    it('in dollars cannot hold an engine that tells no cost; what it used is unknown, and the sum says so', async () => {
      const factory = await open({ perDayUsd: 0.5 });
      await add(factory, 'one', { engine: 'untold' });
      await waitForStage(factory, 'one', 'review');
      assert.deepEqual(Object.keys((await today(factory)).usage ?? {}), ['durationMs']);
      await add(factory, 'two');
      await waitForStage(factory, 'two', 'review');
      const { usage, hold } = await today(factory);
      assert.deepEqual([usage?.costUsd, usage?.atLeast, hold], [0.3, ['costUsd', 'inputTokens'], undefined]);
    });

    it('is not asked for scripts: they ask no model', async () => {
      const factory = await open({ perDayUsd: 0.5 });
      await factory.add(jobFile({ cwd: scratchFolder() }), 'script');
      const row = await waitForStage(factory, 'script', 'review');
      assert.deepEqual(Object.keys(row.usage ?? {}), ['durationMs']);
      assert.deepEqual(readdirSync(path.join(home, 'spend')), []);
    });

    it('keeps a fleet from claiming what could not be started', async () => {
      const asked: number[] = [];
      let runner: AttachedRunner | undefined;
      const policy: ClaimPolicy = { engines: ['paid'], roots: ['/'], yolo: false, commands: false };
      const hooks: Hooks = {
        ...offline,
        policy,
        attach: async (attached) => {
          runner = attached;
        },
        claim: async () => {
          asked.push(runs());
          return false;
        },
      };
      const factory = await open({ perDayUsd: 0.3 }, {}, { hooks });
      await waitUntil(factory, async () => (asked.length > 0 ? true : undefined));
      assert.equal(runner?.capacity().held, undefined);
      await add(factory, 'one');
      await waitForStage(factory, 'one', 'review');
      await factory.idle();
      assert.match(runner?.capacity().held ?? '', /^until midnight: today’s runs have cost \$0\.30/);
      const before = asked.length;
      await add(factory, 'next');
      await waitsFor(factory, 'next');
      assert.deepEqual(asked.slice(before), []);
      await factory.runAnywayToday();
      await waitForStage(factory, 'next', 'review');
      await waitUntil(factory, async () => (asked.length > before ? true : undefined));
      assert.equal(runner?.capacity().held, undefined);
    });
  });
});
