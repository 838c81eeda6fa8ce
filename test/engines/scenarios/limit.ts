/** The model service refuses for a while: a rate limit. */
import assert from 'node:assert/strict';
import { assertClean, assertFailure, atRest, limit, open, type Scenario } from './scenario.ts';

export const LIMITED: Scenario = {
  name: '429',
  title:
    'the service answers 429: the job waits, says until when, and is then run again by itself, without `retries`',
  async run(bench) {
    await using station = await open(bench, () => ({ kind: 'refuse', status: 429 }));
    const id = await station.add({ timeout: limit(bench) });
    const state = await atRest(bench, station, id);
    assert.ok(station.service.asked.length > 0, 'the model was never asked');
    const patient = bench.seat.patience?.['429'];
    if (patient !== undefined) assertFailure(state, 'failed', 'timeout', /time limit/);
    else assertFailure(state, 'failed', 'rate-limit', /429|rate limit/i);
    await assertClean(bench, station, id);
    await bench.record(station, id);
    return patient;
  },
};
