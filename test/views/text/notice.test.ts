import assert from 'node:assert/strict';
import { newlyWaiting, noticeText, waitingKeys } from '../../../src/views/text/notice.ts';
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
    const reason = { code: 'login', text: 'Claude Code is not logged in.', at: NOW };
    assert.equal(
      noticeText([job({ stage: 'blocked', reason })], t),
      '“Faster imports” is blocked: Claude Code is not logged in.',
    );
    assert.equal(noticeText([job(), job(), job()], t), '3 jobs wait for you.');
  });
});
