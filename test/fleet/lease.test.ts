import assert from 'node:assert/strict';
import { elapsed, type Stamp, slept } from '../../src/fleet/elapsed.ts';
import {
  claimed,
  doubted,
  ended,
  extended,
  fenced,
  type Lease,
  landing,
  mayActOutward,
  renewDueIn,
  standing,
  timeLeft,
} from '../../src/fleet/lease.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../../src/platform/clock.ts';

const START: Stamp = { wall: 1_700_000_000_000, monotonic: 5000 };
const after = (wall: number, monotonic = wall): Stamp => ({
  wall: START.wall + wall,
  monotonic: START.monotonic + monotonic,
});

describe('elapsed time', () => {
  it('is the larger of what the two clocks say, and never negative', () => {
    assert.equal(elapsed(START, after(5, 7)), 7);
    assert.equal(elapsed(START, after(7, 5)), 7);
    assert.equal(elapsed(START, after(-HOUR, 10)), 10);
    assert.equal(elapsed(START, after(-HOUR, -10)), 0);
  });

  for (const sleep of [3 * SECOND, MINUTE, 2 * HOUR, 3 * DAY]) {
    it(`tells a sleep of ${sleep / SECOND} s, whether the monotonic clock slept too or not`, () => {
      assert.equal(slept(START, after(sleep, 0)), true);
      assert.equal(slept(START, after(sleep, sleep), 500), true);
      assert.equal(slept(START, after(sleep, sleep), sleep), false);
    });
  }

  it('takes a wall clock that was set back for a sleep, and a little jitter for none', () => {
    assert.equal(slept(START, after(-HOUR, 10)), true);
    assert.equal(slept(START, after(1900, 0)), false);
    assert.equal(slept(START, after(2000, 2000), 100), false);
  });
});

describe('lease', () => {
  const lease: Lease = claimed({ jobId: 'a', epoch: 3, lengthMs: 900 * SECOND, sentAt: START, jitter: 0 });

  it('is held for two thirds of its length, then uncertain, then lapsed', () => {
    assert.equal(standing(lease, after(599 * SECOND)), 'held');
    assert.equal(standing(lease, after(600 * SECOND)), 'uncertain');
    assert.equal(standing(lease, after(899 * SECOND)), 'uncertain');
    assert.equal(standing(lease, after(900 * SECOND)), 'lapsed');
    assert.equal(timeLeft(lease, after(600 * SECOND)), 300 * SECOND);
    assert.equal(timeLeft(lease, after(2 * HOUR)), 0);
  });

  it('counts by whichever clock went on', () => {
    assert.equal(standing(lease, after(HOUR, 0)), 'lapsed');
    assert.equal(standing(lease, after(0, HOUR)), 'lapsed');
    assert.equal(standing(lease, after(-HOUR, 700 * SECOND)), 'uncertain');
  });

  it('in doubt is uncertain however young, until a call has been accepted', () => {
    const inDoubt = doubted(lease, 'sleep');
    assert.equal(standing(inDoubt, START), 'uncertain');
    assert.equal(mayActOutward(inDoubt, START), false);
    assert.equal(renewDueIn(inDoubt, START, 300 * SECOND), 0);
    const again = extended(inDoubt, 60 * SECOND, after(SECOND));
    assert.equal(standing(again, after(SECOND)), 'held');
    assert.equal(again.lengthMs, 60 * SECOND);
    assert.equal(again.renewals, 1);
  });

  it('revives after it has lapsed, if the coordinator says so', () => {
    const revived = extended(lease, undefined, after(2 * HOUR));
    assert.equal(standing(revived, after(2 * HOUR)), 'held');
  });

  it('is not shortened by an answer that comes late', () => {
    const renewed = extended(lease, undefined, after(100 * SECOND));
    assert.deepEqual(extended(renewed, undefined, after(50 * SECOND)).since, renewed.since);
  });

  it('is renewed at a third of its length or as often as wished, up to a tenth earlier', () => {
    assert.equal(renewDueIn(lease, START, HOUR), 300 * SECOND);
    assert.equal(renewDueIn(lease, START, 100 * SECOND), 100 * SECOND);
    assert.equal(renewDueIn({ ...lease, jitter: 1 }, START, HOUR), 270 * SECOND);
    assert.equal(renewDueIn(lease, after(300 * SECOND), HOUR), 0);
  });

  for (const [verdict, make] of [
    ['fenced', fenced],
    ['ended', ended],
    ['landing', landing],
  ] as const) {
    it(`that is ${verdict} stays so, and has nothing to renew`, () => {
      const decided = make(lease);
      for (const later of [extended(decided, 1, after(1)), doubted(decided, 'sleep')]) {
        assert.equal(standing(later, after(HOUR)), verdict);
        assert.equal(renewDueIn(later, after(HOUR), SECOND), Infinity);
        assert.equal(mayActOutward(later, after(HOUR)), verdict === 'landing');
      }
    });
  }

  it('loses a right to land to nobody, and a fenced one comes to nothing else', () => {
    assert.equal(standing(fenced(landing(lease)), START), 'landing');
    assert.equal(standing(landing(fenced(lease)), START), 'fenced');
    assert.equal(standing(ended(fenced(lease)), START), 'fenced');
  });
});
