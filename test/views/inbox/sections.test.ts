import assert from 'node:assert/strict';
import { SECOND } from '../../../src/platform/clock.ts';
import { sectionOf, sectionsOf, tallyOf, waitsForPerson } from '../../../src/views/inbox/sections.ts';
import { board, job, NOW } from '../english.ts';

describe('sections of the Inbox', () => {
  it('stand in the order of what a person needs first, and only where they hold something', () => {
    const jobs = [
      job({ id: 'a', stage: 'shipped' }),
      job({ id: 'b', stage: 'failed' }),
      job({ id: 'c' }),
      job({ id: 'd', stage: 'blocked' }),
      job({ id: 'e', stage: 'review' }),
      job({ id: 'f', stage: 'testing', readyToShip: true }),
      job({ id: 'g', stage: 'building' }),
    ];
    assert.deepEqual(
      sectionsOf(board(jobs), new Map()).map(({ section }) => section),
      ['running', 'ready', 'review', 'blocked', 'queued', 'failed', 'shipped'],
    );
  });

  it('put a job in testing among the running ones until it waits for Ship, and again while it ships', () => {
    assert.equal(sectionOf({ stage: 'testing', activity: 'verify' }), 'running');
    assert.equal(sectionOf({ stage: 'testing', readyToShip: true }), 'ready');
    assert.equal(sectionOf({ stage: 'testing', readyToShip: true, activity: 'shipping' }), 'running');
  });

  it('show the longest running job first, across stages, and leave the queue in the order it will run', () => {
    const jobs = [
      job({ id: 'new', stage: 'assigned', startedAt: NOW }),
      job({ id: 'old', stage: 'building', startedAt: NOW - 9 * SECOND }),
      job({ id: 'z-first', addedAt: NOW }),
      job({ id: 'a-second', addedAt: NOW - 5 * SECOND }),
    ];
    const [running, queued] = sectionsOf(board(jobs), new Map());
    assert.deepEqual(
      running?.jobs.map(({ id }) => id),
      ['old', 'new'],
    );
    assert.deepEqual(
      queued?.jobs.map(({ id }) => id),
      ['z-first', 'a-second'],
    );
  });

  it('count jobs that the board does not hold, and take pages that have been read in their place', () => {
    const first = [job({ id: 'a', stage: 'shipped' })];
    const two = [...first, job({ id: 'b', stage: 'shipped' })];
    const [before] = sectionsOf(board(first, { shipped: 10_000 }), new Map());
    const [after] = sectionsOf(board(first, { shipped: 10_000 }), new Map([['shipped', two]]));
    assert.deepEqual([before?.count, before?.jobs.length], [10_000, 1]);
    assert.deepEqual([after?.count, after?.jobs.length], [10_000, 2]);
  });

  it('tally what runs, what waits for a person and what is queued', () => {
    const jobs = [
      job({ id: 'a', stage: 'building' }),
      job({ id: 'b', stage: 'review' }),
      job({ id: 'c', stage: 'blocked' }),
      job({ id: 'd', stage: 'testing', readyToShip: true }),
      job({ id: 'e' }),
      job({ id: 'f', stage: 'failed' }),
      job({ id: 'g', stage: 'quarantine' }),
    ];
    assert.deepEqual(tallyOf(board(jobs)), {
      running: 1,
      waiting: 4,
      quarantined: 1,
      queued: 1,
      total: 7,
    });
    assert.equal(waitsForPerson(job({ stage: 'failed' })), false);
  });
});
