import assert from 'node:assert/strict';
import { provenanceOf } from '../../../src/fleet/config.ts';
import type { FleetStatus, LeaseStatus } from '../../../src/fleet/status.ts';
import { fleetRows } from '../../../src/views/text/fleet.ts';
import { type PageFacts, pageText } from '../../../src/views/text/fleet-page.ts';
import { fleetText } from '../../../src/views/text/fleet-words.ts';
import { job, t } from '../english.ts';

const NOW = { wall: 1_700_000_000_000, monotonic: 1_000_000 };
const ago = (ms: number) => ({ wall: NOW.wall - ms, monotonic: NOW.monotonic - ms });

const lease = (more: Partial<LeaseStatus> = {}): LeaseStatus => ({
  id: 'job-1-e3',
  jobId: 'job-1',
  stage: 'building',
  epoch: 3,
  standing: 'held',
  leftMs: 754_000,
  renewals: 2,
  waiting: 0,
  ...more,
});

const status = (more: Partial<FleetStatus> = {}): FleetStatus => ({
  isHere: true,
  factoryId: 'laptop-1',
  api: 'https://fleet.example/api',
  shadow: false,
  draining: false,
  leaving: false,
  connection: { phase: 'reachable', since: ago(5000), failures: 0, pauseMs: 1000 },
  capabilities: ['os:linux'],
  shortages: [],
  now: NOW,
  leases: [],
  fenced: [],
  heartbeats: [],
  transitions: [],
  ...more,
});

const unreachable = (ms: number): FleetStatus['connection'] => ({
  phase: 'unreachable',
  since: ago(ms),
  why: 'nobody listens there',
  failures: 3,
  pauseMs: 1000,
});

describe('rows of the fleet', () => {
  const said = (given: FleetStatus) =>
    fleetRows(given, t).map(({ label, description }) => `${label}: ${description}`);

  it('say whether the coordinator answers, or since when not and why', () => {
    assert.deepEqual(said(status({ claimable: 2 })), [
      'Coordinator: reachable · 2 to claim',
      'This factory: laptop-1',
    ]);
    const [row = ''] = said(status({ connection: unreachable(190_000) }));
    assert.equal(row, 'Coordinator: unreachable 3 min: nobody listens there');
    const lately = said(status({ connection: unreachable(5000) }))[0];
    assert.equal(lately, 'Coordinator: unreachable: nobody listens there');
    assert.match(said(status({ shadow: true }))[0] ?? '', /shadow mode/);
    assert.equal(said(status({ roundTripMs: 12 }))[0], 'Coordinator: reachable · 12 ms');
  });

  it('say what this factory is short of, and that it drains or leaves', () => {
    const factory = (more: Partial<FleetStatus>) => said(status(more))[1];
    assert.equal(
      factory({ shortages: ['the battery is at 12 %'] }),
      'This factory: laptop-1 · degraded: the battery is at 12 %',
    );
    assert.equal(factory({ draining: true }), 'This factory: laptop-1 · draining');
    assert.equal(
      factory({ draining: true, leaving: true }),
      'This factory: laptop-1 · leaves when its leases are settled',
    );
  });

  it('say what has put a lease in doubt, and keep a fenced one in sight', () => {
    const doubts = (['sleep', 'restart', 'outage'] as const).map(
      (doubt) => said(status({ leases: [lease({ standing: 'uncertain', doubt })] }))[2]?.split(' · ')[0],
    );
    assert.deepEqual(doubts, [
      'job-1: uncertain since this laptop slept',
      'job-1: uncertain since the restart',
      'job-1: uncertain since the coordinator was away',
    ]);
    const fenced = { id: 'job-1-e3', jobId: 'job-1', epoch: 3, at: NOW.wall, text: 'Epoch 4 has it.' };
    const [row] = fleetRows(status({ fenced: [fenced] }), t).slice(2);
    assert.equal(`${row?.label}: ${row?.description}`, 'job-1: fenced · epoch 3');
    assert.equal(row?.tooltip, 'Epoch 4 has it.');
  });

  it('count a lease down while it is held, and say what else has become of it', () => {
    const [, , held] = said(status({ leases: [lease()] }));
    assert.equal(held, 'job-1: 12:34 left · building · epoch 3');
    const words = (['uncertain', 'lapsed', 'landing'] as const).map(
      (standing) => said(status({ leases: [lease({ standing })] }))[2],
    );
    assert.deepEqual(words, [
      'job-1: uncertain until it is renewed · 12:34 left · building · epoch 3',
      'job-1: lapsed · building · epoch 3',
      'job-1: may land · building · epoch 3',
    ]);
  });

  it('tell of reports that wait, and of nothing where none does', () => {
    assert.equal(
      said(status({ leases: [lease({ waiting: 1 }), lease({ id: 'b', waiting: 2 })] })).at(-1),
      'Outbox: 3 reports wait',
    );
    assert.equal(
      said(status({ leases: [lease()] })).some((row) => row.startsWith('Outbox')),
      false,
    );
  });

  it('have ids that differ, and are spoken without seconds', () => {
    const rows = fleetRows(status({ leases: [lease(), lease({ id: 'job-1-e4' })] }), t);
    assert.equal(new Set(rows.map(({ id }) => id)).size, rows.length);
    for (const { spoken } of rows) assert.doesNotMatch(spoken, /\d:\d\d/);
  });
});

