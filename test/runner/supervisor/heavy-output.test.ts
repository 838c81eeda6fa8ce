import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { ended, launch, makeScratch, type Scratch } from './support.ts';

const MIB = 1024 * 1024;

describe('a supervised run with 100 MB of output', function () {
  this.timeout(60_000);
  let scratch: Scratch;
  beforeEach(async () => {
    scratch = await makeScratch();
  });
  afterEach(() => scratch.remove());

  it('keeps all of it, with and without line ends, in little memory', async () => {
    const lines =
      'yes "a line of output as long as compilers like to make them, at path/to/some/file.ts:12:34"';
    const supervisor = launch(
      scratch.order(`${lines} | head -c 50000000; yes | tr -d '\\n' | head -c 50000000`),
    );
    let peak = 0;
    const sampling = setInterval(() => {
      const status = readFileSync(`/proc/${supervisor.pid}/status`, 'utf8');
      peak = Math.max(peak, Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024);
    }, 20);
    const exited = once(supervisor, 'exit').finally(() => clearInterval(sampling));
    const end = await ended(scratch.dir);
    await exited;
    assert.equal(end.logBytes, 100_000_000);
    assert.equal(statSync(path.join(scratch.dir, 'engine.log')).size, 100_000_000);
    assert.ok((end.digest.text?.length ?? 0) <= 16 * 1024);
    assert.ok(peak > 0 && peak < 150, `${peak} MiB at its peak`);
  });

  it('passes over an event that is too long, and reads the next', async () => {
    const order = scratch.node(
      `process.stdout.write('{"type":"result","x":"'); for (let i = 0; i < 20; i++) process.stdout.write('x'.repeat(${MIB})); process.stdout.write('"}\\n{"type":"end"}\\n')`,
      { events: { final: [{ type: 'end' }], failed: [{ type: 'result' }] } },
    );
    launch(order);
    const { digest } = await ended(scratch.dir);
    assert.deepEqual(digest, { final: true, failed: false });
  });
});
