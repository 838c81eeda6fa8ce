import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import type { Exchange } from '../../src/fleet/exchange.ts';
import { Outbox } from '../../src/fleet/outbox.ts';
import { takeUpAll } from '../../src/fleet/take-up.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { removeScratch, scratchFolder } from '../runner/support/scratch.ts';

const CLAIM = { jobId: 'job-1', epoch: 2, leaseMs: 60_000 };

describe('taking up what an earlier process left', () => {
  afterEach(removeScratch);

  it('does not fail on a disk that takes no writes; what it has not taken is written before it is sent', async () => {
    const dir = scratchFolder();
    const outbox = new Outbox(dir);
    await outbox.load();
    const said: string[] = [];
    const say = (message: string | Error) => said.push(String(message));
    const exchange = {
      options: { outbox, clock: systemClock, log: { debug: say, info: say, warn: say, error: say } },
      held: new Map(),
      random: () => 0,
    } as unknown as Exchange;
    rmSync(dir, { recursive: true });
    await takeUpAll(exchange, [{ id: 'job-1-e2', claim: CLAIM, stage: 'review' }]);
    assert.equal(exchange.held.size, 1);
    assert.match(said.join('\n'), /job-1-e2: its report is not on disk yet/);
    mkdirSync(dir);
    await outbox.settle('job-1-e2');
    assert.deepEqual(readdirSync(dir), ['job-1-e2.reports.json']);
  });
});
