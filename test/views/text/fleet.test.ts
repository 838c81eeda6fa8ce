import assert from 'node:assert/strict';
import type { FleetStatus, LeaseStatus } from '../../../src/fleet/status.ts';
import { fleetRows, pageText } from '../../../src/views/text/fleet.ts';
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
  factoryId: 'laptop-1',
  api: 'https://fleet.example/api',
  shadow: false,
  draining: false,
  connection: { phase: 'reachable', since: ago(5000), failures: 0, pauseMs: 1000 },
  capabilities: ['os:linux'],
  shortages: [],
  now: NOW,
  leases: [],
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
    assert.match(said(status({ shadow: true }))[0] ?? '', /shadow mode/);
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
    const turnedDown = { ...unreachable(1), phase: 'unauthorized' as const };
    assert.match(fleetText(status({ connection: turnedDown }), t), /turns the token down/);
  });
});

describe('the status page', () => {
  it('has what is known, what claimed jobs may do, and which there are', () => {
    const claimed = job({ id: 'job-1-e3', stage: 'review', claim: { jobId: 'job-1', epoch: 3 } });
    const policy = { roots: ['/code'], yolo: false, commands: true };
    const facts = {
      mode: 'on',
      problem: undefined,
      lines: ['Fleet        on'],
      policy,
      home: '/h',
      claimed: [claimed],
    };
    const page = pageText(facts, t);
    assert.match(page, /^Fleet {8}on$/m);
    assert.match(page, /^Engines {6}all that are installed, but shell$/m);
    assert.match(page, /^Commands {5}yes$/m);
    assert.match(page, /^job-1-e3 {2}review {2}epoch 3$/m);
  });

  it('says that the fleet is off, or what keeps it from being joined', () => {
    const none = { problem: undefined, lines: [], policy: undefined, home: '/h', claimed: [] };
    assert.match(pageText({ ...none, mode: 'off' }, t), /Fleet mode is off/);
    assert.match(pageText({ ...none, mode: 'on', problem: 'A bad address.' }, t), /^A bad address\.$/m);
  });
});
