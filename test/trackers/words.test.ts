import assert from 'node:assert/strict';
import { STAGES as ALL } from '../../src/runner/stages.ts';
import { commentText, markerOf, STAGES, stepOf } from '../../src/trackers/words.ts';

const PATH = '/home/pat/secret';

describe('the words of a comment', () => {
  it('know every stage', () => {
    assert.deepEqual([...STAGES].sort(), [...ALL].sort());
    const texts = STAGES.map((stage) => commentText('fix-login', [{ stage }], false));
    assert.equal(new Set(texts).size, ALL.length);
    for (const text of texts)
      assert.match(text, /^Agent Queue, job `[0-9a-f]{7}`: [a-z ]+\. [A-Z][a-z ,]+\.$/);
  });

  it('tell jobs apart by a code that tells nothing of them', () => {
    const [one, other] = ['fix-login', 'fix-logout'].map((id) =>
      commentText(id, [{ stage: 'shipped' }], false),
    );
    assert.notEqual(one, other);
    assert.doesNotMatch(`${one} ${markerOf('fix-login', 1, 'c0ffee')}`, /login/);
  });

  it('say that it was shipped', () => {
    assert.equal(
      commentText('fix-login', [{ stage: 'shipped' }], false),
      'Agent Queue, job `490c751`: shipped. It has been shipped.',
    );
  });

  it('list several steps in their order, and that there were earlier ones', () => {
    const steps = [stepOf('building', undefined), stepOf('failed', 'verify'), stepOf('queued', 'retry')];
    assert.equal(
      commentText('a.b', steps, true),
      'Agent Queue, job `2e7336d`: … → building → failed (its tests did not pass) → queued again. It waits for its next run.',
    );
  });

  it('tell why only for what is blocked or failed, by the code alone', () => {
    assert.deepEqual(stepOf('blocked', 'login'), { stage: 'blocked', reason: 'login' });
    for (const stage of ALL.filter((each) => each !== 'blocked' && each !== 'failed'))
      assert.deepEqual(stepOf(stage, 'login'), { stage });
    assert.match(commentText('a', [stepOf('failed', 'some-new-code')], false), /failed \(some new code\)\./);
    assert.match(commentText('a', [stepOf('failed', 'constructor')], false), /failed \(constructor\)\./);
  });

  it('never tell what is no code', () => {
    for (const code of [PATH, `Fix the login of ${PATH}`, '@acme/all', 'a'.repeat(41), '#12', '', 'a\nb'])
      assert.deepEqual(stepOf('failed', code), { stage: 'failed' });
  });

  it('hide the mark in a comment of HTML', () => {
    assert.equal(markerOf('fix-login', 3, 'c0ffee'), '<!-- agent-queue: 490c751 3 c0ffee -->');
  });
});
