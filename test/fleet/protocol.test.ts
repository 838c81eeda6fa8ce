import assert from 'node:assert/strict';
import { checkedAddress } from '../../src/fleet/address.ts';
import { fleetConfig } from '../../src/fleet/config.ts';
import { fleetMode } from '../../src/fleet/mode.ts';
import { failureOf } from '../../src/fleet/outcome.ts';
import { readClaim, readExpiry, readHeartbeat, readJob, readRuns } from '../../src/fleet/protocol.ts';
import { isTerminal, wireAction } from '../../src/fleet/report.ts';

const JOB = { id: 'job-1', bodyMd: '# Do it', stage: 'assigned' };
const DATE = Date.parse('2026-11-24T12:00:00Z');

describe('answers of a coordinator', () => {
  it('are read with the lease beside the job or inside it, and unknown keys are passed over', () => {
    const given = { jobId: 'job-1', bodyMd: '# Do it', epoch: 4, leaseMs: 900_000 };
    for (const body of [
      { job: JOB, leaseEpoch: 4, leaseTtlSec: 900, more: 1 },
      { job: { ...JOB, leaseEpoch: 4, leaseTtlSec: 900 } },
      { ...JOB, leaseEpoch: 4, leaseTtlSec: 900, checkpoint: null },
      { job: { ...JOB, leaseEpoch: 4 }, leaseExpiresAt: '2026-11-24T12:15:00Z' },
    ]) {
      assert.deepEqual(readClaim(body, DATE), given, JSON.stringify(body));
    }
    const checkpoint = { wipBranch: 'b', wipCommit: 'c' };
    const resumed = readClaim({ job: { ...JOB, checkpoint }, leaseEpoch: 4, leaseTtlSec: 900 }, DATE);
    assert.deepEqual(resumed, { ...given, checkpoint });
  });

  it('are not turned away for what nothing depends on, or for a null beside the value', () => {
    const given = { jobId: 'job-1', bodyMd: '# Do it', epoch: 4, leaseMs: 900_000 };
    for (const job of [
      { ...JOB, checkpoint: {} },
      { ...JOB, checkpoint: { wipBranch: null, wipCommit: null } },
      { ...JOB, stage: 'claimed' },
      { ...JOB, leaseEpoch: null, leaseTtlSec: null },
    ]) {
      assert.deepEqual(readClaim({ job, leaseEpoch: 4, leaseTtlSec: 900 }, DATE), given, JSON.stringify(job));
    }
    assert.deepEqual(readExpiry({ job: { leaseTtlSec: 9 }, leaseTtlSec: null }, DATE), { leaseMs: 9000 });
  });

  it('of an empty claim may be nothing, {} or a job of null', () => {
    for (const body of [undefined, {}, { job: null }]) assert.equal(readClaim(body, DATE), 'empty');
  });

  it('that cannot be read as the contract are not taken for anything', () => {
    for (const body of [
      'a page',
      [],
      { job: JOB },
      { job: JOB, leaseEpoch: -1, leaseTtlSec: 900 },
      { job: JOB, leaseEpoch: 1.5, leaseTtlSec: 900 },
      { job: JOB, leaseEpoch: '1', leaseTtlSec: 900 },
      { job: JOB, leaseEpoch: 1, leaseTtlSec: 0 },
      { job: JOB, leaseEpoch: 1 },
      { job: JOB, leaseEpoch: 1, leaseExpiresAt: '2026-11-24T11:59:00Z' },
      { job: { ...JOB, id: '../../etc' }, leaseEpoch: 1, leaseTtlSec: 900 },
      { job: { ...JOB, id: '-x' }, leaseEpoch: 1, leaseTtlSec: 900 },
      { job: { ...JOB, bodyMd: undefined }, leaseEpoch: 1, leaseTtlSec: 900 },
    ]) {
      assert.equal(readClaim(body, DATE), undefined, JSON.stringify(body));
    }
  });

  it('give a lease’s length by their own clock, never by ours', () => {
    const expires = { leaseExpiresAt: '2026-11-24T12:01:00Z' };
    assert.deepEqual(readExpiry(expires, DATE), { leaseMs: 60_000 });
    assert.deepEqual(readExpiry(expires, undefined), {});
    assert.deepEqual(readExpiry({ job: { leaseTtlSec: 7 } }, DATE), { leaseMs: 7000 });
    assert.deepEqual(readExpiry(undefined, DATE), {});
    assert.equal(readExpiry('<html>', DATE), undefined);
    assert.deepEqual(readClaim({ job: JOB, leaseEpoch: 1 }, DATE, 60), {
      jobId: 'job-1',
      bodyMd: '# Do it',
      epoch: 1,
      leaseMs: 60_000,
    });
  });

  it('to a heartbeat may say nothing, or set the pace', () => {
    assert.deepEqual(readHeartbeat(undefined), {});
    assert.deepEqual(readHeartbeat({ ok: true }), {});
    assert.deepEqual(readHeartbeat({ nextHeartbeatSec: 30, claimable: 2, longPollSec: 20, x: 1 }), {
      nextHeartbeatSec: 30,
      claimable: 2,
      longPollSec: 20,
    });
    assert.equal(readHeartbeat('<html>'), undefined);
  });

  it('tell a job’s stage and epoch', () => {
    assert.deepEqual(readJob({ ...JOB, leaseEpoch: 2 }), { jobId: 'job-1', stage: 'assigned', epoch: 2 });
    assert.equal(readJob({ ...JOB, stage: 'dancing' }), undefined);
    const checkpoint = { wipBranch: 'b', wipCommit: 'c' };
    assert.deepEqual(readJob({ job: { ...JOB, checkpoint, holder: 'laptop-2' } }), {
      jobId: 'job-1',
      stage: 'assigned',
      checkpoint,
      holder: 'laptop-2',
    });
  });

  it('list the runs, and what is no run is passed over', () => {
    const runs = [{ factoryId: 'a', leaseEpoch: 1, stage: 'failed', x: 1 }, 'x', { leaseEpoch: -1 }];
    const read = [{ factoryId: 'a', epoch: 1, stage: 'failed' }, {}];
    assert.deepEqual(readRuns(runs), read);
    assert.deepEqual(readRuns({ runs }), read);
    assert.equal(readRuns({}), undefined);
  });
});

