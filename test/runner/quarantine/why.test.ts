import assert from 'node:assert/strict';
import { DAY, HOUR, MINUTE, SECOND } from '../../../src/platform/clock.ts';
import { clockText, longText, whyText } from '../../../src/runner/quarantine/why.ts';

const at = (hours: number, minutes: number, day = 2) => new Date(2026, 9, day, hours, minutes).getTime();

describe('why a result is in quarantine', () => {
  it('in plain words, as far as it is known', () => {
    const now = at(14, 30);
    const all = {
      currentEpoch: 4,
      sleptMs: 2 * HOUR + 10 * MINUTE,
      lapsedAt: at(14, 5),
      holder: 'mac-studio',
      stage: 'building',
      takenAt: at(14, 6),
    };
    assert.equal(
      whyText(all, now),
      'This laptop slept for 2 h 10 min; the lease ran out at 14:05; mac-studio took the job at 14:06.',
    );
    assert.equal(
      whyText({ ...all, stage: 'shipped', sleptMs: undefined, lapsedAt: undefined }, now),
      'mac-studio took the job at 14:06 and has shipped it.',
    );
    assert.equal(whyText({ currentEpoch: 4 }, now), 'The job is now under epoch 4.');
    assert.equal(whyText({ stage: 'queued' }, now), 'Nobody has the job now (queued).');
    assert.equal(whyText({ stage: 'shipped' }, now), 'Somebody else has shipped the job.');
    assert.equal(whyText({}, now), undefined);
    assert.equal(whyText(undefined, now), undefined);
  });

  it('says times of another day with their date, and lengths in two units at most', () => {
    assert.equal(clockText(at(23, 59, 1), at(0, 1)), '2026-10-01 23:59');
    const lengths = [20 * SECOND, 59 * MINUTE, 2 * HOUR, 2 * DAY + 3 * HOUR + MINUTE, DAY + MINUTE];
    assert.deepEqual(lengths.map(longText), ['less than a minute', '59 min', '2 h', '2 d 3 h', '1 d']);
  });
});
