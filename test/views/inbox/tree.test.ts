import assert from 'node:assert/strict';
import { SECOND } from '../../../src/platform/clock.ts';
import type { Board, JobRow } from '../../../src/runner/board.ts';
import { buildTree, changedRows, PAGE, type Shown, type Tree } from '../../../src/views/inbox/tree.ts';
import { board, job, NOW, t } from '../english.ts';

const NOTHING: Shown = { limit: new Map(), more: new Map() };

const tree = (of: Board, shown = NOTHING, now = NOW): Tree => buildTree(of, shown, now, t);
const many = (count: number, given: Partial<JobRow> = {}): JobRow[] =>
  Array.from({ length: count }, (_, n) => job({ id: `job-${n}`, ...given }));

describe('tree of the Inbox', () => {
  it('gives every row an id of its own, also to one job in two sections at two times', () => {
    const before = tree(board([job({ stage: 'building' })]));
    const after = tree(board([job({ stage: 'review' })]));
    assert.deepEqual([...before.rows.keys()], ['running/faster-imports', 'running']);
    assert.deepEqual([...after.rows.keys()], ['review/faster-imports', 'review']);
  });

  it('shows the first page of a section, and how many are left', () => {
    const { rows } = tree(board(many(PAGE + 7)));
    assert.equal(rows.get('queued')?.children?.length, PAGE + 1);
    assert.equal(rows.get('queued//more')?.text.description, '7 left');
    assert.equal(rows.get('queued')?.text.description, String(PAGE + 7));
  });

  it('shows as many more as a person has asked for', () => {
    const shown = { limit: new Map([['queued', 2 * PAGE] as const]), more: new Map() };
    const { rows } = tree(board(many(PAGE + 7)), shown);
    assert.equal(rows.get('queued')?.children?.length, PAGE + 7);
    assert.equal(rows.get('queued//more'), undefined);
  });

  it('opens what is going on and closes what is over', () => {
    const { rows } = tree(board([job({ id: 'a' }), job({ id: 'b', stage: 'shipped' })]));
    assert.deepEqual([rows.get('queued')?.closed, rows.get('shipped')?.closed], [false, true]);
  });
});

describe('rows to draw again', () => {
  const running = job({ id: 'r', stage: 'building', startedAt: NOW });
  const queued = [job({ id: 'a' }), job({ id: 'b' })];
  const base = board([running, ...queued]);

  it('are none when nothing is different', () => {
    assert.deepEqual(changedRows(tree(base), tree(base)), []);
  });

  it('are only the running ones when a second passes', () => {
    assert.deepEqual(changedRows(tree(base), tree(base, NOTHING, NOW + SECOND)), ['running/r']);
  });

  it('are the one row whose text, icon or menu has changed', () => {
    const waits = board([running, job({ id: 'a', waitsFor: 'waits for other' }), job({ id: 'b' })]);
    assert.deepEqual(changedRows(tree(base), tree(waits)), ['queued/a']);
    const log = board([{ ...running, log: '/home/log' }, ...queued]);
    assert.deepEqual(changedRows(tree(base), tree(log)), ['running/r']);
  });

  it('are the section, and not its rows as well, when rows change places or go', () => {
    assert.deepEqual(changedRows(tree(base), tree(board([running, ...queued.toReversed()]))), ['queued']);
    assert.deepEqual(changedRows(tree(base), tree(board([running, job({ id: 'a' })]))), ['queued']);
  });

  it('are the section when only its count has changed', () => {
    const shipped = [job({ stage: 'shipped' })];
    const [before, after] = [5, 6].map((count) => tree(board(shipped, { shipped: count })));
    assert.deepEqual(before && after && changedRows(before, after), ['shipped']);
  });

  it('are all when a section comes or goes', () => {
    assert.equal(changedRows(tree(base), tree(board(queued))), 'root');
  });
});
