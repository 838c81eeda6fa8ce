import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { identityOf, isAlive } from '../../../src/platform/processes/table.ts';
import { STOP_FILE } from '../../../src/runner/supervisor/contract.ts';
import { requestStop } from '../../../src/runner/supervisor/watch.ts';
import {
  begun,
  ended,
  HOST,
  launch,
  log,
  logged,
  MAIN,
  makeScratch,
  marked,
  run,
  type Scratch,
} from './support.ts';

const FORK_DAEMON = `(setsid sh -c '(trap "" HUP INT TERM; echo daemon $$; while :; do sleep 1; done) &' &) ; sleep 0.2`;

describe('a supervised run', function () {
  this.timeout(30_000);
  let scratch: Scratch;
  beforeEach(async () => {
    scratch = await makeScratch();
  });
  afterEach(() => scratch.remove());

  it('tells how it began and ended, and logs what was printed', async () => {
    const order = scratch.order('echo out; echo err >&2; printf "no newline"; sleep 0.05; exit 3');
    const supervisor = launch(order);
    const first = await begun(scratch.dir);
    assert.equal(first.supervisor.pid, supervisor.pid);
    assert.equal(first.mark, order.mark);
    const end = await ended(scratch.dir);
    assert.equal(end.endedBy, 'itself');
    assert.equal(end.exitCode, 3);
    assert.equal(end.signal, null);
    assert.equal(end.survivors, 0);
    assert.deepEqual((await log(scratch.dir)).split('\n').sort(), ['err', 'no newline', 'out']);
    assert.equal(end.logBytes, 'out\nerr\nno newline'.length);
    assert.match(end.digest.text ?? '', /out/);
    assert.ok(end.durationMs >= 50, `${end.durationMs} ms`);
  });

  it('gives the command the environment of the order and the mark, and nothing else', async () => {
    const order = scratch.node('console.log(JSON.stringify(process.env))', { env: { ONLY: 'this' } });
    await run(order);
    const { AQ_RUN_MARK, ...rest } = JSON.parse(await log(scratch.dir)) as Record<string, string>;
    assert.deepEqual([AQ_RUN_MARK, rest], [order.mark, { ONLY: 'this' }]);
  });

  it('goes on without a gap when its host is killed with its whole process group', async () => {
    const order = scratch.node(
      'let n = 0; const t = setInterval(() => { console.log("line " + n++); if (n === 150) clearInterval(t); }, 5)',
    );
    const host = spawn(process.execPath, [HOST, MAIN], {
      detached: true,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    host.stdin.end(JSON.stringify(order));
    await once(host.stdout, 'data');
    process.kill(-(host.pid ?? 0), 'SIGKILL');
    const [, signal] = (await once(host, 'exit')) as [unknown, string];
    assert.equal(signal, 'SIGKILL');
    assert.ok(await isAlive((await begun(scratch.dir)).child), 'the command goes on');
    const end = await ended(scratch.dir);
    assert.equal(end.exitCode, 0);
    assert.equal(await log(scratch.dir), Array.from({ length: 150 }, (_, n) => `line ${n}\n`).join(''));
  });

  it('redacts secrets before they reach the disk, also when they come in pieces', async () => {
    const secrets = ['correct horse battery'];
    const order = scratch.order(
      'printf "a correct ho"; sleep 0.4; echo "rse battery z"; echo "token ghp_abcdefghijklmnopqrstuvwxyz0123456789" >&2',
      { secrets },
    );
    launch(order);
    assert.equal(await logged(scratch.dir, 'a '), 'a ', 'the undecided part is not shown');
    const end = await ended(scratch.dir);
    assert.deepEqual((await log(scratch.dir)).split('\n').sort(), ['', 'a [redacted] z', 'token [redacted]']);
    assert.match(end.digest.text ?? '', /a \[redacted\] z/);
  });

  it('shows an unfinished line while the command waits', async () => {
    launch(scratch.order('printf "Continue? "; while [ ! -e stop.json ]; do sleep 0.02; done'));
    assert.equal(await logged(scratch.dir, 'Continue? '), 'Continue? ');
    await requestStop(scratch.dir, 'cancel');
    await ended(scratch.dir);
  });

  it('makes valid UTF-8 of any bytes', async () => {
    const order = scratch.node(
      'process.stdout.write(Buffer.from([0x61, 0xff, 0xc3, 0x28, 0xf0, 0x9f, 0x98])); setTimeout(() => process.stdout.write(Buffer.from([0x80, 0x0a, 0xe2, 0x82])), 50)',
    );
    await run(order);
    const bytes = await readFile(path.join(scratch.dir, 'engine.log'));
    assert.equal(new TextDecoder('utf-8', { fatal: true }).decode(bytes), 'a\ufffd\ufffd(😀\n\ufffd');
  });

  it('keeps the lines of both streams whole', async () => {
    const writer = (name: string) =>
      `for (let i = 0; i < 300; i++) { const s = "${name} " + i + "\\n"; process.${name}.write(s.slice(0, 4)); process.${name}.write(s.slice(4)); }`;
    await run(scratch.node(`${writer('stdout')} ${writer('stderr')}`));
    const lines = (await log(scratch.dir)).trimEnd().split('\n');
    for (const name of ['stdout', 'stderr']) {
      const own = lines.filter((line) => line.startsWith(name));
      assert.deepEqual(
        own,
        Array.from({ length: 300 }, (_, i) => `${name} ${i}`),
      );
    }
    assert.equal(lines.length, 600);
  });

  it("begins a new line when one stream interrupts the shown part of the other's line", async () => {
    await run(scratch.order('printf "half "; sleep 0.3; echo error >&2; echo line'));
    assert.match(await log(scratch.dir), /^half \n(error\nline|line\nerror)\n$|^half line\nerror\n$/);
  });

  it('gives the prompt as a file and does not mind that nobody reads it', async () => {
    const stdin = path.join(scratch.dir, 'prompt.md');
    await writeFile(stdin, 'x'.repeat(1024 * 1024));
    assert.equal((await run(scratch.order('exit 0', { stdin }))).exitCode, 0);
    const read = await makeScratch();
    assert.equal((await run(read.order('wc -c', { stdin }))).digest.text?.trim(), '1048576');
    await read.remove();
  });

  it('gives an empty standard input when there is no prompt', async () => {
    assert.equal((await run(scratch.order('wc -c'))).digest.text?.trim(), '0');
  });

  describe('is stopped', () => {
    it('with everything that it started, daemons included', async () => {
      const order = scratch.order(`${FORK_DAEMON}; sleep 100 & sleep 100`, {
        grace: { interruptMs: 100, terminateMs: 100 },
      });
      launch(order);
      await logged(scratch.dir, 'daemon');
      assert.ok((await marked(order.mark)).length >= 4);
      await requestStop(scratch.dir, 'revoked');
      const end = await ended(scratch.dir);
      assert.deepEqual([end.endedBy, end.stopReason, end.survivors], ['stop', 'revoked', 0]);
      assert.deepEqual(await marked(order.mark), []);
    });

    it('politely first, and no longer than it takes', async () => {
      const order = scratch.node(
        'process.on("SIGINT", () => { console.log("bye"); process.exit(7) }); console.log("up"); setInterval(() => 0, 1e6)',
        { grace: { interruptMs: 600_000, terminateMs: 0 } },
      );
      launch(order);
      await logged(scratch.dir, 'up');
      await requestStop(scratch.dir, 'cancel');
      const end = await ended(scratch.dir);
      assert.deepEqual([end.endedBy, end.exitCode], ['stop', 7]);
      assert.match(await log(scratch.dir), /bye/);
    });

    it('by force when it ignores SIGINT and SIGTERM', async () => {
      const order = scratch.node(
        'for (const s of ["SIGINT", "SIGTERM"]) process.on(s, () => console.log(s)); console.log("up"); setInterval(() => 0, 1e6)',
        { grace: { interruptMs: 150, terminateMs: 150 } },
      );
      launch(order);
      await logged(scratch.dir, 'up');
      await requestStop(scratch.dir, 'cancel');
      const end = await ended(scratch.dir);
      assert.deepEqual([end.endedBy, end.exitCode, end.signal], ['stop', null, 'SIGKILL']);
      assert.equal(await log(scratch.dir), 'up\nSIGINT\nSIGTERM\n');
    });

    it('before it started', async () => {
      await requestStop(scratch.dir, 'cancel');
      const end = await run(scratch.order('touch started'));
      assert.deepEqual([end.endedBy, end.stopReason, end.exitCode], ['stop', 'cancel', null]);
      await assert.rejects(readFile(path.join(scratch.dir, 'started')), { code: 'ENOENT' });
    });

    it('by a stop file that a person made', async () => {
      launch(scratch.order('sleep 100'));
      await begun(scratch.dir);
      await writeFile(path.join(scratch.dir, STOP_FILE), '');
      assert.equal((await ended(scratch.dir)).stopReason, 'cancel');
    });

    it('by SIGTERM, as on shutdown, but not by a hang-up or an interrupt', async () => {
      const supervisor = launch(scratch.order('echo up; sleep 0.3; echo still; sleep 100'));
      await logged(scratch.dir, 'up');
      supervisor.kill('SIGHUP');
      supervisor.kill('SIGINT');
      await logged(scratch.dir, 'still');
      supervisor.kill('SIGTERM');
      const end = await ended(scratch.dir);
      assert.deepEqual([end.endedBy, end.stopReason], ['stop', 'shutdown']);
    });

    it('by its time limit', async () => {
      const end = await run(scratch.order('echo up; sleep 100', { timeoutMs: 250 }));
      assert.deepEqual([end.endedBy, end.exitCode, end.signal], ['timeout', null, 'SIGINT']);
      assert.ok(end.durationMs >= 250);
    });
  });

  describe('with events', () => {
    const events = { final: [{ type: 'result' }], errorFlag: 'is_error', text: ['result'] };

    it('has failed when its final event says so, whatever the exit code', async () => {
      const order = scratch.order(`echo '{"type":"result","is_error":true,"result":"limit"}'; exit 0`, {
        events,
      });
      const end = await run(order);
      assert.deepEqual([end.endedBy, end.exitCode], ['itself', 0]);
      assert.deepEqual([end.digest.final, end.digest.failed, end.digest.text], [true, true, 'limit']);
    });

    it('is ended when it hangs after its last word', async () => {
      const order = scratch.order(`echo '{"type":"result","result":"done"}'; exec sleep 100`, { events });
      const end = await run(order);
      assert.deepEqual([end.endedBy, end.signal], ['final-event', 'SIGINT']);
      assert.deepEqual([end.digest.failed, end.digest.text], [false, 'done']);
    });

    const interruptible = (first: string) =>
      `console.log('${first}'); setTimeout(() => {}, 1e6);
       process.on('SIGINT', () => { console.log('{"type":"result","result":"Stopped."}'); process.exit(0); })`;

    it('has reached its time limit, whatever it says when it is interrupted', async () => {
      const end = await run(scratch.node(interruptible('{"type":"init"}'), { events, timeoutMs: 500 }));
      assert.deepEqual([end.endedBy, end.digest.final], ['timeout', true]);
    });

    it('has finished when the time limit comes after its last word', async () => {
      const script = interruptible('{"type":"result","result":"Done."}');
      const end = await run(scratch.node(script, { events, timeoutMs: 500, lingerMs: 60_000 }));
      assert.equal(end.endedBy, 'final-event');
    });

    it('reads a last line without a line end, and takes no secret into the digest', async () => {
      const order = scratch.order(`printf '{"type":"result","result":"the hunter2"}'`, {
        events,
        secrets: ['hunter2'],
      });
      assert.equal((await run(order)).digest.text, 'the [redacted]');
    });
  });

  it('ends what the command left behind, also when it holds the output open', async () => {
    const order = scratch.order(`${FORK_DAEMON}; echo done`, {
      grace: { interruptMs: 100, terminateMs: 100 },
    });
    const end = await run(order);
    assert.deepEqual([end.endedBy, end.exitCode, end.survivors], ['itself', 0, 0]);
    assert.match(await log(scratch.dir), /daemon[^]*done/);
    assert.deepEqual(await marked(order.mark), []);
  });

  it('ends a child that has washed off the mark but stayed in the group', async () => {
    await run(
      scratch.order(
        'env -i /bin/sh -c "echo \\$\\$ > pid; exec sleep 100" & while [ ! -s pid ]; do sleep 0.02; done',
      ),
    );
    const pid = Number(await readFile(path.join(scratch.dir, 'pid'), 'utf8'));
    assert.ok(pid > 1);
    assert.equal(await identityOf(pid), undefined);
  });

  for (const [what, change, explanation] of [
    ['program', { command: '/nowhere/engine', args: [] }, /\/nowhere\/engine ENOENT/],
    ['working directory', { cwd: '/nowhere' }, /working directory \/nowhere does not exist/],
    ['prompt file', { stdin: '/nowhere/prompt' }, /\/nowhere\/prompt/],
  ] as const) {
    it(`says that the ${what} is missing`, async () => {
      const end = await run(scratch.order('echo never', change));
      assert.deepEqual([end.endedBy, end.spawnError, end.exitCode], ['spawn-error', 'ENOENT', null]);
      assert.match(await log(scratch.dir), explanation);
    });
  }

  describe('without a usable order', () => {
    const exitCode = async (input: string): Promise<unknown> => {
      const child = spawn(process.execPath, [MAIN], { stdio: ['pipe', 'ignore', 'ignore'], env: {} });
      const exit = once(child, 'exit');
      child.stdin.end(input);
      return ((await exit) as unknown[])[0];
    };

    it('goes silently when none comes, or half of one', async () => {
      assert.equal(await exitCode(''), 0);
      assert.equal(await exitCode(JSON.stringify(scratch.order('touch started'))), 0);
      await assert.rejects(readFile(path.join(scratch.dir, 'started')), { code: 'ENOENT' });
    });

    it('says with its exit code that the order is wrong or the directory cannot be written', async () => {
      assert.equal(await exitCode('{"dir":3}\n'), 2);
      assert.equal(await exitCode(`${JSON.stringify(scratch.order('true', { dir: '/nowhere' }))}\n`), 3);
    });
  });
});
