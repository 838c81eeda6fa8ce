import assert from 'node:assert/strict';
import type { FailureCode } from '../../../src/runner/engines/descriptor.ts';
import {
  afterFailure,
  afterInterruption,
  approved,
  assign,
  laterOf,
  MAX_INTERRUPTIONS,
  MAX_LIMITS,
  move,
  newState,
  retried,
  sentBack,
  unverified,
  withAPerson,
} from '../../../src/runner/job/moves.ts';
import { type JobState, jobStateSchema } from '../../../src/runner/job/state.ts';

const fresh = newState({ id: 'a', title: 'A', engine: 'shell', priority: 5, addedAt: 1 });
const worked: JobState = {
  ...assign(fresh, 2),
  stage: 'building',
  place: { kind: 'worktree', cwd: '/w', subdirectory: '' },
  session: 's',
  result: { files: 1, wipCommit: 'c' },
};
const tested: JobState = {
  ...worked,
  stage: 'testing',
  approvedAt: 3,
  verifying: { commit: 'v' },
  candidate: { commit: 'v', passedAt: 4 },
  landing: { kind: 'merge', at: 5 },
};

function failed(code: FailureCode, retries: number, state = worked, resumable = false): JobState {
  return afterFailure(state, { code, text: 'It broke.' }, { retries, resumable }, 10_000);
}

describe('moves', () => {
  it('make states that can be read again', () => {
    for (const state of [fresh, worked, tested, failed('failed', 1), sentBack(tested, 'again', 6)]) {
      assert.deepEqual(jobStateSchema.parse(JSON.parse(JSON.stringify(state))), state);
    }
  });

  it('count attempts and runs', () => {
    const once = assign(fresh, 2);
    assert.deepEqual([once.stage, once.attempt, once.run, once.startedAt], ['assigned', 1, 1, 2]);
    const again = assign({ ...once, attempt: 0 }, 3);
    assert.deepEqual([again.attempt, again.run], [1, 2]);
  });

  it('forget at an assignment what belonged to the last one, and keep its place and session', () => {
    const queued: JobState = {
      ...tested,
      reason: { code: 'failed', text: 'x', at: 1 },
      notBefore: 9,
      urgent: true,
      command: { kind: 'engine', dir: '/d', mark: 'm', startedAt: 1 },
    };
    const { reason, notBefore, urgent, command, candidate, verifying, landing, approvedAt, place, session } =
      assign(queued, 9);
    assert.deepEqual(
      [reason, notBefore, urgent, command, candidate, verifying, landing, approvedAt],
      Array.from({ length: 8 }),
    );
    assert.deepEqual([place, session], [worked.place, 's']);
  });

  it('replace the reason', () => {
    const blocked = move(worked, 'blocked', 7, { code: 'x', text: 'Why.' });
    assert.deepEqual(blocked.reason, { code: 'x', text: 'Why.', at: 7 });
    assert.equal(move(blocked, 'queued', 8).reason, undefined);
  });
});

