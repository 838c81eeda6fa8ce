import assert from 'node:assert/strict';
import { HOUR, MINUTE, SECOND } from '../../../src/platform/clock.ts';
import { span } from '../../../src/views/text/usage.ts';
import { t } from '../english.ts';

it('a span of time is said in brief', () => {
  assert.deepEqual(
    [0, 40 * SECOND, 12 * MINUTE, HOUR + 5 * MINUTE].map((ms) => span(ms, t)),
    ['0 s', '40 s', '12 min', '1 h 5 min'],
  );
  // Not `60 s`, and not `1 h 60 min`.
  assert.deepEqual(
    [59_800, 59.8 * MINUTE, 2 * HOUR - SECOND].map((ms) => span(ms, t)),
    ['1 min', '1 h 0 min', '2 h 0 min'],
  );
});
