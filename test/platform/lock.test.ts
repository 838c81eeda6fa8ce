import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { systemClock } from '../../src/platform/clock.ts';
import { acquireLock, tryLock } from '../../src/platform/lock.ts';

describe('lock', function () {
  this.timeout(30_000); // many processes: slow on a busy machine
  const module = JSON.stringify(join(import.meta.dirname, '../../src/platform/lock.ts'));
  const children: ChildProcess[] = [];
  let dir: string;
  let file: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'aq lock-'));
    file = join(dir, 'made with it', 'the.lock');
  });
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    rmSync(dir, { recursive: true, force: true });
  });

  /** Another process that has the lock by the time this resolves. It lets go when its standard input ends. */
  const holder = async () => {
    const script = `import { tryLock } from ${module};
      const lock = tryLock(process.argv[1]);
      console.log(lock ? 'held' : 'refused');
      process.stdin.resume().once('end', () => { lock?.release(); console.log('released'); });`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script, file], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    children.push(child);
    const [said] = (await once(child.stdout, 'data')) as [Buffer];
    return { child, said: said.toString().trim() };
  };

  it('is held by one at a time in one process, and free after release', () => {
    const lock = tryLock(file);
    assert.ok(lock);
    assert.equal(tryLock(file), undefined);
    assert.equal(tryLock(file), undefined, 'a refusal must not drop the lock of the holder');
    lock.release();
    lock.release();
    const again = tryLock(file);
    assert.ok(again);
    lock.release();
    assert.equal(tryLock(file), undefined, 'an old release must not free the new holder');
    again.release();
  });

  it('excludes other processes and threads, whoever was first', async () => {
    const mine = tryLock(file);
    assert.equal((await holder()).said, 'refused');
    assert.equal(tryLock(file), undefined);
    assert.equal((await holder()).said, 'refused', 'also after a refusal here');
    const code = `const { parentPort, workerData } = require('node:worker_threads');
      import(workerData.module).then(({ tryLock }) => parentPort.postMessage(tryLock(workerData.file) === undefined));`;
    const worker = new Worker(code, { eval: true, workerData: { module: JSON.parse(module), file } });
    assert.deepEqual(await once(worker, 'message'), [true]);
    await worker.terminate();
    mine?.release();
    assert.equal((await holder()).said, 'held');
    assert.equal(tryLock(file), undefined);
  });

  it('is free at once after kill -9 of the holder', async () => {
    const { child } = await holder();
    assert.equal(tryLock(file), undefined);
    child.kill('SIGKILL');
    await once(child, 'exit');
    const lock = tryLock(file);
    assert.ok(lock);
    lock.release();
  });

  it('stays held while the holder is stopped', async () => {
    const { child } = await holder();
    child.kill('SIGSTOP');
    const waiting = acquireLock(file, { clock: systemClock, signal: AbortSignal.timeout(200) });
    await assert.rejects(waiting, { name: 'TimeoutError' });
    child.kill('SIGCONT');
    child.stdin?.end();
    (await acquireLock(file, { clock: systemClock })).release();
  });

  it('waits in line, first come first served', async () => {
    const order: number[] = [];
    const first = await acquireLock(file, { clock: systemClock });
    const noPoll = { sleep: () => Promise.reject(new Error('polled')) };
    const waiting = [1, 2, 3].map(async (n) => {
      using _lock = await acquireLock(file, { clock: noPoll });
      order.push(n);
      await Promise.resolve();
    });
    assert.deepEqual(order, []);
    first.release();
    await Promise.all(waiting);
    assert.deepEqual(order, [1, 2, 3]);
  });

  it('lets those behind one that gives up go on, but not before their turn', async () => {
    const first = await acquireLock(file, { clock: systemClock });
    const abort = new AbortController();
    const second = acquireLock(file, { clock: systemClock, signal: abort.signal });
    let served = false;
    const third = acquireLock(file, { clock: systemClock }).then((lock) => {
      served = true;
      return lock;
    });
    abort.abort(new Error('enough'));
    await assert.rejects(second, /enough/);
    assert.equal(served, false);
    first.release();
    await using lock = await third;
    assert.equal(lock.file, file);
    await assert.rejects(
      acquireLock(file, { clock: systemClock, signal: AbortSignal.abort(new Error('early')) }),
      /early/,
    );
  });

  it('asks more and more rarely while another process holds it', async () => {
    const { child } = await holder();
    const pauses: number[] = [];
    const clock = {
      sleep: async (ms: number) => {
        pauses.push(ms);
        if (pauses.length < 9) return;
        child.kill('SIGKILL');
        await once(child, 'exit');
      },
    };
    (await acquireLock(file, { clock })).release();
    assert.equal(pauses[0], 10);
    assert.equal(pauses.at(-1), 100);
    assert.deepEqual(
      pauses,
      [...pauses].sort((a, b) => a - b),
    );
  });

  it('says when the file is something else, instead of waiting for ever', async () => {
    file = join(dir, 'notes.txt');
    writeFileSync(file, 'These are my notes, which are long enough to be looked at.');
    assert.throws(() => tryLock(file), /not a database/);
    await assert.rejects(acquireLock(file, { clock: systemClock }), /not a database/);
    await assert.rejects(
      acquireLock(file, { clock: systemClock }),
      /not a database/,
      'nobody is left in the line',
    );
    assert.throws(() => tryLock(join(file, 'below')), { code: /ENOTDIR|EEXIST/ });
  });

  it('costs nothing to import', async () => {
    const script = `await import(${module}); console.log(process.moduleLoadList.some((name) => name.includes('sqlite')));`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [said] = (await once(child.stdout, 'data')) as [Buffer];
    assert.equal(said.toString().trim(), 'false');
  });
});
