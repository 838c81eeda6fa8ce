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
      quarantine: 'adopt requeue discard restore',
    });
  });

  it('of a claimed job no retry: only the coordinator gives it out again', () => {
    const claim = { jobId: 'a', epoch: 1 };
    assert.deepEqual(allowedVerbs({ stage: 'failed', claim }), []);
    assert.deepEqual(allowedVerbs({ stage: 'review', claim }), ['approve', 'sendBack', 'reject']);
  });

  it('of a result in quarantine by whether it is settled', () => {
    const claim = { jobId: 'a', epoch: 1 };
    assert.deepEqual(allowedVerbs({ stage: 'quarantine', claim }), ['adopt', 'requeue', 'discard']);
    const settled = { as: 'discarded', at: 0 } as const;
    assert.deepEqual(allowedVerbs({ stage: 'quarantine', claim, settled }), ['restore']);
  });

  it('in testing by what is going on', () => {
    assert.deepEqual(allowedVerbs({ stage: 'testing', activity: 'verify', readyToShip: false }), ['cancel']);
    assert.deepEqual(allowedVerbs({ stage: 'testing', readyToShip: true }), ['ship', 'sendBack', 'reject']);
    assert.deepEqual(allowedVerbs({ stage: 'testing', activity: 'shipping', readyToShip: false }), []);
    assert.deepEqual(allowedVerbs({ stage: 'failed' }), ['retry']);
  });
});
