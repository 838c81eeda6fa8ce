/**
 * A coordinator and three factories as real processes, and everything that goes wrong with them. Two seeds here, more
 * with `npm run chaos`; whether the judge can see at all is shown by a program that is broken on purpose.
 */
import assert from 'node:assert/strict';
import { FAULT_KINDS, type Plan, planOf } from './plan.ts';
import { play } from './play.ts';
import { makePrograms, type Programs } from './programs.ts';
import { failureOf, figuresOf, missing } from './report.ts';
import { WITHOUT_PERMISSION } from './variants.ts';

/** Every kind of fault is in one of them. */
const SEEDS = [64, 365];

/** For one job that nothing disturbs, ms: a broken program never comes to rest. */
const LONG_ENOUGH = 6000;

/** Nothing goes wrong. */
const CALM: Plan = {
  ...planOf(1),
  jobs: [{ id: 'job-1', ship: 'push', workMs: 100, fails: false }],
  faults: [],
  calmAt: 0,
};

describe('a fleet of real processes in which everything goes wrong', function () {
  this.timeout(180_000);
  let programs: Programs;
  before(async () => {
    programs = await makePrograms();
  });
  after(() => programs.remove());

  it('meets every kind of fault in the seeds that follow', () => {
    const kinds = new Set(SEEDS.flatMap((seed) => planOf(seed).faults.map(({ kind }) => kind)));
    assert.deepEqual(kinds, new Set(FAULT_KINDS));
    if (missing !== undefined) console.log(`      ${missing}`);
  });

  for (const seed of SEEDS) {
    it(`ships each job at most once, and loses nothing: seed ${seed}`, async () => {
      const played = await play(planOf(seed), programs.cli);
      assert.deepEqual(played.findings, [], failureOf(seed, played));
      console.log(`      ${figuresOf(played)}`);
    });
  }

  it('is judged: a factory that ships without permission is found', async () => {
    const broken = await makePrograms(WITHOUT_PERMISSION.mutations);
    try {
      const { findings } = await play(CALM, broken.cli, LONG_ENOUGH);
      assert.match(
        findings.join('\n'),
        /job-1 landed at origin under epoch 1, for which nobody had accepted/,
      );
    } finally {
      broken.remove();
    }
  });
});
