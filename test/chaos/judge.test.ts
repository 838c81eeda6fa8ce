/** Each rule of the judge: a good run has no finding, and one thing that is wrong with it has one. */
import assert from 'node:assert/strict';
import type { Evidence, JobEvent, LocalJob, RecordedJob } from './evidence.ts';
import { judge } from './judge.ts';
import type { Message } from './message.ts';

const event = (n: number, kind: string, leaseEpoch: number, to: string): JobEvent => ({
  ...{ n, kind, leaseEpoch, to },
  factoryId: leaseEpoch === 0 ? null : 'ada',
  from: null,
});
const message = (given: Partial<Message>): Message => ({
  ...{ call: 'report', method: 'PATCH', path: '/fleet/jobs/job-1', key: 'job-1.1.1', job: 'job-1', epoch: 1 },
  ...{ stage: undefined, names: ['leaseEpoch'], isCopy: false, status: 200, answer: '{}', fate: 'delivered' },
  ...given,
});
const claim = (answer: string): Message =>
  message({ call: 'claim', key: 'request', job: undefined, epoch: undefined, names: ['factoryId'], answer });

const EVENTS = [
  event(1, 'enqueued', 0, 'queued'),
  event(2, 'claimed', 1, 'assigned'),
  event(3, 'reported', 1, 'testing'),
  event(4, 'reported', 1, 'shipped'),
];
const JOB: RecordedJob = {
  ...{ id: 'job-1', stage: 'shipped', leaseEpoch: 1, holder: null, events: EVENTS },
  runs: [{ leaseEpoch: 1, factoryId: 'ada', end: 'shipped' }],
};
const LOCAL: LocalJob = {
  ...{ id: 'job-1-e1', job: 'job-1', epoch: 1, stage: 'shipped' },
  ...{ reason: undefined, isKept: true },
};
const MESSAGES = [
  claim('{"job":{"id":"job-1"},"leaseEpoch":1}'),
  message({ stage: 'testing' }),
  message({ stage: 'shipped' }),
];
const LANDING = { job: 'job-1', epoch: 1, where: 'origin', commit: 'c0ffee' };
const GOOD: Evidence = {
  planned: [{ id: 'job-1', ship: 'push', workMs: 1, fails: false }],
  record: [JOB],
  landings: [LANDING],
  homes: [{ machine: 'ada', jobs: [LOCAL], outbox: [], finished: ['job-1-e1'] }],
  messages: { ada: MESSAGES, bob: [], cyd: [] },
  ...{ leaks: [], locks: [], powerCuts: [], processes: [], remarks: [] },
};

const job = (change: Partial<RecordedJob>): Evidence => ({ ...GOOD, record: [{ ...JOB, ...change }] });
const local = (change: Partial<LocalJob>, more: readonly LocalJob[] = []): Evidence => ({
  ...GOOD,
  homes: [{ machine: 'ada', jobs: [{ ...LOCAL, ...change }, ...more], outbox: [], finished: ['job-1-e1'] }],
});
const said = (...more: readonly Message[]): Evidence => ({
  ...GOOD,
  messages: { ada: [...MESSAGES, ...more], bob: [], cyd: [] },
});
const rest = (stage: string, end: string | null): Evidence => ({
  ...local({ stage }),
  record: [{ ...JOB, runs: [{ leaseEpoch: 1, factoryId: 'ada', end }] }],
});

const WRONG: readonly (readonly [what: string, evidence: Evidence, finding: RegExp])[] = [
  ['two landings', { ...GOOD, landings: [LANDING, { ...LANDING, where: 'bob' }] }, /landed 2 times/],
  [
    'a landing under another epoch',
    { ...GOOD, landings: [{ ...LANDING, epoch: 2 }] },
    /under epoch 2, for which/,
  ],
  ['no landing', { ...GOOD, landings: [] }, /never landed/],
  ['two shipped', job({ events: [...EVENTS, event(5, 'reported', 1, 'shipped')] }), /as shipped 2 times/],
  ['an epoch that stays', job({ events: [...EVENTS, event(5, 'claimed', 1, 'assigned')] }), /not 2/],
  ['an epoch that goes back', job({ leaseEpoch: 0 }), /is under epoch 0, its last event/],
  ['an event that is gone', job({ events: EVENTS.toSpliced(2, 1) }), /event 4 stands in the place of 3/],
  [
    'a job without an end',
    job({ stage: 'building', holder: 'ada' }),
    /not come to its end: it is building at ada/,
  ],
  ['a failure of nobody', job({ stage: 'failed' }), /though nothing is wrong with it/],
  [
    'a failure that is shipped',
    { ...GOOD, planned: [{ id: 'job-1', ship: 'push', workMs: 1, fails: true }] },
    /failed, and was shipped/,
  ],
  [
    'a report of nobody',
    { ...GOOD, messages: { ada: MESSAGES.slice(0, 2), bob: [], cyd: [] } },
    /nobody has said/,
  ],
  [
    'an accepted report that is gone',
    said(message({ stage: 'review' })),
    /accepted review of ada .* not in the record/,
  ],
  ['an accepted release that is gone', said(message({ call: 'release' })), /accepted release of ada/],
  [
    'a claim with two jobs',
    said(claim('{"job":{"id":"job-1"},"leaseEpoch":2}')),
    /One claim of ada was given/,
  ],
  ['a body with more', said(message({ call: 'renew', names: ['leaseEpoch', 'prompt'] })), /must not: prompt/],
  [
    'a full outbox',
    { ...GOOD, homes: GOOD.homes.map((home) => ({ ...home, outbox: ['x'] })) },
    /still has x/,
  ],
  ['work in two stages', local({}, [{ ...LOCAL, stage: 'testing' }]), /lies in 2 stages/],
  [
    'work in no stage',
    { ...GOOD, homes: GOOD.homes.map((home) => ({ ...home, jobs: [] })) },
    /lies in 0 stages/,
  ],
  ['work that waits', local({ stage: 'testing', reason: 'held' }), /still lies in testing \(held\)/],
  ['work that is gone', local({ isKept: false }), /finished work of job-1-e1 at ada is gone/],
  ['quarantine of what was shipped', local({ stage: 'quarantine' }), /in quarantine .* shipped/],
  ['quarantine of a claim that goes on', rest('quarantine', null), /though its claim goes on/],
  ['shipped here only', rest('shipped', 'lapsed'), /shipped at ada, and lapsed at the coordinator/],
  ['a token', { ...GOOD, leaks: ['in the file x'] }, /token was seen in the file x/],
  ['a lock', { ...GOOD, locks: [{ machine: 'ada', file: '/index.lock' }] }, /lock \/index.lock is left/],
  [
    'a lock of ours after a power cut',
    { ...GOOD, locks: [{ machine: 'ada', file: '/refs/agent-queue/x/wip.lock' }], powerCuts: ['ada'] },
    /wip.lock is left/,
  ],
  ['a process', { ...GOOD, processes: ['git push'] }, /process is left: git push/],
  ['a remark', { ...GOOD, remarks: ['ada did not end'] }, /ada did not end/],
];

describe('the judge of a fleet of real processes', () => {
  it('finds nothing in a good run', () => {
    assert.deepEqual(judge(GOOD), []);
    assert.deepEqual(judge(rest('quarantine', 'lapsed')), []);
  });
  for (const [what, evidence, finding] of WRONG) {
    it(`finds ${what}`, () => assert.match(judge(evidence).join('\n'), finding));
  }
});
