import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { readIfThere } from '../../../src/platform/files.ts';
import type { RunEnd } from '../../../src/runner/supervisor/contract.ts';
import { MAIN, makeScratch, type Scratch, until } from './support.ts';

/** Lines of 16 bytes. */
const PRINT = (lines: number): string =>
  `const out = []; for (let i = 0; i < ${lines}; i++) out.push(String(i).padStart(15, "0") + "\\n"); require("fs").writeSync(1, out.join(""));`;

const mayMount = spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'none', '/tmp']).status === 0;

describe('a supervised run on a full disk', function () {
  this.timeout(30_000);
  let scratch: Scratch;
  let disk: string;
  let out: string;
  let holder: ChildProcess;
  let exited: Promise<unknown>;

  before(function () {
    if (!mayMount) this.skip();
  });
  beforeEach(async () => {
    scratch = await makeScratch();
    disk = path.join(scratch.dir, 'disk');
    out = path.join(scratch.dir, 'out');
    await mkdir(disk);
    await mkdir(out);
  });
  afterEach(() => scratch.remove());

  /** Runs the script with its run directory on a disk of 128 KiB that only this run sees. */
  const begin = (script: string): void => {
    const order = scratch.node(script, { dir: disk });
    const steps = `mount -t tmpfs -o size=128k none "$0" && "$1" "$2"; cp "$0"/* "$3"`;
    holder = spawn('unshare', ['-m', 'sh', '-c', steps, disk, process.execPath, MAIN, out], {
      stdio: ['pipe', 'ignore', 'inherit'],
    });
    exited = once(holder, 'exit');
    holder.stdin?.end(`${JSON.stringify(order)}\n`);
  };
  const onDisk = (name: string): string => `/proc/${holder.pid}/root${path.join(disk, name)}`;
  const makeRoom = (): void => {
    execFileSync('nsenter', ['-t', String(holder.pid), '-m', 'mount', '-o', 'remount,size=16m', disk]);
  };
  const result = async (): Promise<{ end: RunEnd; log: string }> => {
    await exited;
    return {
      end: JSON.parse(readFileSync(path.join(out, 'end.json'), 'utf8')) as RunEnd,
      log: readFileSync(path.join(out, 'engine.log'), 'utf8'),
    };
  };

  it('goes on, and says in the log what is missing', async () => {
    const go = path.join(scratch.dir, 'go');
    begin(
      `${PRINT(200_000)} require("fs").writeFileSync("printed", ""); setInterval(() => { if (require("fs").existsSync("go")) { console.log("last"); process.exit(0) } }, 10)`,
    );
    // It gets rid of all its output although the disk takes none.
    await until(scratch.dir, async () => existsSync(path.join(scratch.dir, 'printed')) || undefined);
    makeRoom();
    await until(
      scratch.dir,
      async () => readFileSync(onDisk('engine.log'), 'utf8').includes('are missing') || undefined,
    );
    await writeFile(go, '');
    const { end, log } = await result();
    assert.deepEqual([end.endedBy, end.exitCode], ['itself', 0]);
    const [, kept = '', lost, rest] =
      /^([\d\n]*)\[agent-queue: (\d+) bytes of output are missing here; .*ENOSPC.*\]\n([^]*)$/.exec(log) ??
      [];
    assert.equal(rest, 'last\n');
    assert.equal(
      kept.trimEnd().length + Number(lost) + 1,
      200_000 * 16,
      'nothing is missing that is not counted',
    );
    assert.equal(end.logBytes, Buffer.byteLength(log));
  });

  it('tells how it ended as soon as there is room', async () => {
    begin(`${PRINT(20_000)} require("fs").writeFileSync("pid", String(process.pid))`);
    const pid = await until(
      scratch.dir,
      async () => (await readIfThere(path.join(scratch.dir, 'pid'))) || undefined,
    );
    await until(scratch.dir, async () => !existsSync(`/proc/${pid}`) || undefined);
    assert.equal(existsSync(onDisk('end.json')), false);
    makeRoom();
    const { end, log } = await result();
    assert.equal(end.exitCode, 0);
    assert.equal(log.length, 20_000 * 16, 'all of it was kept');
    assert.equal(end.logBytes, log.length);
  });
});
