import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import path from 'node:path';
import { systemClock } from '../../../src/platform/clock.ts';
import { endTree } from '../../../src/platform/processes/end-tree.ts';
import type { ProcessIdentity } from '../../../src/platform/processes/process.ts';
import {
  descendants,
  identityOf,
  isAlive,
  markedProcesses,
  processTable,
} from '../../../src/platform/processes/table.ts';

const NAME = 'AQ_TEST_MARK';

describe('endTree', function () {
  this.timeout(30_000);
  const children: ChildProcess[] = [];
  let mark: string;
  beforeEach(() => {
    mark = randomUUID();
  });
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    for (const { pid } of await markedProcesses(NAME, mark)) process.kill(pid, 'SIGKILL');
  });

  /** Starts a shell script in a group of its own; resolves when it has printed something. */
  const start = async (script: string, env: NodeJS.ProcessEnv = {}): Promise<ProcessIdentity> => {
    const child = spawn('/bin/sh', ['-c', script], {
      detached: true,
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { PATH: process.env['PATH'], ...env },
    });
    children.push(child);
    await once(child.stdout, 'data');
    const identity = await identityOf(child.pid ?? 0);
    assert.ok(identity !== undefined);
    return identity;
  };
  const end = (root: ProcessIdentity, waitMs = 100, groupIsOurs = false) =>
    endTree({
      root,
      groupIsOurs,
      mark: { name: NAME, value: mark },
      steps: [
        { signal: 'SIGINT', waitMs },
        { signal: 'SIGTERM', waitMs },
      ],
      clock: systemClock,
    });

  it('ends children that the tree, the group or the mark tells of', async () => {
    const env = { [NAME]: mark };
    const root = await start(
      '(setsid sh -c "sleep 100 & sleep 100" &); env -i /bin/sleep 100 & env -i setsid sleep 100 & sleep 0.2; echo up; sleep 100',
      env,
    );
    assert.deepEqual(await end(root), []);
    assert.equal(await isAlive(root), false);
    assert.deepEqual(await markedProcesses(NAME, mark), []);
  });

  it('goes no further than it must', async () => {
    const root = await start('trap "exit 0" INT; echo up; while :; do sleep 0.01; done');
    // It takes a signal and no more; the wait for the next would be longer than this test may take.
    assert.deepEqual(await end(root, 600_000), []);
  });

  it('kills what starts anew all the time', async () => {
    const respawn = 'trap "" INT TERM; f() { (sleep 0.02; f) & }; f; f; f; echo up; sleep 100';
    const root = await start(respawn, { [NAME]: mark });
    assert.deepEqual(await end(root), []);
    // One that had got away would go on for long, and show itself sooner or later.
    for (let look = 0; look < 20; look += 1) {
      assert.deepEqual(await markedProcesses(NAME, mark), []);
      await systemClock.sleep(5);
    }
  });

  it('leaves a process alone that has got the pid of the root, and its group', async () => {
    const root = await start('echo up; exec sleep 100');
    for (const groupIsOurs of [false, true]) {
      assert.deepEqual(await end({ ...root, startTime: 'before' }, 50, groupIsOurs), []);
      assert.equal(await isAlive(root), true);
    }
  });

  it('leaves a group without its leader alone, unless it is known to be ours', async () => {
    const root = await start('sleep 100 > /dev/null & echo up; read wait');
    const [member] = descendants(await processTable(), [root.pid]);
    assert.ok(member !== undefined);
    children[0]?.stdin?.end();
    await once(children[0] ?? process, 'exit');
    await end(root);
    assert.equal(await isAlive(member), true);
    await end(root, 100, true);
    assert.equal(await isAlive(member), false);
  });

  it('spares itself and those above it, also when they bear the mark', async () => {
    const script = path.resolve(import.meta.dirname, 'fixtures/end-own-mark.ts');
    const outer = spawn(
      '/bin/sh',
      ['-c', `sleep 100 & "$0" "$1" "$2"; echo "outer $?"`, process.execPath, script, mark],
      {
        detached: true,
        stdio: ['ignore', 'pipe', 'inherit'],
        env: { PATH: process.env['PATH'], [NAME]: mark },
      },
    );
    children.push(outer);
    const printed = (await outer.stdout.toArray()).join('');
    assert.equal(printed, 'inner lives\nouter 0\n');
    assert.deepEqual(await markedProcesses(NAME, mark), [], 'its sibling was ended');
  });
});
