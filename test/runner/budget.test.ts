import assert from 'node:assert/strict';
import { HOUR, MINUTE } from '../../src/platform/clock.ts';
import {
  type Budget,
  type DaySpend,
  dayOf,
  endOfDay,
  holdOf,
  withinCeiling,
} from '../../src/runner/budget.ts';
import {
  afterFailure,
  afterInterruption,
  assign,
  newState,
  retried,
  sentBack,
} from '../../src/runner/job/moves.ts';
import type { JobState } from '../../src/runner/job/state.ts';

/** In the zone: the process's own is set, as a person's machine has it. */
function inZone<T>(zone: string, work: () => T): T {
  const before = process.env['TZ'];
  process.env['TZ'] = zone;
  try {
    return work();
  } finally {
    if (before === undefined) delete process.env['TZ'];
    else process.env['TZ'] = before;
  }
}

describe('a day', () => {
  const cases: readonly [what: string, zone: string, at: string, day: string, end: string, hours: number][] =
    [
      ['is of 24 hours', 'UTC', '2026-11-26T12:00Z', '2026-11-26', '2026-11-27T00:00Z', 24],
      ['is that of the zone', 'Asia/Tokyo', '2026-11-26T18:00Z', '2026-11-27', '2026-11-27T15:00Z', 24],
      [
        'is of 23 when summer begins',
        'Europe/Berlin',
        '2026-03-29T10:00Z',
        '2026-03-29',
        '2026-03-29T22:00Z',
        23,
      ],
      ['is of 25 when it ends', 'Europe/Berlin', '2026-10-25T10:00Z', '2026-10-25', '2026-10-25T23:00Z', 25],
      // Clocks there went from 23:59:59 to 01:00, so that the next day had no midnight.
      [
        'ends where the next has no midnight',
        'America/Sao_Paulo',
        '2018-11-03T12:00Z',
        '2018-11-03',
        '2018-11-04T03:00Z',
        24,
      ],
      ['ends a year', 'UTC', '2026-12-31T23:59Z', '2026-12-31', '2027-01-01T00:00Z', 24],
    ];
  for (const [what, zone, at, day, end, hours] of cases) {
    it(`${what} (${zone})`, () =>
      inZone(zone, () => {
        const now = Date.parse(at);
        assert.equal(dayOf(now), day);
        assert.equal(new Date(endOfDay(now)).toISOString(), new Date(end).toISOString());
        assert.equal(dayOf(endOfDay(now) - 1), day, 'its last moment');
        assert.notEqual(dayOf(endOfDay(now)), day, 'the first of the next');
        const begin = endOfDay(endOfDay(now) - 26 * HOUR);
        assert.equal((endOfDay(now) - begin) / HOUR, hours);
      }));
  }
});

describe('a day’s ceiling', () => {
  const NOON = Date.parse('2026-11-26T12:00Z');
  const spend = (usage: DaySpend['usage'], more: Partial<DaySpend> = {}): DaySpend => ({
    day: '2026-11-26',
    usage,
    isLifted: false,
    ...more,
  });
  const hold = (given: DaySpend, budget: Budget, now = NOON) =>
    inZone('UTC', () => holdOf(given, budget, now));

  it('holds new work once it is used up, until midnight', () => {
    assert.equal(hold(spend({ costUsd: 4.99 }), { perDayUsd: 5 }), undefined);
    assert.deepEqual(hold(spend({ costUsd: 5 }), { perDayUsd: 5 }), {
      until: Date.parse('2026-11-27T00:00Z'),
      unit: 'usd',
      text: 'until midnight: today’s runs have cost $5.00, and the ceiling of a day is $5.00',
    });
  });

  it('counts tokens in and out together', () => {
    const used = spend({ inputTokens: 900_000, outputTokens: 200_000, atLeast: ['inputTokens'] });
    assert.equal(hold(used, { perDayTokens: 1_200_000 }), undefined);
    assert.match(
      hold(used, { perDayTokens: 1_000_000 })?.text ?? '',
      /have used at least 1\.1M tokens, and the ceiling of a day is 1M tokens$/,
    );
  });

  it('cannot hold what no engine has told, and holds by what is known of the rest', () => {
    assert.equal(hold(spend({}), { perDayUsd: 0.01 }), undefined);
    assert.equal(hold(spend({ inputTokens: 1e9 }), { perDayUsd: 0.01 }), undefined);
    assert.match(
      hold(spend({ costUsd: 6, atLeast: ['costUsd'] }), { perDayUsd: 5 })?.text ?? '',
      /at least \$6\.00/,
    );
  });

  it('holds nothing without a ceiling, on another day, or at a person’s word', () => {
    assert.equal(hold(spend({ costUsd: 100 }), { perJobUsd: 1 }), undefined);
    assert.equal(hold(spend({ costUsd: 100 }, { day: '2026-11-25' }), { perDayUsd: 1 }), undefined);
    assert.equal(hold(spend({ costUsd: 100 }, { isLifted: true }), { perDayUsd: 1 }), undefined);
    assert.equal(hold(spend(undefined), { perDayUsd: 1 }), undefined);
  });

  it('follows the clock where it is set', () => {
    const used = spend({ costUsd: 100 });
    assert.equal(hold(used, { perDayUsd: 1 }, NOON + 13 * HOUR), undefined);
    assert.ok(hold(used, { perDayUsd: 1 }, NOON + 11 * HOUR + 59 * MINUTE));
  });
});

