/** The model service does not do what it should. */
import assert from 'node:assert/strict';
import type { Turn } from '../services/dialect.ts';
import {
  assertClean,
  assertFailure,
  atRest,
  type Bench,
  limit,
  open,
  type Scenario,
  type ScenarioName,
} from './scenario.ts';

interface Fault {
  readonly name: ScenarioName;
  readonly title: string;
  readonly turn: Turn;
  readonly code: string;
  readonly text: RegExp;
}

const FAULTS: readonly Fault[] = [
  {
    name: '500',
    title: 'the service answers 500: failed, in its words',
    turn: { kind: 'refuse', status: 500 },
    code: 'failed',
    text: /500|server had an error|high demand/i,
  },
  {
    name: 'garbage',
    title: 'the service answers what is no answer: failed',
    turn: { kind: 'garbage' },
    code: 'failed',
    text: /\w/,
  },
  {
    name: 'cut stream',
    title: 'the answer breaks off in the middle: failed, and half an answer is not taken for one',
    turn: { kind: 'cut' },
    code: 'failed',
    text: /\w/,
  },
];

/** Ends as the fault should, or, for an engine that goes on asking, at the job's time limit. */
async function suffer(bench: Bench, { name, turn, code, text }: Fault): Promise<string | undefined> {
  await using station = await open(bench, () => turn);
  const id = await station.add({ timeout: bench.seat.givesUpAfter?.[name] ?? limit(bench) });
  const state = await atRest(bench, station, id);
  assert.ok(station.service.asked.length > 0, 'the model was never asked');
  const patient = bench.seat.patience?.[name];
  if (patient === undefined) assertFailure(state, 'failed', code, text);
  else assertFailure(state, 'failed', 'timeout', /time limit/);
  assert.equal(state.result?.summary, undefined);
  await assertClean(bench, station, id);
  await bench.record(station, id);
  return patient;
}

const unauthorized: Scenario = {
  name: '401',
  title: 'the service answers 401: blocked, with the command that logs in',
  async run(bench) {
    await using station = await open(bench, () => ({ kind: 'refuse', status: 401 }));
    const id = await station.add({ timeout: limit(bench) });
    const state = await atRest(bench, station, id);
    assertFailure(state, 'blocked', 'login', /\w/);
    assert.ok(state.reason?.action?.includes(bench.descriptor.login ?? 'log in'), state.reason?.action);
    await assertClean(bench, station, id);
    await bench.record(station, id);
    return undefined;
  },
};

const noLogin: Scenario = {
  name: 'no login',
  title: 'nobody has logged in: blocked, with the command that logs in',
  async run(bench) {
    await using station = await open(bench, () => ({ kind: 'refuse', status: 401 }), { login: false });
    const id = await station.add({ timeout: limit(bench) });
    const state = await atRest(bench, station, id);
    assertFailure(state, 'blocked', 'login', /\w/);
    assert.ok(state.reason?.action?.includes(bench.descriptor.login ?? 'log in'), state.reason?.action);
    assert.deepEqual(await station.left(), []);
    await bench.record(station, id);
    return undefined;
  },
};

const silence: Scenario = {
  name: 'silence',
  title: 'the service takes the question and never answers: ended at the time limit at the latest',
  async run(bench) {
    await using station = await open(bench, () => ({ kind: 'silence' }));
    const id = await station.add({ timeout: limit(bench) });
    const state = await atRest(bench, station, id);
    assert.ok(station.service.asked.length > 0, 'the model was never asked');
    assertFailure(state, 'failed', 'timeout', /time limit/);
    await assertClean(bench, station, id);
    return undefined;
  },
};

export const SERVICE: readonly Scenario[] = [
  ...FAULTS.map(
    (fault): Scenario => ({
      name: fault.name,
      title: fault.title,
      run: (bench) => suffer(bench, fault),
    }),
  ),
  unauthorized,
  noLogin,
  silence,
];
