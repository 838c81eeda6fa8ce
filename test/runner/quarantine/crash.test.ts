/**
 * A process that is killed while it settles a result: the next one finishes or has nothing to finish, and asking again
 * makes no second job. `npm test` takes some of the points, others each day; AQ_TEST_ALL_CRASHES=1 takes all.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { buildSync } from 'esbuild';
import type { Factory } from '../../../src/runner/factory.ts';
import { closeFactories, openTestFactory, waitForStage } from '../support/factory.ts';
import { commit, emptyRepo, environment, git } from '../support/scratch.ts';
import { adoptingFleet } from './support/adopting-fleet.ts';
import { quarantined } from './support/quarantined.ts';

const TAKES_ALL = process.env['AQ_TEST_ALL_CRASHES'] === '1';
const SAMPLES = 3;
const DAY = Math.floor(Date.now() / 86_400_000);
const ID = 'job-7-e3';

type Verb = 'adopt' | 'discard' | 'requeue';
/** Adopted as a job of the laptop alone, or of a fleet. */
type Case = Verb | 'adopt in a fleet';

describe('a process that is killed while it settles a result', function () {
  this.timeout(600_000);
  let program: string;

  before(() => {
    const outdir = mkdtempSync(path.join(os.tmpdir(), 'aq-settle-'));
    process.once('exit', () => rmSync(outdir, { recursive: true, force: true }));
    program = path.join(outdir, 'settle-crash.mjs');
    buildSync({
      entryPoints: [path.join(import.meta.dirname, 'fixtures/settle-crash.ts')],
      outfile: program,
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node22',
      banner: {
        js: "import { createRequire as createRequire_ } from 'node:module'; const require = createRequire_(import.meta.url);",
      },
    });
  });
  afterEach(closeFactories);

  /** A home and a repository with one result; always the same. */
  async function scene(): Promise<{ home: string; repo: string }> {
    const repo = emptyRepo();
    commit(repo, { 'a.txt': 'a\n' }, 'first');
    const home = path.join(path.dirname(repo), 'home');
    const { factory } = await quarantined(home, repo, ['echo done > result.txt'], { jobId: 'job-7' });
    await factory.dispose();
    return { home, repo };
  }

  async function settle(home: string, what: Case, ...point: readonly string[]) {
    const child = spawn(process.execPath, [program, home, verbOf(what), ID, ...point], {
      env: { ...environment(), AQ_TEST_FLEET: what === 'adopt in a fleet' ? '1' : '0' },
      stdio: 'pipe',
    });
    const ended = new Promise<NodeJS.Signals | null>((resolve) =>
      child.once('close', (_code, signal) => resolve(signal)),
    );
    const [signal, said, wrong] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
    return { signal, said, wrong };
  }

  const jobsOf = (home: string) =>
    ['inbox', 'assigned', 'building', 'review', 'testing', 'failed', 'blocked'].flatMap((stage) =>
      readdirSync(path.join(home, stage))
        .filter((name) => name.endsWith('.md'))
        .map((name) => `${stage}/${name}`),
    );

  /** What has to be true when the next process has opened the home and the person has asked again. */
  const CHECKS: Record<Case, (factory: Factory, home: string, repo: string) => Promise<void>> = {
    async adopt(factory, home, repo) {
      const [only, ...others] = jobsOf(home);
      assert.deepEqual(others, []);
      const job = path.basename(only ?? '', '.md');
      const row = await factory.job(job);
      assert.deepEqual([row?.stage, row?.claim, row?.files], ['review', undefined, 1]);
      const { commit: work } = await factory.changes(job);
      assert.equal(git(repo, 'show', `refs/agent-queue/${job}/wip:result.txt`), 'done');
      assert.equal(git(repo, 'rev-parse', `refs/agent-queue/${job}/wip`), work);
      assert.equal((await factory.quarantine.entry(ID))?.settled?.job, job);
      await factory.execute({ verb: 'approve', id: job });
      assert.equal((await factory.execute({ verb: 'ship', id: job })).ok, true);
      assert.equal(git(repo, 'show', 'main:result.txt'), 'done');
    },
    async 'adopt in a fleet'(factory, home, repo) {
      const [only, ...others] = jobsOf(home);
      assert.deepEqual(others, []);
      const [, jobId = ''] = /^review\/(job-7-adopted-[0-9a-f]{8})-e1\.md$/.exec(only ?? '') ?? [];
      const row = await factory.job(`${jobId}-e1`);
      assert.deepEqual([row?.stage, row?.claim], ['review', { jobId, epoch: 1 }]);
      await factory.execute({ verb: 'approve', id: `${jobId}-e1` });
      assert.equal((await factory.execute({ verb: 'ship', id: `${jobId}-e1` })).ok, true);
      assert.equal(git(repo, 'show', 'main:result.txt'), 'done');
    },
    async requeue(factory, home) {
      const [only, ...others] = jobsOf(home);
      assert.deepEqual(others, []);
      const job = path.basename(only ?? '', '.md');
      assert.equal((await factory.quarantine.entry(ID))?.settled?.job, job);
      await factory.startRunner();
      await waitForStage(factory, job, 'review');
    },
    async discard(factory, home) {
      assert.deepEqual(jobsOf(home), []);
      assert.equal((await factory.quarantine.entry(ID))?.settled?.as, 'discarded');
      assert.equal((await factory.execute({ verb: 'restore', id: ID })).ok, true);
    },
  };

  for (const what of ['adopt', 'adopt in a fleet', 'requeue', 'discard'] as const) {
    const verb = verbOf(what);
    it(`${what}: it is done once, or not at all`, async () => {
      const first = await scene();
      const whole = await settle(first.home, what);
      assert.match(whole.said, /"ok":true/, whole.wrong);
      const { acts } = JSON.parse(whole.said) as { acts: number };
      assert.ok(acts >= (verb === 'discard' ? 3 : 8), `only ${acts} acts`);
      await closeFactories();

      const points = Array.from(
        { length: acts * 2 },
        (_, n) => [n % 2 === 0 ? 'before' : 'after', 1 + (n >> 1)] as const,
      );
      const chosen = TAKES_ALL ? points : sampleOf(points, SAMPLES, DAY);
      for (const [kind, n] of chosen) {
        const { home, repo } = await scene();
        try {
          const { signal, wrong } = await settle(home, what, kind, String(n));
          assert.equal(signal, 'SIGKILL', `it was not killed: ${wrong}`);
          const hooks = what === 'adopt in a fleet' ? { hooks: adoptingFleet } : {};
          const factory = await openTestFactory(home, hooks);
          // Whole at any moment: the job file, its record and the refs of the work.
          const entry = await factory.quarantine.entry(ID);
          assert.equal(git(repo, 'rev-parse', entry?.work?.workRef ?? ''), entry?.work?.commit);
          const again = await factory.execute({ verb, id: ID });
          assert.ok(again.ok || again.code === 'settled', `${again.code}: ${again.message}`);
          // A draft that was never finished is no intent.
          const intents = readdirSync(path.join(home, 'quarantine/settling'));
          assert.deepEqual(
            intents.filter((name) => !name.startsWith('.')),
            [],
          );
          await CHECKS[what](factory, home, repo);
        } catch (error) {
          throw new Error(`killed ${kind} act ${n} of ${acts}: ${String(error)}`, { cause: error });
        } finally {
          await closeFactories();
        }
      }
    });
  }
});

function verbOf(what: Case): Verb {
  return what === 'adopt in a fleet' ? 'adopt' : what;
}

/** Evenly spread, others each day. */
function sampleOf<T>(all: readonly T[], many: number, day: number): T[] {
  const step = all.length / many;
  return Array.from({ length: many }, (_, n) => all[Math.floor((n + ((day * 0.618) % 1)) * step)] as T);
}
