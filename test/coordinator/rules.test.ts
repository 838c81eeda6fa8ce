/** What the stores' tests cannot see, or only by a long way round. */
import assert from 'node:assert/strict';
import { afterFailure, backoffAfter, mayTryAgain } from '../../src/coordinator/rules/attempts.ts';
import { readHeader } from '../../src/coordinator/rules/front-matter.ts';
import { repositoryName, requirements } from '../../src/coordinator/rules/matching.ts';
import { inOrder, orderKey } from '../../src/coordinator/rules/order.ts';
import { nextHeartbeatSec, silentAfterMs } from '../../src/coordinator/rules/pace.ts';
import { endsClaim, lapses, mayReport } from '../../src/coordinator/rules/stages.ts';
import { DEFAULT_SETTINGS } from '../../src/coordinator/settings.ts';
import { hashOf, makeToken } from '../../src/coordinator/tokens.ts';
import { WIRE_STAGES } from '../../src/fleet/protocol.ts';
import { HOUR, MINUTE, SECOND } from '../../src/platform/clock.ts';
import { mayFollow, STAGES } from '../../src/runner/stages.ts';

describe('the coordinator’s rules', () => {
  it('let a holder report exactly these steps', () => {
    const steps = WIRE_STAGES.flatMap((from) =>
      WIRE_STAGES.filter((to) => mayReport(from, to)).map((to) => `${from} ${to}`),
    );
    const ends = ['blocked', 'failed', 'dead_letter'];
    const expected = {
      assigned: ['building', ...ends],
      building: ['building', 'review', 'testing', ...ends],
      review: ['building', 'review', 'testing', ...ends],
      testing: ['building', 'review', 'testing', 'shipped', ...ends],
    };
    const all = Object.entries(expected).flatMap(([from, tos]) => tos.map((to) => `${from} ${to}`));
    assert.deepEqual([...steps].sort(), [...all].sort());
  });

  it('take every step that the runner reports', () => {
    // A runner comes from `assigned` to what it reports next; `queued` and `quarantine` are never reported.
    for (const from of STAGES)
      for (const to of STAGES) {
        if (!mayFollow(from, to) || ['queued', 'assigned', 'quarantine'].includes(to)) continue;
        if (from === 'queued' || from === 'blocked' || from === 'quarantine') continue;
        // Of a job that the coordinator has as shipped already: there is nothing to report.
        if (from === 'assigned' && to === 'review') continue;
        assert.ok(mayReport(from, to as (typeof WIRE_STAGES)[number]), `${from} ${to}`);
      }
  });

  it('know which stages end a claim, and which lapse', () => {
    assert.deepEqual(WIRE_STAGES.filter(endsClaim), ['shipped', 'blocked', 'failed', 'dead_letter']);
    assert.deepEqual(WIRE_STAGES.filter(lapses), ['assigned', 'building', 'testing']);
  });

  it('order by priority plus hours of waiting, which no time changes', () => {
    const job = (priority: number, queuedAt: number, seq = 0) => ({ priority, queuedAt, seq });
    assert.ok(inOrder(job(9, 8 * HOUR), job(0, 0)) < 0);
    assert.ok(inOrder(job(9, 9 * HOUR, 1), job(0, 0, 0)) > 0);
    assert.ok(inOrder(job(9, 10 * HOUR), job(0, 0)) > 0);
    assert.ok(inOrder(job(5, 1), job(5, 0)) > 0);
    assert.ok(inOrder(job(5, 0, 2), job(5, 0, 1)) > 0);
    assert.equal(orderKey(job(3, 5 * HOUR)), 2 * HOUR);
  });

  it('pause longer after each failure, up to half an hour', () => {
    const pauses = [1, 2, 3, 7, 8, 1000].map((failures) => backoffAfter(failures, DEFAULT_SETTINGS));
    assert.deepEqual(
      pauses,
      [30, 60, 120, 1800, 1800, 1800].map((seconds) => seconds * SECOND),
    );
  });

  it('allow three attempts, or as many as the job asks for', () => {
    const tried = (attempts: number, failures: number, retries: number) =>
      afterFailure({ attempts, failures, retries }, DEFAULT_SETTINGS);
    assert.deepEqual(
      [tried(1, 1, 0), tried(1, 1, 1), tried(2, 2, 1), tried(3, 1, 1), tried(3, 3, 5), tried(6, 6, 5)],
      ['failed', 'queued', 'failed', 'dead_letter', 'queued', 'failed'],
    );
    assert.equal(mayTryAgain({ attempts: 2, failures: 0, retries: 0 }, DEFAULT_SETTINGS), true);
    assert.equal(mayTryAgain({ attempts: 3, failures: 0, retries: 0 }, DEFAULT_SETTINGS), false);
  });

  it('ask a small fleet twice a minute, and a large one fifty times a second', () => {
    assert.deepEqual([1, 1500, 3000, 10_000, 100_000].map(nextHeartbeatSec), [30, 30, 60, 200, 300]);
    assert.equal(silentAfterMs(1), 1.5 * MINUTE);
  });

  it('know a repository by any of its addresses', () => {
    for (const address of [
      'github.com/acme/app',
      'https://github.com/acme/app.git',
      'https://me@GitHub.com:443/acme/app/',
      'ssh://git@github.com:22/acme/app.git',
      'git@github.com:acme/app.git',
      'git@github.com:/acme/app',
    ])
      assert.equal(repositoryName(address), 'github.com/acme/app', address);
    assert.notEqual(repositoryName('github.com/acme/App'), 'github.com/acme/app');
    assert.deepEqual(requirements(['b:1', 'repo:git@x.y:a/b.git'], ['a:1', 'b:1']), [
      'a:1',
      'b:1',
      'repo:x.y/a/b',
    ]);
  });

  it('read what a front matter says of a job, and nothing below it', () => {
    assert.deepEqual(readHeader('# Only a body\n---\nengine: x\n---\n'), {
      priority: 5,
      retries: 0,
      requires: [],
      needs: [],
    });
    const text =
      '\uFEFF---\r\nengine: claude\r\nneeds: [a, 7]\r\nrequires: tool:docker\r\nyolo: true\r\n---\r\nDo.\r\n';
    assert.deepEqual(readHeader(text), {
      engine: 'claude',
      priority: 5,
      retries: 0,
      requires: ['tool:docker'],
      needs: ['a', '7'],
    });
    assert.deepEqual(readHeader('---\npriority: "3"\nretries: 2\n---\n'), {
      priority: 3,
      retries: 2,
      requires: [],
      needs: [],
    });
    assert.equal(typeof readHeader('---\npriority: high\n---\n'), 'string');
    assert.equal(typeof readHeader('---\n---\n'), 'object');
  });

  it('make tokens that nobody guesses, and that say what they are', () => {
    const [a, b] = [makeToken('factory'), makeToken('factory')];
    assert.match(a.token, /^aq_factory_[\w-]{43}$/);
    assert.notEqual(a.token, b.token);
    assert.equal(a.hash, hashOf(a.token));
    assert.match(a.hash, /^[0-9a-f]{64}$/);
  });
});