describe('what an answer means', () => {
  const of = (
    status: number,
    body?: unknown,
    more: Partial<Parameters<typeof failureOf>[0]> = {},
    isFenced = true,
  ) => failureOf({ status, body, isJson: body !== undefined, ...more }, isFenced);
  const kind = (outcome: ReturnType<typeof of>) => (outcome === 'missing' ? outcome : outcome.kind);

  for (const [status, expected] of [
    [400, 'refused'],
    [422, 'refused'],
    [401, 'unauthorized'],
    [403, 'unauthorized'],
    [408, 'unreachable'],
    [425, 'unreachable'],
    [429, 'unreachable'],
    [500, 'unreachable'],
    [502, 'unreachable'],
    [503, 'unreachable'],
    [301, 'unreachable'],
    [307, 'unreachable'],
    [409, 'fenced'],
  ] as const) {
    it(`${status} is ${expected}`, () => assert.equal(kind(of(status, {})), expected));
  }

  it('409 is not fenced when its problem code says otherwise, or when no epoch was at stake', () => {
    assert.deepEqual(of(409, { code: 'stale_epoch', currentEpoch: 7 }), { kind: 'fenced', currentEpoch: 7 });
    assert.deepEqual(of(409), { kind: 'fenced' });
    assert.equal(kind(of(409, { code: 'illegal_transition' })), 'refused');
    assert.equal(kind(of(409, { code: 'idempotency_mismatch' })), 'refused');
    assert.equal(kind(of(409, {}, {}, false)), 'refused');
  });

  it('404 is the coordinator’s only if it is JSON, and a proxy’s 407 never is', () => {
    assert.equal(of(404, { code: 'job_not_found' }), 'missing');
    assert.equal(kind(of(404)), 'unreachable');
    assert.equal(of(404, {}, {}, false), 'missing');
    assert.equal(kind(of(407, {})), 'unreachable');
  });

  it('Retry-After is seconds, or a date by the answer’s own clock', () => {
    const after = (retryAfter: string, date?: number) => {
      const outcome = of(503, {}, { retryAfter, date });
      return outcome !== 'missing' && outcome.kind === 'unreachable' ? outcome.retryAfterMs : 'other';
    };
    assert.equal(after('120'), 120_000);
    assert.equal(after('Tue, 24 Nov 2026 12:00:30 GMT', DATE), 30_000);
    assert.equal(after('Tue, 24 Nov 2026 11:00:00 GMT', DATE), 0);
    assert.equal(after('Tue, 24 Nov 2026 12:00:30 GMT'), undefined);
    assert.equal(after('soon'), undefined);
  });

  it('a proxy’s page is not the coordinator’s word', () => {
    for (const status of [405, 413, 451]) {
      assert.equal(kind(of(status)), 'unreachable', String(status));
      assert.equal(kind(of(status, {})), 'refused', String(status));
    }
    assert.equal(kind(of(422)), 'refused');
  });

  it('a code that is no code does not get into messages', () => {
    assert.deepEqual(of(400, { code: '[x](command:y)' }), { kind: 'refused', status: 400, code: '400' });
  });
});

