import assert from 'node:assert/strict';
import { HOUR, MINUTE, SECOND } from '../../../src/platform/clock.ts';
import type { JobRow } from '../../../src/runner/board.ts';
import { opens } from '../../../src/views/text/job.ts';
import { jobRow } from '../../../src/views/text/job-row.ts';
import { job, NOW, t } from '../english.ts';

const row = (given: Partial<JobRow>) => jobRow(job({ engine: 'claude', ...given }), NOW, t);
const reason = { code: 'failed', text: 'The engine said that it failed.', at: NOW };

describe('row of a job', () => {
  it('says how long a running job has been at it, with whom and at what', () => {
    const startedAt = NOW - 2 * MINUTE - 7 * SECOND;
    assert.equal(row({ stage: 'building', startedAt, activity: 'engine' }).description, '2:07 · claude');
    assert.equal(
      row({ stage: 'testing', startedAt, activity: 'verify' }).description,
      '2:07 · claude · verifying',
    );
  });

  it('says since when a queued job has been waiting, and for what', () => {
    const text = row({ addedAt: NOW - 3 * HOUR, changedAt: NOW, waitsFor: 'waits for other-job' });
    assert.equal(text.description, '3 h · claude · waits for other-job');
    assert.equal(text.icon, 'watch');
  });

  it('says what there is to review, or why it came back', () => {
    assert.equal(row({ stage: 'review', files: 1 }).description, 'now · claude · 1 file');
    assert.equal(row({ stage: 'review', files: 0 }).description, 'now · claude · no files changed');
    const text = 'Merging it conflicts in a.ts.';
    assert.match(
      row({ stage: 'review', files: 3, reason: { ...reason, text } }).description,
      /conflicts in a\.ts\.$/,
    );
  });

  it('says in what time and for how much, as far as it is known', () => {
    const usage = { durationMs: 12 * MINUTE, costUsd: 0.42 };
    assert.equal(
      row({ stage: 'review', files: 3, usage }).description,
      'now · claude · 3 files in 12 min · $0.42',
    );
    const part = { ...usage, atLeast: ['costUsd'] } as const;
    assert.match(row({ stage: 'review', files: 3, usage: part }).description, /in 12 min · ≥ \$0\.42$/);
    const untold = row({ stage: 'review', files: 1, usage: { durationMs: 40 * SECOND } });
    assert.equal(untold.description, 'now · claude · 1 file in 40 s');
    const landed = { kind: 'merge', text: 'merged into main', at: NOW } as const;
    assert.equal(
      row({ stage: 'shipped', landed, usage }).description,
      'now · claude · merged into main · $0.42',
    );
  });

  it('says why a job failed, shortened, and where a shipped one went', () => {
    const long = { ...reason, text: 'x'.repeat(500) };
    assert.ok(row({ stage: 'failed', reason: long }).description.length < 110);
    const landed = { kind: 'merge', text: 'merged into main', at: NOW } as const;
    assert.equal(row({ stage: 'shipped', landed }).description, 'now · claude · merged into main');
  });

  it('carries what can be asked of the job as tokens for menus', () => {
    assert.equal(row({}).context, 'job queued can:run can:cancel');
    const review = row({ stage: 'review', files: 2, log: '/home/log' });
    assert.equal(review.context, 'job review can:approve can:sendBack can:reject has:log has:changes');
  });

  it('is spoken without seconds', () => {
    const text = row({ stage: 'building', startedAt: NOW - 65 * SECOND });
    assert.equal(text.spoken, 'Faster imports, Running, 1 min, claude');
  });

  it('takes a clock that was set back as no time at all', () => {
    assert.equal(row({ stage: 'building', startedAt: NOW + HOUR }).description, '0:00 · claude');
    assert.equal(row({ addedAt: NOW + HOUR }).description, 'now · claude');
  });
});

describe('click on a job', () => {
  const log = '/home/log';
  const cases: readonly [string, Partial<JobRow>, ReturnType<typeof opens>][] = [
    ['queued', { log }, 'file'],
    ['blocked', { stage: 'blocked', log }, 'file'],
    ['running', { stage: 'building', log }, 'log'],
    ['running without a log yet', { stage: 'assigned' }, 'file'],
    ['review', { stage: 'review', files: 2, log }, 'changes'],
    ['review of an answer without changes', { stage: 'review', files: 0, log }, 'log'],
    ['ready to ship', { stage: 'testing', readyToShip: true, files: 2 }, 'changes'],
    ['failed', { stage: 'failed', files: 2, log }, 'log'],
    ['failed without a log', { stage: 'failed' }, 'file'],
  ];
  for (const [name, given, opened] of cases) {
    it(`opens the ${opened}: ${name}`, () => assert.equal(opens(job(given)), opened));
  }
});
