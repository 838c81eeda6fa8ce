import assert from 'node:assert/strict';
import { retryIn } from '../../src/fleet/backoff.ts';
import type { Stamp } from '../../src/fleet/elapsed.ts';
import { claimed, doubted, fenced, type Lease, standing } from '../../src/fleet/lease.ts';
import {
  answered,
  type Connection,
  type JobInSession,
  lost,
  newConnection,
  nextAction,
  type PushPhase,
  type Session,
  served,
  turnedDown,
  woke,
} from '../../src/fleet/session.ts';
import { HOUR, MINUTE, SECOND } from '../../src/platform/clock.ts';

const NOW: Stamp = { wall: 1_700_000_000_000, monotonic: 1_000_000 };
const later = (ms: number): Stamp => ({ wall: NOW.wall + ms, monotonic: NOW.monotonic + ms });
const reachable = answered(newConnection(NOW), NOW, 5 * MINUTE);
const held: Lease = claimed({ jobId: 'a', epoch: 1, lengthMs: 15 * MINUTE, sentAt: NOW, jitter: 0 });

function session(more: Partial<Session> = {}): Session {
  return {
    connection: reachable,
    jobs: [],
    unfinishedClaims: [],
    wantsJob: false,
    welcomesJob: more.wantsJob ?? false,
    offersPolls: false,
    poll: 'none',
    claimRestMs: 0,
    renewEveryMs: 5 * MINUTE,
    ...more,
  };
}

const job = (key: string, lease: Lease, waiting: number): JobInSession => ({
  key,
  lease,
  waiting,
  push: 'none',
});

