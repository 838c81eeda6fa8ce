/** Run as root, as continuous integration does. */
import assert from 'node:assert/strict';
import {
  assertFailure,
  assertSuccess,
  atRest,
  CONTENT,
  calls,
  FILE,
  open,
  type Scenario,
} from './scenario.ts';

export const ROOT: Scenario = {
  name: 'as root',
  title:
    'with `yolo`, as root: done, or where the engine refuses, blocked with what to do, by our word and by its own',
  async run(bench) {
    const { seat, descriptor } = bench;
    const script = calls((cwd) => [seat.edit(`${cwd}/${FILE}`, CONTENT)]);
    const containers = Object.keys(descriptor.rootAllowedWith ?? {});
    const env = Object.fromEntries(containers.map((name) => [name, undefined]));
    // Ours comes before the engine is started; its own is what it says when it is started all the same.
    for (const entry of [{}, { yoloRefusedForRoot: false }]) {
      await using station = await open(bench, script, { env, entry });
      const state = await atRest(bench, station, await station.add({ yolo: true }));
      if (descriptor.yoloRefusedForRoot !== true) {
        assertSuccess(state);
        return undefined;
      }
      assertFailure(state, 'blocked', 'root', /root/);
      for (const name of containers) assert.ok(state.reason?.action?.includes(name), state.reason?.action);
      assert.equal(station.service.asked.length, 0);
      assert.deepEqual(await station.left(), []);
    }
    return 'it refuses, and that is said';
  },
};
