import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { descendants, processTable } from '../../../src/platform/processes/table.ts';
import { createLauncher, type Launcher } from '../../../src/runner/supervisor/launcher.ts';
import { ended, log, MAIN, makeScratch, type Scratch, until } from './support.ts';

describe('createLauncher', function () {
  this.timeout(30_000);
  let scratch: Scratch;
  let launcher: Launcher;
  const create = (scriptPath = MAIN): Launcher => {
    const env = { PATH: process.env['PATH'], SECRET_TOKEN: 'hush', AQ_RUN_MARK: 'of-an-outer-run' };
    return createLauncher({ node: process.execPath, scriptPath, env });
  };
  /** The supervisors that this process has started and that run. */
  const supervisors = async (): Promise<number[]> => {
    const children = descendants(await processTable(), [process.pid]).map(({ pid }) => pid);
    return children.filter((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(MAIN));
  };
  beforeEach(async () => {
    scratch = await makeScratch();
    launcher = create();
  });
  afterEach(async () => {
    launcher.dispose();
    await until(scratch.dir, async () => (await supervisors()).length === 0 || undefined);
    await scratch.remove();
  });

  it('starts a run in the waiting supervisor and prepares the next', async () => {
    const waiting = await supervisors();
    assert.equal(waiting.length, 1);
    const begun = await launcher.start(scratch.order('echo hi; sleep 0.2'));
    assert.equal(begun.supervisor.pid, waiting[0]);
    assert.ok(begun.child !== undefined);
    assert.equal((await supervisors()).length, 2);
    assert.equal((await ended(scratch.dir)).exitCode, 0);
  });

  it('keeps its own environment out of the supervisor, and Electron out of the command', async () => {
    const { supervisor } = await launcher.start(
      scratch.node('console.log(Object.keys(process.env).sort().join()); setTimeout(() => 0, 100)'),
    );
    const names = readFileSync(`/proc/${supervisor.pid}/environ`, 'utf8').split('\0').filter(Boolean);
    assert.deepEqual(names.sort(), ['ELECTRON_RUN_AS_NODE=1', `PATH=${process.env['PATH']}`]);
    await ended(scratch.dir);
    assert.equal(await log(scratch.dir), 'AQ_RUN_MARK,PATH\n');
    assert.ok(!readFileSync(path.join(scratch.dir, 'begun.json'), 'utf8').includes('PATH'));
  });

  it('resolves for a command that is over at once or cannot be started', async () => {
    assert.equal((await launcher.start(scratch.order('true'))).version, 1);
    await ended(scratch.dir);
    const other = await makeScratch();
    assert.equal((await launcher.start(other.order('', { command: '/nowhere/engine' }))).child, undefined);
    assert.equal((await ended(other.dir)).endedBy, 'spawn-error');
    await other.remove();
  });

  it('starts a fresh supervisor when the waiting one has been killed', async () => {
    const [waiting = 0] = await supervisors();
    process.kill(waiting, 'SIGKILL');
    const begun = await launcher.start(scratch.order('sleep 0.1'));
    assert.notEqual(begun.supervisor.pid, waiting);
    await ended(scratch.dir);
  });

  it('runs several at once', async () => {
    const all = await Promise.all([makeScratch(), makeScratch(), makeScratch()]);
    await Promise.all(all.map((each, n) => launcher.start(each.order(`echo ${n}`))));
    for (const [n, each] of all.entries()) {
      await ended(each.dir);
      assert.equal(await log(each.dir), `${n}\n`);
      await each.remove();
    }
  });

  it('says in words that no supervisor could begin', async () => {
    const broken = create('/nowhere/supervisor.mjs');
    await assert.rejects(broken.start(scratch.order('true')), {
      name: 'UserError',
      code: 'supervisor',
      message: /Nothing was started/,
    });
    broken.dispose();
    await assert.rejects(launcher.start(scratch.order('true', { dir: '/nowhere' })), { code: 'supervisor' });
  });
});
