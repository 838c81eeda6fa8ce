import assert from 'node:assert/strict';
import { allowedVerbs } from '../../../src/runner/job/allowed.ts';
import { notAllowed, pickText, sentences } from '../../../src/views/text/messages.ts';
import { job, t } from '../english.ts';

describe('messages', () => {
  it('refuse with what the job is, what is safe and what can be done', () => {
    const review = job({ stage: 'review' });
    const { message, action } = notAllowed('ship', review, allowedVerbs(review), t);
    assert.equal(
      `${message} ${action}`,
      '“Faster imports” cannot be shipped: it is in “In Review” and has not passed yet. Nothing was changed. It can be: approved, sent back, rejected.',
    );
  });

  it('have a next step for every verb and stage', () => {
    const shipped = notAllowed('retry', job({ stage: 'shipped' }), [], t);
    assert.equal(shipped.action, 'There is nothing to decide for it.');
    for (const verb of [
      'run',
      'cancel',
      'retry',
      'sendBack',
      'approve',
      'reject',
      'ship',
      'adopt',
      'requeue',
      'discard',
      'restore',
      'log',
      'changes',
    ] as const) {
      const { ask, none } = pickText(verb, t);
      assert.match(ask, /\?$/);
      assert.match(none, /^No job .*\.$/);
    }
  });

  it('say the same thing about many jobs once', () => {
    const refused = { ok: false, message: 'The runner is gone.', action: 'Start it.' };
    assert.equal(
      sentences([refused, refused, { ok: true, message: 'Done.' }]),
      'The runner is gone. Start it. Done.',
    );
  });
});
