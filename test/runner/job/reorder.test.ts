import assert from 'node:assert/strict';
import { reordered } from '../../../src/runner/job/reorder.ts';
import { type QueuedJob, runOrder } from '../../../src/runner/job/schedule.ts';

function queue(...jobs: readonly [id: string, priority: number, queuedAt: number][]): QueuedJob[] {
  return jobs.map(([id, priority, queuedAt]) => ({
    id,
    priority,
    queuedAt,
    settled: true,
    locks: [],
    needs: [],
    requires: [],
  }));
}

/** The run order once the new places have been taken. */
function after(jobs: readonly QueuedJob[], ids: readonly string[], before: string | undefined): string {
  const places = new Map(reordered(jobs, ids, before).map((place) => [place.id, place]));
  const moved = jobs.map((job) => {
    const { priority = job.priority, queuedAt = job.queuedAt } = places.get(job.id) ?? {};
    return { ...job, priority, queuedAt };
  });
  return moved
    .sort(runOrder)
    .map(({ id }) => id)
    .join(' ');
}

describe('reordered', () => {
  const same = queue(['a', 5, 1000], ['b', 5, 2000], ['c', 5, 3000], ['d', 5, 4000]);

  it('moves one between two, to the front and to the end', () => {
    assert.equal(after(same, ['d'], 'b'), 'a d b c');
    assert.equal(after(same, ['c'], 'a'), 'c a b d');
    assert.equal(after(same, ['a'], undefined), 'b c d a');
  });

  it('keeps the given order of several', () => {
    assert.equal(after(same, ['d', 'a'], 'c'), 'b d a c');
    assert.equal(after(same, ['c', 'b'], undefined), 'a d c b');
  });

  it('changes a priority only where the place asks for one', () => {
    const mixed = queue(['high', 8, 5000], ['mid', 5, 1000], ['low', 2, 500]);
    assert.deepEqual(
      reordered(mixed, ['low'], 'mid').map(({ id, priority }) => [id, priority]),
      [['low', 5]],
    );
    assert.equal(after(mixed, ['low'], 'mid'), 'high low mid');
    assert.equal(after(mixed, ['high'], undefined), 'mid low high');
    assert.equal(after(mixed, ['low'], 'high'), 'low high mid');
    // 5 fits between 8 and 2 as it is.
    assert.deepEqual(reordered(mixed, ['mid'], 'low'), [{ id: 'mid', queuedAt: 1000 }]);
  });

  it('goes to the end when the neighbour is unknown, and passes over unknown jobs', () => {
    assert.equal(after(same, ['a', 'nobody'], 'nobody'), 'b c d a');
  });

  it('tells two apart that came at the same moment', () => {
    const twins = queue(['a', 5, 1000], ['b', 5, 1000], ['c', 5, 2000]);
    assert.equal(after(twins, ['c'], 'b'), 'a c b');
    assert.equal(after(twins, ['b'], 'a'), 'b a c');
    const many = queue(['a', 5, 1000], ['b', 5, 1000], ['c', 5, 1000], ['d', 5, 1000], ['e', 5, 1001]);
    assert.equal(after(many, ['d'], 'b'), 'a d b c e');
    assert.equal(after(many, ['e', 'a'], 'c'), 'b e a c d');
  });
});
