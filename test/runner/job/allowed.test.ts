import assert from 'node:assert/strict';
import { allowedVerbs, verbsAllowedIn } from '../../../src/runner/job/allowed.ts';
import { STAGES } from '../../../src/runner/stages.ts';

describe('what can be asked', () => {
  it('by stage', () => {
    assert.deepEqual(Object.fromEntries(STAGES.map((stage) => [stage, verbsAllowedIn(stage).join(' ')])), {
      queued: 'run cancel',
      assigned: 'cancel',
      building: 'cancel',
      review: 'approve sendBack reject',
      testing: 'ship sendBack reject cancel',
      shipped: '',
      blocked: 'retry',
      failed: 'retry',
      dead_letter: 'retry',
      quarantine: '',
    });
  });

  it('of a claimed job no retry: only the coordinator gives it out again', () => {
    const claim = { jobId: 'a', epoch: 1 };
    assert.deepEqual(allowedVerbs({ stage: 'failed', claim }), []);
    assert.deepEqual(allowedVerbs({ stage: 'review', claim }), ['approve', 'sendBack', 'reject']);
  });

  it('in testing by what is going on', () => {
    assert.deepEqual(allowedVerbs({ stage: 'testing', activity: 'verify', readyToShip: false }), ['cancel']);
    assert.deepEqual(allowedVerbs({ stage: 'testing', readyToShip: true }), ['ship', 'sendBack', 'reject']);
    assert.deepEqual(allowedVerbs({ stage: 'testing', activity: 'shipping', readyToShip: false }), []);
    assert.deepEqual(allowedVerbs({ stage: 'failed' }), ['retry']);
  });
});