describe('what is done next', () => {
  it('is a heartbeat first, whatever else waits', () => {
    const all = session({
      connection: newConnection(NOW),
      jobs: [job('a', doubted(held, 'sleep'), 3)],
      unfinishedClaims: ['r'],
      wantsJob: true,
    });
    assert.deepEqual(nextAction(all, NOW), { do: 'heartbeat' });
  });

  it('is then, in this order: renew what is in doubt, tell, repeat a claim, claim', () => {
    const doubt = job('a', doubted(held, 'sleep'), 1);
    const tell = job('b', held, 1);
    const calm = job('c', held, 0);
    const more = { unfinishedClaims: ['r'], wantsJob: true };
    assert.deepEqual(nextAction(session({ ...more, jobs: [calm, tell, doubt] }), NOW), {
      do: 'renew',
      key: 'a',
    });
    assert.deepEqual(nextAction(session({ ...more, jobs: [calm, tell] }), NOW), { do: 'replay', key: 'b' });
    assert.deepEqual(nextAction(session({ ...more, jobs: [calm] }), NOW), { do: 'claim', requestId: 'r' });
    assert.deepEqual(nextAction(session({ wantsJob: true, jobs: [calm] }), NOW), { do: 'claim' });
  });

  it('is nothing but waiting while nobody answers or the token is turned down', () => {
    const waiting = { jobs: [job('a', doubted(held, 'sleep'), 1)], wantsJob: true };
    for (const connection of [lost(reachable, NOW, 'refused', 3000), turnedDown(reachable, NOW, MINUTE)]) {
      const action = nextAction(session({ ...waiting, connection }), later(1000));
      assert.equal(action.do, 'wait');
      assert.equal(nextAction(session({ ...waiting, connection }), later(MINUTE)).do, 'heartbeat');
      assert.equal(nextAction(session({ ...waiting, connection: woke(connection) }), NOW).do, 'heartbeat');
    }
  });

  it('repeats a claim only where a job would be welcome', () => {
    assert.equal(nextAction(session({ unfinishedClaims: ['r'] }), NOW).do, 'wait');
  });

  it('is a claim that waits, where the coordinator offers it and nobody is to be answered at once', () => {
    const idle = session({ welcomesJob: true, offersPolls: true });
    assert.deepEqual(nextAction(idle, NOW), { do: 'poll' });
    assert.deepEqual(nextAction({ ...idle, wantsJob: true }, NOW), { do: 'claim' });
    assert.deepEqual(nextAction({ ...idle, unfinishedClaims: ['r'] }, NOW), { do: 'claim', requestId: 'r' });
    assert.equal(nextAction({ ...idle, offersPolls: false }, NOW).do, 'wait');
    assert.deepEqual(nextAction({ ...idle, claimRestMs: 7000 }, NOW), { do: 'wait', ms: 7000 });
    assert.equal(nextAction({ ...idle, poll: 'waiting', unfinishedClaims: ['r'] }, NOW).do, 'wait');
  });

  it('brings work to its remote before the report that names it, and tells other jobs’ reports meanwhile', () => {
    const due = { ...job('a', held, 1), push: 'due' as const };
    const onItsWay = { ...due, push: 'under way' as const };
    assert.deepEqual(nextAction(session({ jobs: [due] }), NOW), { do: 'push', key: 'a' });
    const both = session({ jobs: [onItsWay, job('b', held, 1)] });
    assert.deepEqual(nextAction(both, NOW), { do: 'replay', key: 'b' });
    const doubtful = session({ jobs: [{ ...due, lease: doubted(held, 'sleep') }] });
    assert.deepEqual(nextAction(doubtful, NOW), { do: 'renew', key: 'a' });
  });

  it('deals with what a waiting claim has brought before anything else, and ends one that is not welcome', () => {
    const doubt = job('a', doubted(held, 'sleep'), 1);
    const polled = session({ connection: newConnection(NOW), jobs: [doubt], poll: 'answered' });
    assert.deepEqual(nextAction(polled, NOW), { do: 'settle-poll' });
    const waiting = session({ poll: 'waiting', welcomesJob: false });
    assert.deepEqual(nextAction(waiting, NOW), { do: 'give-up-poll' });
    const cut = session({ poll: 'waiting', welcomesJob: true, connection: lost(reachable, NOW, 'x', 1000) });
    assert.deepEqual(nextAction(cut, NOW), { do: 'give-up-poll' });
  });

  it('comes ever slower where heartbeats pass and every other call fails', () => {
    let connection = reachable;
    const failures: number[] = [];
    for (let n = 0; n < 4; n += 1) {
      connection = answered(lost(connection, NOW, 'x', 1000), NOW, MINUTE);
      failures.push(connection.failures);
    }
    assert.deepEqual(failures, [1, 2, 3, 4]);
    assert.equal(served(connection).failures, 0);
    assert.equal(answered(connection, NOW, MINUTE).failures, 0);
  });

  it('waits for whatever is due first', () => {
    assert.deepEqual(nextAction(session(), NOW), { do: 'wait', ms: 5 * MINUTE });
    const resting = session({ wantsJob: true, claimRestMs: 7000 });
    assert.deepEqual(nextAction(resting, NOW), { do: 'wait', ms: 7000 });
    const short = claimed({ jobId: 'a', epoch: 1, lengthMs: 30_000, sentAt: NOW, jitter: 0 });
    const renewing = session({ jobs: [job('a', short, 0)] });
    assert.deepEqual(nextAction(renewing, NOW), { do: 'wait', ms: 10_000 });
  });

  it('passes over a lease that is no more', () => {
    const gone = session({ jobs: [job('a', fenced(held), 2)], wantsJob: true });
    assert.deepEqual(nextAction(gone, NOW), { do: 'claim' });
  });

  it('never claims while anything is undecided, and never tells under a lease in doubt (10,000 random states)', () => {
    const random = seeded(20261124);
    const pick = <T>(...values: T[]) => values[Math.floor(random() * values.length)] as T;
    let claims = 0;
    for (let n = 0; n < 10_000; n += 1) {
      const now = later(pick(0, 1000, MINUTE, 9 * MINUTE, 11 * MINUTE, HOUR));
      const connection: Connection = pick(
        newConnection(NOW),
        reachable,
        answered(reachable, now, MINUTE),
        lost(reachable, now, 'x', 5000),
        turnedDown(reachable, now, MINUTE),
      );
      const jobs = Array.from({ length: pick(0, 1, 3) }, (_, index) => ({
        key: String(index),
        lease: pick(held, doubted(held, 'sleep'), fenced(held), { ...held, since: now }),
        waiting: pick(0, 0, 2),
        push: pick<PushPhase>('none', 'due', 'under way'),
      }));
      const input = session({
        connection,
        jobs,
        unfinishedClaims: pick<string[]>([], ['r']),
        wantsJob: pick(true, false),
        welcomesJob: true,
        offersPolls: pick(true, false),
        claimRestMs: pick(0, 0, 500),
      });
      const action = nextAction(input, now);
      const open = jobs.filter(({ lease }) => lease.verdict === undefined);
      if (action.do === 'claim' || action.do === 'poll') {
        claims += 1;
        assert.equal(connection.phase, 'reachable');
        assert.ok(open.every(({ lease, waiting }) => standing(lease, now) === 'held' && waiting === 0));
      }
      if (action.do === 'replay' || action.do === 'push') {
        const job = jobs.find(({ key }) => key === action.key);
        assert.equal(job && standing(job.lease, now), 'held');
        assert.ok(open.every(({ lease }) => standing(lease, now) === 'held'));
      }
      if (action.do === 'wait') assert.ok(action.ms > 0);
    }
    assert.ok(claims > 100, `only ${claims} claims were seen`);
  });
});

describe('backoff', () => {
  it('grows from 1 s to 60 s with full jitter', () => {
    const ceilings = [1, 2, 3, 7, 50].map((failures) => retryIn({ failures, random: 1, pressing: false }));
    assert.deepEqual(ceilings, [1000, 2000, 4000, 60_000, 60_000]);
    assert.ok(retryIn({ failures: 7, random: 0.01, pressing: false }) < SECOND);
    assert.ok(retryIn({ failures: 1, random: 0, pressing: false }) > 0);
  });

  it('is 4 s at the most while something depends on it; what the coordinator asks for wins', () => {
    assert.equal(retryIn({ failures: 9, random: 1, pressing: true }), 4000);
    assert.equal(retryIn({ failures: 9, random: 1, pressing: true, retryAfterMs: 90_000 }), 90_000);
    assert.equal(retryIn({ failures: 9, random: 1, pressing: false, retryAfterMs: 0 }), SECOND);
  });
});

/** Numbers in [0, 1) that are the same in every run (Park and Miller). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}
