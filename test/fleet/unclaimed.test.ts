import assert from 'node:assert/strict';
import { ClaimDesk, type Rest } from '../../src/fleet/claim-desk.ts';
import { answered, newConnection } from '../../src/fleet/session.ts';
import { whyNothing } from '../../src/fleet/unclaimed.ts';
import { LaptopClock } from './support/laptop.ts';

const NOW = { wall: 0, monotonic: 0 };
const FREE = {
  shadow: false,
  draining: false,
  hasRunner: true,
  connection: answered(newConnection(NOW), NOW, 10_000),
  running: 0,
  maxParallel: 2,
  undecided: 0,
  rest: undefined,
};

describe('why nothing is claimed', () => {
  it('is nothing where the next claim is on its way', () => {
    assert.equal(whyNothing(FREE), undefined);
  });

  for (const [why, text] of [
    ['empty', 'nothing fitted a moment ago; the next try is in 10 s'],
    ['unanswered', 'the last claim has had no answer; the next try is in 10 s'],
    ['refused', 'the coordinator refused the last claim; the next try is in 10 s'],
    ['given-back', 'a job was given back a moment ago, for another factory to take; the next try is in 10 s'],
  ] as const satisfies readonly (readonly [Rest['why'], string])[])
    it(`is that the last claim was ${why}`, () => {
      assert.equal(whyNothing({ ...FREE, rest: { ms: 9100, why } }), text);
    });

  it('is the rest only where nothing that lasts is in the way', () => {
    const rest = { ms: 9100, why: 'empty' } as const;
    assert.equal(whyNothing({ ...FREE, rest, running: 2 }), 'all 2 places for jobs are taken');
    assert.equal(whyNothing({ ...FREE, rest, draining: true }), 'this factory is draining');
  });
});

describe('the rest between claims', () => {
  it('is the longer of two, with its reason, until it is over', () => {
    const clock = new LaptopClock();
    const desk = new ClaimDesk(clock);
    desk.restFor(60_000, 'given-back');
    desk.restFor(10_000, 'empty');
    assert.equal(desk.rest?.why, 'given-back');
    clock.jump(60_000, 60_000);
    assert.equal(desk.restMs(), 0);
    desk.restFor(10_000, 'empty');
    assert.equal(desk.rest?.why, 'empty');
    desk.wake();
    assert.equal(desk.restMs(), 0);
  });
});
