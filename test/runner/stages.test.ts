import assert from 'node:assert/strict';
import { allowedVerbs } from '../../src/runner/job/allowed.ts';
import {
  ACTIVE_STAGES,
  directoryOf,
  FINISHED_STAGES,
  mayFollow,
  STAGES,
  WAITING_STAGES,
} from '../../src/runner/stages.ts';

describe('stages', () => {
  it('lie in directories of their names, but for the inbox', () => {
    const other = STAGES.filter((stage) => directoryOf(stage) !== stage);
    assert.deepEqual(
      other.map((stage) => [stage, directoryOf(stage)]),
      [['queued', 'inbox']],
    );
  });

  it('shipped and quarantine are the end here, and every other stage has a way on', () => {
    for (const from of STAGES) {
      assert.equal(
        STAGES.some((to) => mayFollow(from, to)),
        from !== 'shipped' && from !== 'quarantine',
        from,
      );
    }
  });

  it('only what has been tested ships', () => {
    assert.deepEqual(
      STAGES.filter((from) => mayFollow(from, 'shipped')),
      ['testing'],
    );
  });

  it('every stage is taken up by the runner, waits for somebody, or is finished', () => {
    const known = ['queued', ...ACTIVE_STAGES, ...WAITING_STAGES, ...FINISHED_STAGES];
    assert.deepEqual([...known].sort(), [...STAGES].sort());
  });

  it('a person can act wherever a job waits for one', () => {
    for (const stage of WAITING_STAGES) assert.notEqual(allowedVerbs({ stage }).length, 0, stage);
  });
});
