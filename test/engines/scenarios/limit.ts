/** The model service refuses for a while: a rate limit. */
import assert from 'node:assert/strict';
import { HOUR, MINUTE, SECOND } from '../../../src/platform/clock.ts';
import { steeredClock } from '../../runner/support/clock.ts';
import {
  assertFailure,
  assertSuccess,
  atRest,
  CONTENT,
  calls,
  FILE,
  limit,
  open,
  patience,
  type Scenario,
} from './scenario.ts';

const LASTS = 2 * HOUR;

export const LIMITED: Scenario = {
  name: '429',
  title:
    'a limit for two hours (429): the job waits, says until when, and is run again by itself, without `retries`',
  async run(bench) {
    const { seat } = bench;
    const clock = steeredClock((ms) => Math.min(ms, SECOND));
    const until = Math.ceil((clock.now() + LASTS) / SECOND);
    let isLimited = true;
    const work = calls((cwd) => [seat.edit(`${cwd}/${FILE}`, CONTENT)]);
    await using station = await open(
      bench,
      (request, cwd) => (isLimited ? { kind: 'refuse', status: 429, until } : work(request, cwd)),
      { clock, ...(seat.subscription && { env: seat.subscription }) },
    );
    const patient = seat.patience?.['429'];
    const id = await station.add(
      { yolo: true, timeout: seat.givesUpAfter?.['429'] ?? limit(bench) },
      'The task is to write a note.\n',
    );
    if (patient !== undefined) {
      assertFailure(await atRest(bench, station, id), 'failed', 'timeout', /time limit/);
      assert.ok(station.service.asked.length > 0, 'the model was never asked');
      await bench.record(station, id);
      return patient;
    }
    const waiting = await station.until(id, ({ reason }) => reason !== undefined, patience(bench));
    assertFailure(waiting, 'queued', 'rate-limit', /It is run again by itself on /);
    assert.ok(station.service.asked.length > 0, 'the model was never asked');
    assert.deepEqual(await station.left(), [], 'processes are left');
    const wait = (waiting.notBefore ?? 0) - clock.now();
    const isTold = wait > MINUTE;
    if (isTold) assert.ok(Math.abs(wait - LASTS) < 3 * MINUTE, `it waits for ${wait} ms`);
    await bench.record(station, id);
    isLimited = false;
    clock.jump(wait);
    const state = await atRest(bench, station, id);
    assertSuccess(state);
    assert.deepEqual([state.attempt, state.limits], [1, undefined]);
    const isNew = state.run > 2;
    if (isNew) assert.equal(state.run, 3, 'it asked for its session once, and then began a new one');
    assert.equal(await station.saved(id, FILE), CONTENT);
    const said = station.service.asked.at(-1)?.said.join('\n') ?? '';
    const knowsTheTask = bench.descriptor.prompt === 'file' || said.includes('The task is to write a note');
    assert.ok(knowsTheTask, 'its session does not know the task any more');
    const remarks = [
      ...(isTold ? [] : ['it does not say until when: the job waits for a minute, then longer each time']),
      ...(isNew
        ? ['it has written no session down when it is refused at its first question: it begins a new one']
        : []),
    ];
    return remarks.length === 0 ? undefined : remarks.join('; ');
  },
};