describe('what a move means over the wire', () => {
  it('is a report, a release, or nothing', () => {
    const says = (to: string, code?: string) => {
      const action = wireAction(to, code);
      return action.do === 'report' ? action.stage : action.do;
    };
    assert.deepEqual(
      ['building', 'review', 'testing', 'dead_letter'].map((to) => says(to)),
      ['building', 'review', 'testing', 'dead_letter'],
    );
    assert.deepEqual(
      ['assigned', 'queued', 'shipped', 'quarantine'].map((to) => says(to)),
      Array(4).fill('nothing'),
    );
    for (const to of ['failed', 'blocked']) {
      assert.equal(says(to, 'bad-manifest'), 'blocked');
      assert.equal(says(to, 'timeout'), 'failed');
      assert.equal(says(to, 'rejected'), 'failed');
      for (const code of [
        'cancelled',
        'declined',
        'engine-missing',
        'login',
        'no-clone',
        'internal',
        undefined,
      ])
        assert.equal(says(to, code), 'release', code);
      for (const code of ['fenced', 'refused', 'released']) assert.equal(says(to, code), 'nothing');
    }
  });

  it('ends the lease where the coordinator knows no holder any more', () => {
    assert.deepEqual(
      ['building', 'review', 'testing', 'shipped', 'failed', 'blocked', 'dead_letter', 'release'].filter(
        isTerminal,
      ),
      ['shipped', 'failed', 'blocked', 'dead_letter', 'release'],
    );
  });
});

describe('fleet configuration', () => {
  it('is on for 1 and true, shadow for shadow, and off for everything else', () => {
    const modes = ['1', 'true', 'TRUE', ' 1 ', 'shadow', 'Shadow', '0', '', 'yes', 'on', '2'];
    assert.deepEqual(
      modes.map((AQ_FLEET) => fleetMode({ AQ_FLEET })),
      ['on', 'on', 'on', 'on', 'shadow', 'shadow', 'off', 'off', 'off', 'off', 'off'],
    );
    assert.equal(fleetMode({}), 'off');
  });

  it('takes a setting before a variable, a variable before the default', () => {
    const none = fleetConfig({}, {});
    assert.equal(none.api, 'http://localhost:4003/api');
    assert.equal(none.renewEveryMs, 300_000);
    assert.deepEqual(
      [none.policy.engines, none.policy.yolo, none.policy.commands],
      [undefined, false, false],
    );
    const env = {
      AQ_FLEET_API: 'https://a/api',
      AQ_FLEET_LEASE_RENEW_SEC: '60',
      AQ_FLEET_CAPS: 'os:linux, gpu',
      AQ_FLEET_ALLOW_ENGINES: 'claude,shell',
      AQ_FLEET_ALLOW_ROOTS: ['/a', '/b'].join(process.platform === 'win32' ? ';' : ':'),
      AQ_FLEET_ALLOW_YOLO: '1',
    };
    const fromEnv = fleetConfig({}, env);
    assert.deepEqual(fromEnv.capabilities, ['os:linux', 'gpu']);
    assert.deepEqual(fromEnv.policy, {
      engines: ['claude', 'shell'],
      roots: ['/a', '/b'],
      yolo: true,
      commands: false,
    });
    assert.equal(fromEnv.renewEveryMs, 60_000);
    const set = fleetConfig({ api: 'https://b/api', allowYolo: false, leaseRenewSec: 5 }, env);
    assert.deepEqual([set.api, set.policy.yolo, set.renewEveryMs], ['https://b/api', false, 5000]);
  });

  it('allows nothing where a permission is set to nothing', () => {
    const { policy } = fleetConfig({}, { AQ_FLEET_ALLOW_ENGINES: '', AQ_FLEET_ALLOW_ROOTS: '' });
    assert.deepEqual([policy.engines, policy.roots], [[], []]);
  });

  it('says what it cannot use, and goes on with the default', () => {
    const { renewEveryMs, policy, problems } = fleetConfig(
      {},
      { AQ_FLEET_LEASE_RENEW_SEC: 'soon', AQ_FLEET_ALLOW_YOLO: 'maybe' },
    );
    assert.deepEqual([renewEveryMs, policy.yolo, problems.length], [300_000, false, 2]);
    assert.match(problems.join(), /AQ_FLEET_LEASE_RENEW_SEC is soon.*AQ_FLEET_ALLOW_YOLO is maybe/s);
  });

  it('lets a token travel by https, or in plain only on this machine', () => {
    for (const [api, expected] of [
      ['https://fleet.example/api/', 'https://fleet.example/api'],
      ['http://localhost:4003/api', 'http://localhost:4003/api'],
      ['http://127.9.9.9/api', 'http://127.9.9.9/api'],
      ['http://[::1]:80/api', 'http://[::1]/api'],
    ] as const) {
      assert.equal(checkedAddress(api), expected);
    }
    for (const api of [
      'http://fleet.example/api',
      'http://127.0.0.1.evil.example/api',
      'http://localhost.evil.example/',
      'ftp://localhost/',
      'nonsense',
      'https://user:secret@fleet.example/api',
    ]) {
      assert.throws(() => checkedAddress(api), { code: 'bad-address' }, api);
    }
    assert.throws(
      () => checkedAddress('https://user:hunter2@fleet.example/api'),
      (error: Error) => !error.message.includes('hunter2'),
    );
    for (const api of [
      'user:hunter2@fleet.example/api',
      'http:/user:hunter2@:x',
      'https://h/api?token=hunter2',
    ]) {
      assert.throws(
        () => checkedAddress(api),
        (error: Error) => !error.message.includes('hunter2'),
        api,
      );
    }
    assert.equal(checkedAddress('http://fleet.lan/api', { allowPlain: true }), 'http://fleet.lan/api');
  });
});
