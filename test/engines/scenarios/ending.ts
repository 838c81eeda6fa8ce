/** The run is ended: by a person, by its time limit, by a kill, or not at all. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { readBegun } from '../../../src/runner/supervisor/records.ts';
import type { Station } from '../station.ts';
import {
  asked,
  assertClean,
  assertFailure,
  assertSuccess,
  assertUsage,
  atRest,
  type Bench,
  CONTENT,
  calls,
  FILE,
  limit,
  open,
  type Scenario,
} from './scenario.ts';

/** The engine has edited a file and now runs a command that does not end. */
function busy({ seat }: Bench) {
  const edit = (cwd: string) => [seat.edit(`${cwd}/${FILE}`, CONTENT)];
  return calls(edit, seat.shell('tail -f /dev/null'));
}

/** Resolves when the command that does not end runs. */
async function isBusy(bench: Bench, station: Station): Promise<void> {
  await asked(bench, station, ({ toolResults }) => toolResults === 1);
  await new Promise((resolve) => setTimeout(resolve, 500));
}

const timeLimit: Scenario = {
  name: 'time limit',
  title:
    'a command of the engine does not end: ended with all its processes at the time limit, its work is kept',
  async run(bench) {
    await using station = await open(bench, busy(bench));
    const id = await station.add({ yolo: true, timeout: limit(bench) });
    const state = await atRest(bench, station, id);
    assertFailure(state, 'failed', 'timeout', /time limit/);
    assert.equal(await station.saved(id, FILE), CONTENT);
    await assertClean(bench, station, id);
    return undefined;
  },
};

const cancelled: Scenario = {
  name: 'cancelled',
  title: 'a person cancels while a command of the engine runs: nothing is left running, its work is kept',
  async run(bench) {
    await using station = await open(bench, busy(bench));
    const id = await station.add({ yolo: true });
    await isBusy(bench, station);
    const answer = await station.factory.execute({ verb: 'cancel', id });
    assert.ok(answer.ok, answer.message);
    const state = await atRest(bench, station, id);
    assertFailure(state, 'failed', 'cancelled', /Cancelled by a person/);
    assert.equal(await station.saved(id, FILE), CONTENT);
    assert.deepEqual(await station.left(), [], 'processes are left');
    return undefined;
  },
};

const killed: Scenario = {
  name: 'killed',
  title: 'the program is killed from outside: failed, and not by the engine; its work is kept',
  async run(bench) {
    await using station = await open(bench, busy(bench));
    const id = await station.add({ yolo: true });
    await isBusy(bench, station);
    for (const pid of await station.left()) process.kill(pid, 'SIGKILL');
    const state = await atRest(bench, station, id);
    assertFailure(state, 'failed', 'interrupted', /ended from outside, by SIGKILL/);
    assert.equal(await station.saved(id, FILE), CONTENT);
    await assertClean(bench, station, id);
    return undefined;
  },
};

/** Until an engine has written down what has been said so far, ms. */
const HOLDS_ITS_BREATH = 3000;

const resumed: Scenario = {
  name: 'resumed',
  title: 'engine and supervisor are killed (a power cut): the job goes on by itself, in the same session',
  async run(bench) {
    const { seat } = bench;
    let cut = true;
    await using station = await open(bench, (request, cwd) =>
      request.toolResults > 0 && cut
        ? { kind: 'silence' }
        : calls(() => [seat.edit(`${cwd}/${FILE}`, CONTENT)])(request, cwd),
    );
    const id = await station.add({ yolo: true }, 'The task is to write a note.\n');
    await asked(bench, station, ({ toolResults }) => toolResults > 0);
    await new Promise((resolve) => setTimeout(resolve, HOLDS_ITS_BREATH));
    const before = station.service.asked.length;
    const begun = await readBegun(await station.run(id));
    assert.equal(begun.state, 'read');
    if (begun.state === 'read') process.kill(begun.value.supervisor.pid, 'SIGKILL');
    for (const pid of await station.left()) process.kill(pid, 'SIGKILL');
    cut = false;
    const state = await atRest(bench, station, id);
    assert.equal(await station.saved(id, FILE), CONTENT);
    if (bench.descriptor.resumeArgs === undefined) {
      assertFailure(state, 'failed', 'interrupted', /cut off before the engine had finished/);
      assert.deepEqual(await station.left(), [], 'processes are left');
      return 'it tells no session that could be resumed: the job has failed, and a person decides; its work is kept';
    }
    assert.equal(state.stage, 'review', state.reason?.text);
    assert.deepEqual([state.run, state.attempt], [2, 1], 'a second run, and no attempt used up');
    const later = station.service.asked.slice(before).filter(({ tools }) => tools.length > 0);
    const said = later.flatMap((request) => request.said).join('\n');
    assert.match(said, /Your work was interrupted/);
    assert.match(said, /The task is to write a note/, 'its session does not know the task any more');
    await assertClean(bench, station, id);
    return undefined;
  },
};

const lingers: Scenario = {
  name: 'lingers',
  title: 'the process does not end after its final event: ended by the watchdog, and it has succeeded',
  async run(bench) {
    const { seat } = bench;
    const script = calls((cwd) => [seat.edit(`${cwd}/${FILE}`, CONTENT)]);
    // Its real output, from a process that then stays.
    const folder = mkdtempSync(path.join(os.tmpdir(), 'aq-kit-lingering-'));
    try {
      const program = path.join(folder, seat.engine);
      writeFileSync(program, `#!/bin/sh\n'${bench.program}' "$@"\nexec sleep 1000\n`, { mode: 0o755 });
      await using station = await open({ ...bench, program }, script, { entry: { lingerMs: 500 } });
      const id = await station.add({ yolo: true });
      const state = await atRest(bench, station, id);
      assertSuccess(state);
      assert.equal(await station.saved(id, FILE), CONTENT);
      assertUsage(bench, state, 2);
      await assertClean(bench, station, id);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    return undefined;
  },
};

export const ENDING: readonly Scenario[] = [killed, resumed, timeLimit, cancelled, lingers];
