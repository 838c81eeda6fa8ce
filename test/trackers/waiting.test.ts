import assert from 'node:assert/strict';
import { DAY, MINUTE, SECOND } from '../../src/platform/clock.ts';
import { pauseAfter } from '../../src/trackers/pause.ts';
import { added, type Conditions, type Entry, nextSend, tried, untried } from '../../src/trackers/waiting.ts';
import type { Stage } from '../../src/trackers/words.ts';

let marks = 0;

function entry(id: string, stage: Stage, issue = 'https://github.com/acme/app/issues/7'): Entry {
  marks += 1;
  return { id, run: 1, mark: `m${marks}`, issue, at: 5, steps: [{ stage }] };
}

const stagesOf = (waiting: readonly Entry[]) => waiting.map(({ steps }) => steps.map(({ stage }) => stage));
const fold = (...entries: Entry[]) => entries.reduce<readonly Entry[]>(added, []);

describe('comments that wait', () => {
  it('become one as long as none can exist, but only of one job on one issue', () => {
    const waiting = fold(
      entry('a', 'building'),
      entry('b', 'building'),
      entry('a', 'building', 'https://github.com/acme/app/issues/8'),
      entry('a', 'review'),
    );
    assert.deepEqual(stagesOf(waiting), [['building', 'review'], ['building'], ['building']]);
    const [first] = waiting as [Entry];
    const under = fold(...tried(waiting, first.mark, 9), entry('a', 'testing'), entry('a', 'shipped'));
    assert.deepEqual(stagesOf(under), [
      ['building', 'review'],
      ['building'],
      ['building'],
      ['testing', 'shipped'],
    ]);
    assert.deepEqual(
      under.map(({ triedAt }) => triedAt),
      [9, undefined, undefined, undefined],
    );
    // The first try is what counts.
    assert.equal(tried(under, first.mark, 99)[0]?.triedAt, 9);
    const back = untried(under, first.mark);
    assert.deepEqual(stagesOf(back), [
      ['building', 'review', 'testing', 'shipped'],
      ['building'],
      ['building'],
    ]);
    assert.equal(back[0]?.mark, first.mark);
  });

  it('are the newest 500, of at most 30 steps each', () => {
    const many = fold(...Array.from({ length: 502 }, (_, n) => entry(`job-${n}`, 'building')));
    assert.deepEqual([many.length, many[0]?.id, many.at(-1)?.id], [500, 'job-2', 'job-501']);
    const long = fold(...Array.from({ length: 31 }, (_, n) => entry('a', n === 30 ? 'failed' : 'queued')));
    assert.deepEqual(
      [long[0]?.steps.length, long[0]?.steps.at(-1)?.stage, long[0]?.isCut],
      [30, 'failed', true],
    );
    assert.equal(fold(entry('a', 'queued'), entry('a', 'failed'))[0]?.isCut, undefined);
  });

  describe('are sent', () => {
    const on = (n: number, id = `j${n}`) =>
      entry(id, 'building', `https://h${n % 2}.example/a/b/issues/${n}`);
    const conditions = (more: Partial<Conditions> = {}): Conditions => ({
      hostOf: ({ issue }) => new URL(issue).host,
      pausedUntil: new Map(),
      tries: new Map(),
      now: 1000,
      ...more,
    });
    const [one, two, three] = [on(1), on(2), on(3)];
    const waiting = [one, on(1, 'later'), two, three];

    it('never, when there are none', () => {
      assert.deepEqual(nextSend([], conditions()), { do: 'wait', ms: undefined });
    });

    it('in their order', () => {
      assert.deepEqual(nextSend(waiting, conditions()), { do: 'send', entry: one });
    });

    it('past an issue that is never answered for, and never two of one issue out of order', () => {
      const tries = new Map([[one.mark, 1]]);
      assert.deepEqual(nextSend(waiting, conditions({ tries })), { do: 'send', entry: two });
      tries.set(two.mark, 1).set(three.mark, 2);
      assert.deepEqual(nextSend(waiting, conditions({ tries })), { do: 'send', entry: one });
    });

    it('past a host or an issue that is left alone', () => {
      const pausedUntil = new Map([['h1.example', 1500]]);
      assert.deepEqual(nextSend(waiting, conditions({ pausedUntil })), { do: 'send', entry: two });
      pausedUntil.set(two.issue, 1200);
      assert.deepEqual(nextSend(waiting, conditions({ pausedUntil })), { do: 'wait', ms: 200 });
      assert.deepEqual(nextSend(waiting, conditions({ pausedUntil, now: 1200 })), { do: 'send', entry: two });
    });
  });

  it('wait longer after each failure, or as long as they are asked to', () => {
    assert.deepEqual(
      [1, 2, 3, 6, 7, 1000].map((failures) => pauseAfter(failures, 1)),
      [2, 4, 8, 60, 60, 60].map((s) => s * SECOND),
    );
    assert.equal(pauseAfter(6, 0.5), 30 * SECOND);
    assert.equal(pauseAfter(1, 0), 1 * SECOND);
    assert.equal(pauseAfter(1, 1, 7 * MINUTE), 7 * MINUTE);
    assert.equal(pauseAfter(1, 1, 0), 1 * SECOND);
    // Longer than a timer can count would be none at all.
    assert.equal(pauseAfter(1, 1, 1e15), 1 * DAY);
  });
});