describe('the fleet in the status bar', () => {
  it('is on, unreachable since when, or turned down', () => {
    assert.equal(fleetText(undefined, t), 'Fleet on');
    assert.equal(fleetText(status(), t), 'Fleet on');
    assert.equal(fleetText(status({ connection: unreachable(190_000) }), t), 'Coordinator unreachable 3 min');
    assert.equal(fleetText(status({ connection: unreachable(5000) }), t), 'Coordinator unreachable');
    const turnedDown = { ...unreachable(1), phase: 'unauthorized' as const };
    assert.match(fleetText(status({ connection: turnedDown }), t), /turns the token down/);
  });
});

describe('the status page', () => {
  const facts: PageFacts = {
    mode: 'on',
    problem: undefined,
    lines: ['Fleet        on'],
    fleet: status(),
    settings: [],
    home: '/h',
    claimed: [],
  };

  it('has what is known, claimed jobs, and what went to and fro', () => {
    const claimed = job({ id: 'job-1-e3', stage: 'review', claim: { jobId: 'job-1', epoch: 3 } });
    const at = new Date(2026, 10, 25, 14, 5, 9).getTime();
    const fleet = status({
      heartbeats: [{ at, text: 'accepted in 4 ms' }],
      transitions: [{ at, text: 'job-1, epoch 3: review', times: 2 }],
    });
    const page = pageText({ ...facts, fleet, claimed: [claimed] }, t);
    assert.match(page, /^Fleet {8}on$/m);
    assert.match(page, /^job-1-e3 {2}review {2}epoch 3$/m);
    assert.match(page, /^Recent heartbeats\n14:05:09 {2}accepted in 4 ms$/m);
    assert.match(page, /^Recent transitions\n14:05:09 {2}job-1, epoch 3: review \(2×\)$/m);
  });

  it('tells why queued jobs are not claimed, where the coordinator says so', () => {
    const fleet = status({
      unclaimed: [{ jobId: 'job-9', why: 'laptop-1 does not offer gpu.' }],
    });
    const page = pageText({ ...facts, fleet }, t);
    assert.match(page, /^Why queued jobs are not claimed\njob-9 {2}laptop-1 does not offer gpu\.$/m);
    assert.match(pageText(facts, t), /^This coordinator does not tell why/m);
    assert.match(pageText({ ...facts, fleet: status({ unclaimed: [] }) }, t), /^No job is queued\.$/m);
  });

  it('shows each setting with where it comes from, and no token', () => {
    const env = { AQ_FLEET: '1', AQ_FLEET_TOKEN: 'secret-4711', AQ_FLEET_ALLOW_YOLO: '1' };
    const settings = provenanceOf({ factoryId: 'laptop-1', allowYolo: false }, env);
    const page = pageText({ ...facts, settings }, t);
    assert.match(page, /^AQ_FLEET +1 {2}\(environment\)$/m);
    assert.match(page, /^AQ_FACTORY_ID +laptop-1 {2}\(setting\)$/m);
    assert.match(page, /^AQ_FLEET_ALLOW_YOLO +0 {2}\(setting\)$/m);
    assert.match(page, /^AQ_FLEET_LEASE_RENEW_SEC +300 {2}\(default\)$/m);
    assert.match(page, /^AQ_FLEET_ALLOW_ENGINES +– {2}\(default\)$/m);
    assert.doesNotMatch(page, /secret-4711/);
  });

  it('says that the fleet is off, or what keeps it from being joined', () => {
    const none = { ...facts, lines: [], fleet: undefined };
    assert.match(pageText({ ...none, mode: 'off' }, t), /Fleet mode is off/);
    assert.match(pageText({ ...none, problem: 'A bad address.' }, t), /^A bad address\.$/m);
  });
});
