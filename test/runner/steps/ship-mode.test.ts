import assert from 'node:assert/strict';
import { shipMode } from '../../../src/runner/steps/ship-mode.ts';

const worktree = { kind: 'worktree', cwd: '/w', subdirectory: '' } as const;
const onMain = { ...worktree, target: 'refs/heads/main' };
const result = { files: 1 };

describe('how a job ships', () => {
  it('by merge into the branch that it started from, else not at all', () => {
    assert.equal(shipMode({}, { place: onMain, result }), 'merge');
    assert.equal(shipMode({}, { place: worktree, result }), 'none');
  });

  it('as its manifest says', () => {
    for (const ship of ['merge', 'push', 'pr', 'none'] as const) {
      assert.equal(shipMode({ ship }, { place: onMain, result }), ship);
    }
  });

  it('not at all without a change or without a worktree', () => {
    assert.equal(shipMode({ ship: 'merge' }, { place: onMain, result: { files: 0 } }), 'none');
    assert.equal(shipMode({ ship: 'push' }, { place: onMain }), 'none');
    assert.equal(shipMode({ ship: 'merge' }, { place: { ...onMain, kind: 'in-place' }, result }), 'none');
    assert.equal(shipMode({ ship: 'merge' }, { result }), 'none');
  });
});