describe('a job’s ceiling', () => {
  const running: JobState = {
    ...assign(newState({ id: 'one', title: 'One', priority: 5, addedAt: 0 }), 0),
    stage: 'building',
    usage: { costUsd: 0.5, inputTokens: 100, outputTokens: 1 },
  };
  const failure = { code: 'failed', text: 'It failed.' } as const;
  const again = afterFailure(running, failure, { retries: 3, resumable: true }, 1);
  const budget: Budget = { perJobUsd: 0.5 };

  it('lets a job with something left go on', () => {
    assert.equal(withinCeiling(again, { perJobUsd: 0.51, perJobTokens: 102 }, 2), again);
    assert.equal(withinCeiling({ ...again, usage: {} }, budget, 2).stage, 'queued');
  });

  it('blocks one that would be tried again by itself, with why and what to do', () => {
    const held = withinCeiling(again, budget, 2);
    assert.equal(held.stage, 'blocked');
    assert.deepEqual(held.reason, {
      code: 'budget',
      text: 'It failed. Its runs have cost $0.50, and the ceiling of a job is $0.50. It is not run again by itself, and its work is kept.',
      action:
        'Retry the job to run it once more all the same, or raise `agentQueue.budget.perJobUsd` before you do.',
      at: 2,
    });
    assert.equal(held.notBefore, undefined, 'a person who retries it does not wait');
    assert.match(withinCeiling(again, { perJobTokens: 101 }, 2).reason?.action ?? '', /perJobTokens/);
  });

  it('blocks one that would go on after it was cut off', () => {
    assert.equal(withinCeiling(afterInterruption(running, true, 1), budget, 2).stage, 'blocked');
  });

  it('gives a claimed one back instead: only its coordinator has it mended', () => {
    const claim = { jobId: 'j', epoch: 1, leaseMs: 1 };
    const held = withinCeiling(afterInterruption({ ...running, claim }, true, 1), budget, 2);
    assert.deepEqual([held.stage, held.reason?.code], ['failed', 'budget']);
    assert.match(held.reason?.action ?? '', /its coordinator gives it out again\.$/);
  });

  it('stands behind a person’s word: a retry and a comment are one run more', () => {
    const held = withinCeiling(again, budget, 2);
    for (const asked of [retried(held, 3, true), sentBack({ ...running, stage: 'review' }, 'Better.', 3)]) {
      assert.equal(withinCeiling(asked, budget, 4), asked);
    }
  });

  it('has no say in a job that runs nothing more', () => {
    const failed = afterFailure(running, failure, { retries: 0, resumable: true }, 1);
    assert.equal(withinCeiling(failed, budget, 2), failed);
    const review: JobState = { ...running, stage: 'review' };
    assert.equal(withinCeiling(review, budget, 2), review);
  });
});
