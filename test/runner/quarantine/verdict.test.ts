import assert from 'node:assert/strict';
import { compared, type Relation, verdictOf, verdictText } from '../../../src/runner/quarantine/verdict.ts';

const file = (path: string, relation: Relation) => ({ path, relation });
const winner = { holder: 'mac-studio', stage: 'review' };
const shipped = { holder: 'mac-studio', stage: 'shipped' };

describe('the verdict on a result', () => {
  it('the same tree: closes itself only once the winner’s has shipped', () => {
    const files = [file('a', 'same'), file('b', 'same')];
    assert.deepEqual(verdictOf({ winner, files }), { kind: 'same', closes: false });
    assert.deepEqual(verdictOf({ winner: shipped, files }), { kind: 'same', closes: true });
    assert.equal(
      verdictText({ kind: 'same', closes: true }, shipped),
      'The same tree as that of mac-studio, which has shipped: there is nothing left to decide.',
    );
    assert.equal(
      verdictText({ kind: 'same', closes: false }, winner),
      'The same tree as that of mac-studio, which has not shipped yet.',
    );
  });

  it('touches the same lines: by a conflict, or by what both have made the same while more differs', () => {
    const conflict = verdictOf({
      winner,
      files: [file('a', 'conflict'), file('b', 'ours'), file('c', 'apart')],
    });
    assert.deepEqual(conflict, { kind: 'overlaps', files: ['a'] });
    for (const other of ['ours', 'theirs'] as const) {
      const verdict = verdictOf({ winner: shipped, files: [file('a', 'same'), file('b', other)] });
      assert.deepEqual(verdict, { kind: 'overlaps', files: ['a'] });
    }
    assert.equal(verdictText(conflict, winner), 'Touches the same lines as that of mac-studio in a.');
    assert.equal(
      verdictText({ kind: 'overlaps', files: ['1', '2', '3', '4', '5'] }, undefined),
      'Touches the same lines as the winner’s in 1, 2, 3 and 2 more.',
    );
  });

  it('independent: other files, or other lines of the same', () => {
    const others = verdictOf({ winner, files: [file('a', 'ours'), file('b', 'theirs')] });
    assert.deepEqual(others, { kind: 'independent', apart: [] });
    assert.equal(
      verdictText(others, winner),
      'Independent of that of mac-studio: no file is changed by both.',
    );
    const lines = verdictOf({ winner, files: [file('a', 'apart')] });
    assert.deepEqual(lines, { kind: 'independent', apart: ['a'] });
    assert.match(verdictText(lines, winner), /a changed by both, in different lines\.$/);
  });

  it('winner not finished: whatever it has saved so far', () => {
    for (const stage of ['queued', 'assigned', 'building', 'blocked', 'failed', 'dead_letter']) {
      const verdict = verdictOf({ winner: { holder: 'mac-studio', stage }, files: [file('a', 'same')] });
      assert.deepEqual(verdict, { kind: 'unfinished', stage });
    }
    assert.equal(
      verdictText({ kind: 'unfinished', stage: 'building' }, { holder: 'mac\u001b[31m', stage: 'building' }),
      'The winner has not finished: mac [31m has the job in building.',
    );
    assert.match(verdictText({ kind: 'unfinished', stage: 'queued' }, {}), /queued again/);
  });

  it('unknown: nobody tells, or the work cannot be had', () => {
    assert.deepEqual(verdictOf({ winner: undefined, files: undefined }), {
      kind: 'unknown',
      why: 'nobody tells who has the job',
    });
    const verdict = verdictOf({ winner: shipped, files: undefined, missing: 'it is elsewhere' });
    assert.equal(verdictText(verdict, shipped), 'There is nothing to compare with: it is elsewhere.');
  });

  it('tells of each file what it is to both sides', () => {
    const [was, mine, other] = ['100644 1', '100644 2', '100755 2'];
    const sides = [
      { path: 'ours', ours: { before: was, after: mine } },
      { path: 'theirs', theirs: { before: undefined, after: mine } },
      { path: 'same', ours: { before: was, after: undefined }, theirs: { before: was, after: undefined } },
      { path: 'mode', ours: { before: was, after: mine }, theirs: { before: was, after: other } },
      { path: 'lines', ours: { before: was, after: mine }, theirs: { before: was, after: '100644 3' } },
    ];
    assert.deepEqual(compared(sides, new Set(['lines', 'elsewhere'])), [
      { path: 'ours', relation: 'ours', ours: 'modified' },
      { path: 'theirs', relation: 'theirs', theirs: 'added' },
      { path: 'same', relation: 'same', ours: 'deleted', theirs: 'deleted' },
      { path: 'mode', relation: 'apart', ours: 'modified', theirs: 'modified' },
      { path: 'lines', relation: 'conflict', ours: 'modified', theirs: 'modified' },
    ]);
  });
});
