/** The engine does what it was asked to. */
import assert from 'node:assert/strict';
import type { JobState } from '../../../src/runner/job/state.ts';
import {
  ANSWER,
  assertClean,
  assertSuccess,
  assertUsage,
  atRest,
  CONTENT,
  calls,
  FILE,
  open,
  type Scenario,
} from './scenario.ts';

const answers: Scenario = {
  name: 'answers',
  title: 'only answers: in review with the answer, no file changed; tokens, cost and session as told',
  async run(bench) {
    await using station = await open(
      bench,
      calls(() => []),
    );
    const id = await station.add();
    const state = await atRest(bench, station, id);
    assertSuccess(state);
    assert.equal(state.result?.files, 0);
    assertUsage(bench, state, 1);
    if (bench.seat.tells.session) assert.match(state.session ?? '', /\w{8}/, 'the session is not known');
    await assertClean(bench, station, id);
    assert.deepEqual(await station.factory.board().then(({ runner }) => runner.kind), 'here');
    await bench.record(station, id);
    return undefined;
  },
};

const edits: Scenario = {
  name: 'edits',
  title:
    'edits a file with `yolo` and finishes: in review, the file is in the checkpoint, the checkout is as it was',
  async run(bench) {
    const { seat } = bench;
    await using station = await open(
      bench,
      calls((cwd) => [seat.edit(`${cwd}/${FILE}`, CONTENT)]),
    );
    const id = await station.add({ yolo: true });
    const state = await atRest(bench, station, id);
    assertSuccess(state);
    assert.equal(state.result?.files, 1);
    assert.equal(await station.saved(id, FILE), CONTENT);
    assertUsage(bench, state, 2);
    await assertClean(bench, station, id);
    await bench.record(station, id);
    return undefined;
  },
};

const OTHER = 'ran.txt';
const UNTOLD = 'it does not tell that it was refused';

function isRefusalTold(state: JobState): boolean {
  return /It was not allowed to use \w+/.test(state.result?.summary ?? '');
}

const permission: Scenario = {
  name: 'asks permission',
  title:
    'wants to edit and to run a command without `yolo`: is refused, waits for nobody, and changes nothing',
  async run(bench) {
    const { seat } = bench;
    const script = calls((cwd) => [
      seat.edit(`${cwd}/${FILE}`, CONTENT),
      seat.shell(`touch '${cwd}/${OTHER}'`),
    ]);
    await using station = await open(bench, script);
    const id = await station.add();
    const state = await atRest(bench, station, id);
    assert.equal(await station.saved(id, FILE), undefined, 'it has written the file');
    assert.equal(await station.saved(id, OTHER), undefined, 'it has run the command');
    assert.equal(state.result?.files, 0);
    assert.equal(state.stage, 'review', state.reason?.text);
    await assertClean(bench, station, id);
    await bench.record(station, id);
    return isRefusalTold(state) ? undefined : UNTOLD;
  },
};

const ownRules: Scenario = {
  name: 'own rules',
  title: 'the person’s own rules forbid what `yolo` would allow: not done, and nobody is waited for',
  async run(bench) {
    const { seat } = bench;
    const script = calls((cwd) => [
      seat.forbiddenEdit?.(`${cwd}/${FILE}`) ?? seat.edit(`${cwd}/${FILE}`, CONTENT),
    ]);
    await using station = await open(bench, script, { forbidden: true });
    const id = await station.add({ yolo: true });
    const state = await atRest(bench, station, id);
    assert.equal(await station.saved(id, FILE), undefined, 'it has written the file');
    assert.equal(state.result?.files, 0);
    assert.equal(state.stage, 'review', state.reason?.text);
    await assertClean(bench, station, id);
    return isRefusalTold(state) ? undefined : UNTOLD;
  },
};

const twoAtOnce: Scenario = {
  name: 'two at once',
  title:
    'two jobs in one repository at the same time: each in its own worktree, with its own file and session',
  async run(bench) {
    const { seat } = bench;
    const script = calls((cwd) => [seat.edit(`${cwd}/${cwd.split('/').at(-1)}.txt`, CONTENT)]);
    await using station = await open(bench, script);
    if (seat.firstAlone !== undefined) {
      await atRest(bench, station, await station.add({}, 'Do the task before.\n', 'before'));
    }
    const ids = [
      await station.add({ yolo: true }, 'Do the first task.\n', 'first'),
      await station.add({ yolo: true }, 'Do the second task.\n', 'second'),
    ];
    const states = await Promise.all(ids.map((id) => atRest(bench, station, id)));
    for (const state of states) {
      assertSuccess(state);
      assert.equal(state.result?.files, 1, 'each has its own file only');
      assertUsage(bench, state, 2);
    }
    const [first, second] = states;
    const overlap =
      (first?.startedAt ?? 0) < (second?.changedAt ?? 0) &&
      (second?.startedAt ?? 0) < (first?.changedAt ?? 0);
    assert.ok(overlap, 'they did not run at the same time');
    assert.notEqual(first?.place?.worktree, second?.place?.worktree);
    if (seat.tells.session) assert.notEqual(first?.session, second?.session);
    assert.equal(
      states.every(({ result }) => result?.summary === ANSWER),
      true,
    );
    for (const id of ids) await assertClean(bench, station, id);
    return seat.firstAlone;
  },
};

export const FINISHING: readonly Scenario[] = [answers, edits, permission, ownRules, twoAtOnce];