describe('after a failure', () => {
  it('a job without retries has failed', () => {
    assert.equal(failed('failed', 0).stage, 'failed');
    assert.equal(failed('timeout', 0).stage, 'failed');
  });

  it('another try comes later, of the same job', () => {
    const next = failed('timeout', 2);
    assert.deepEqual([next.stage, next.notBefore, next.attempt], ['queued', 15_000, 1]);
    assert.equal(next.reason?.code, 'timeout');
    assert.equal(next.startsAnew, true, 'not on top of half of the work');
    assert.equal(failed('timeout', 2, worked, true).startsAnew, undefined, 'its session goes on');
  });

  it('the last allowed attempt leads to the dead letters, and says so', () => {
    const last = failed('failed', 2, { ...worked, attempt: 3 });
    assert.equal(last.stage, 'dead_letter');
    assert.equal(last.reason?.text, 'It broke. That was attempt 3 of 3; no more are made by themselves.');
    assert.equal(failed('failed', 2, { ...worked, attempt: 2 }).stage, 'queued');
  });

  it('what only a person can mend is blocked, whatever retries are left', () => {
    for (const code of ['login', 'root', 'input', 'spawn'] as const)
      assert.equal(failed(code, 3).stage, 'blocked', code);
  });

  it('a limit makes it wait and run again by itself, without an attempt, longer each time', () => {
    const MINUTE = 60_000;
    const waits: (number | undefined)[] = [];
    for (
      let state = worked;
      waits.length < MAX_LIMITS;
      state = { ...assign(state, 10_000), stage: 'building' }
    ) {
      state = failed('rate-limit', 0, state, true);
      assert.deepEqual([state.stage, state.attempt, state.startsAnew], ['queued', 0, undefined]);
      assert.match(
        state.reason?.text ?? '',
        /^It broke\. It is run again by itself on \w{3} \d+ \w{3} \d\d:\d\d;/,
      );
      waits.push(((state.notBefore ?? 0) - 10_000) / MINUTE);
    }
    assert.deepEqual(waits.slice(0, 8), [1, 2, 4, 8, 16, 32, 60, 60]);
    const hopeless = failed('rate-limit', 0, { ...worked, limits: MAX_LIMITS });
    assert.deepEqual([hopeless.stage, hopeless.limits], ['failed', undefined]);
    assert.equal(failed('rate-limit', 0).startsAnew, true, 'without a session it begins anew');
  });

  it('a limit is waited for as long as the engine says, but for a minute at least', () => {
    const until = (at: number) => {
      const failure = { code: 'rate-limit', text: 'It broke.', until: at } as const;
      return afterFailure(worked, failure, { retries: 0, resumable: true }, 10_000).notBefore;
    };
    assert.equal(until(7_210_000), 7_210_000);
    assert.equal(until(11_000), 70_000);
    assert.equal(until(1e15), 10_000 + 8 * 86_400_000);
  });

  it('only a limit counts as one: after another failure the count begins anew, as at a person’s word', () => {
    const limited = failed('rate-limit', 1, worked, true);
    assert.deepEqual(laterOf(limited)?.why, 'limit');
    const other = failed('failed', 1, { ...assign(limited, 9), stage: 'building' }, true);
    assert.deepEqual([other.limits, laterOf(other)?.why], [undefined, 'retry']);
    const asked = retried(limited, 9, true);
    assert.deepEqual([asked.limits, laterOf(asked)], [undefined, undefined]);
  });

  it('a claimed job that may land, and has not, comes back to review, whatever ended its run', () => {
    const claim = { jobId: 'j', epoch: 1, leaseMs: 1, mayLand: true };
    for (const stage of ['failed', 'blocked', 'dead_letter'] as const) {
      const ended = move({ ...worked, claim }, stage, 1, {
        code: 'setup',
        text: 'It broke.',
        action: 'Retry.',
      });
      const kept = withAPerson(ended);
      assert.deepEqual([kept.stage, kept.reason?.code, kept.reason?.text], ['review', 'setup', 'It broke.']);
      assert.match(kept.reason?.action ?? '', /send it back, approve it, or reject it/);
      const other = { ...ended, claim: { ...claim, mayLand: false } };
      assert.equal(withAPerson(other), other);
    }
    const shipped = move({ ...worked, claim }, 'shipped', 1);
    assert.equal(withAPerson(shipped), shipped);
  });

  it('a limit of a claimed job is for its coordinator to deal with', () => {
    const claim = { jobId: 'j', epoch: 1, leaseMs: 1 };
    assert.equal(failed('rate-limit', 0, { ...worked, claim }).stage, 'failed');
  });

  it('a session that is gone is left behind: from the base, or on top of what was commented', () => {
    const anew = failed('no-session', 0, { ...worked, limits: 2 }, true);
    assert.deepEqual([anew.stage, anew.attempt, anew.urgent, anew.session], ['queued', 0, true, undefined]);
    assert.deepEqual([anew.startsAnew, anew.limits], [true, 2], 'a limit in between is still counted');
    assert.equal(anew.reason?.text, 'It broke. It begins a new session; what was done so far is kept.');
    const comments = [{ text: 'Also this.', at: 1, done: false }];
    assert.equal(failed('no-session', 0, { ...worked, comments }).startsAnew, undefined);
    const claimed = failed('no-session', 0, { ...worked, claim: { jobId: 'j', epoch: 1, leaseMs: 1 } });
    assert.deepEqual([claimed.stage, claimed.run, claimed.session], ['assigned', 2, undefined]);
  });

  it('what did not go wrong by chance is not tried again', () => {
    for (const code of ['cancelled', 'limit'] as const) assert.equal(failed(code, 3).stage, 'failed', code);
  });
});

describe('after an interruption', () => {
  it('a session goes on, at once, and the attempt does not count', () => {
    const next = afterInterruption(worked, true, 9);
    assert.deepEqual([next.stage, next.attempt, next.interruptions, next.urgent], ['queued', 0, 1, true]);
    assert.equal(assign(next, 10).attempt, 1);
  });

  it('but not for ever', () => {
    let state: JobState = worked;
    for (let n = 0; n < MAX_INTERRUPTIONS; n += 1) {
      state = afterInterruption(state, true, 9);
      assert.equal(state.stage, 'queued');
    }
    assert.equal(afterInterruption(state, true, 9).stage, 'failed');
  });

  it('without a session a person decides', () => {
    const next = afterInterruption(worked, false, 9);
    assert.deepEqual([next.stage, next.reason?.code], ['failed', 'interrupted']);
  });
});

describe('at a person’s word', () => {
  it('a retry begins anew, or goes on with its session', () => {
    const anew = retried({ ...tested, attempt: 3, interruptions: 2 }, 9, false);
    assert.deepEqual([anew.stage, anew.attempt, anew.interruptions], ['queued', 0, 0]);
    assert.deepEqual([anew.place, anew.session, anew.result, anew.candidate], Array.from({ length: 4 }));
    const on = retried(tested, 9, true);
    assert.deepEqual([on.place, on.session, on.candidate], [worked.place, 's', undefined]);
  });

  it('an approval asks for a new round', () => {
    const next = approved(tested, 9);
    assert.deepEqual([next.stage, next.approvedAt], ['testing', 9]);
    assert.deepEqual([next.candidate, next.verifying, next.landing], [undefined, undefined, undefined]);
  });

  it('what is sent back keeps its place, and its comments in order', () => {
    const once = sentBack(tested, 'first', 9);
    assert.deepEqual([once.stage, once.attempt, once.urgent, once.place], ['queued', 0, true, worked.place]);
    const twice = sentBack({ ...once, comments: [{ text: 'first', at: 9, done: true }] }, 'second', 10);
    assert.deepEqual(twice.comments, [
      { text: 'first', at: 9, done: true },
      { text: 'second', at: 10, done: false },
    ]);
  });

  it('what is no longer verified can be approved again', () => {
    const { approvedAt, candidate, verifying, landing } = unverified(tested);
    assert.deepEqual([approvedAt, candidate, verifying, landing], [3, undefined, undefined, undefined]);
  });
});
