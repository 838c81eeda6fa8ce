import assert from 'node:assert/strict';
import { MINUTE } from '../../../src/platform/clock.ts';
import { newlyWaiting, noticeText, notShown, viewFor, waitingKeys } from '../../../src/views/text/notice.ts';
import { board, job, NOW, t } from '../english.ts';

describe('notices', () => {
  it('are for jobs that have begun to wait for a person', () => {
    const before = waitingKeys(
      board([job({ id: 'a', stage: 'building' }), job({ id: 'b', stage: 'review' })]),
    );
    const after = waitingKeys(board([job({ id: 'a', stage: 'review' }), job({ id: 'b', stage: 'review' })]));
    assert.deepEqual(
      newlyWaiting(before, after).map(({ id }) => id),
      ['a'],
    );
  });

  it('come again for a job that was sent back and has returned', () => {
    const before = waitingKeys(board([job({ stage: 'review' })]));
    const after = waitingKeys(board([job({ stage: 'review', changedAt: NOW + 1 })]));
    assert.equal(newlyWaiting(before, after).length, 1);
  });

  it('are not for failures, which can wait', () => {
    assert.equal(
      waitingKeys(board([job({ stage: 'failed' }), job({ id: 'b', stage: 'dead_letter' })])).size,
      0,
    );
  });

  it('are one sentence, however many jobs there are', () => {
    assert.equal(noticeText([job({ stage: 'review' })], t), '“Faster imports” is ready for your review.');
    const usage = { durationMs: 12 * MINUTE, costUsd: 0.42 };
    assert.equal(
      noticeText([job({ stage: 'review', usage })], t),
      '“Faster imports” is ready for your review (12 min, $0.42).',
    );
    const reason = { code: 'login', text: 'Claude Code is not logged in.', at: NOW };
    assert.equal(
      noticeText([job({ stage: 'blocked', reason })], t),
      '“Faster imports” is blocked: Claude Code is not logged in.',
    );
    assert.equal(noticeText([job(), job(), job()], t), '3 jobs wait for you.');
    const stale = job({ stage: 'quarantine' });
    assert.equal(noticeText([stale, job()], t), '2 jobs wait for you.');
    assert.equal(
      noticeText([stale, stale], t),
      '2 results came too late and are in quarantine. Nothing of them was shipped.',
    );
    assert.deepEqual([viewFor([stale, stale]), viewFor([stale, job()])], ['quarantine', 'inbox']);
  });

  it('are not for what a view shows already', () => {
    const stale = job({ id: 's', stage: 'quarantine' });
    const all = [stale, job({ id: 'r', stage: 'review' })];
    const ids = (shown: Parameters<typeof notShown>[1]) => notShown(all, shown).map(({ id }) => id);
    assert.deepEqual(ids({ inbox: false, quarantine: false }), ['s', 'r']);
    assert.deepEqual(ids({ inbox: false, quarantine: true }), ['r']);
    assert.deepEqual(ids({ inbox: true, quarantine: false }), []);
  });
});
