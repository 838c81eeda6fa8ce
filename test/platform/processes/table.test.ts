import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { parseEntries as parseMacos } from '../../../src/platform/processes/macos.ts';
import type { ProcessEntry } from '../../../src/platform/processes/process.ts';
import {
  ancestry,
  descendants,
  identityOf,
  isAlive,
  markedProcesses,
  processTable,
  stillAlive,
} from '../../../src/platform/processes/table.ts';
import { parseEntries as parseWindows } from '../../../src/platform/processes/windows.ts';

const entry = (pid: number, ppid: number): ProcessEntry => ({ pid, ppid, pgid: pid, startTime: `${pid}` });

describe('process identities', () => {
  it('name a running process, and no other that has its pid', async () => {
    const own = await identityOf(process.pid);
    assert.ok(own !== undefined);
    assert.deepEqual(own, await identityOf(process.pid));
    assert.equal(await isAlive(own), true);
    assert.equal(await isAlive({ ...own, startTime: `${own.startTime}0` }), false);
    assert.equal(await identityOf(4_000_000), undefined);
    assert.deepEqual(await stillAlive([own, { pid: 4_000_000, startTime: '' }]), [own]);
  });

  it('hold for a process whose name looks like the end of the name field', async () => {
    const child = spawn('/bin/bash', ['-c', 'exec -a "x) Z 1 (" sleep 100'], { stdio: 'ignore' });
    const renamed = spawn(
      process.execPath,
      ['-e', 'process.title = "a) Z 1 (b"; console.log(1); setInterval(() => 0, 1e6)'],
      { stdio: ['ignore', 'pipe', 'ignore'] },
    );
    await once(renamed.stdout, 'data');
    for (const { pid = 0 } of [child, renamed]) {
      const identity = await identityOf(pid);
      assert.ok(identity !== undefined && (await isAlive(identity)));
      process.kill(pid, 'SIGKILL');
    }
  });

  it('count a zombie as dead', async () => {
    // The child exits; its parent is busy and does not fetch the status.
    const parent = spawn(
      process.execPath,
      [
        '-e',
        'const c = require("child_process").spawn("/bin/true"); require("fs").writeSync(1, `${c.pid}`); const end = Date.now() + 20_000; while (Date.now() < end);',
      ],
      { stdio: ['ignore', 'pipe', 'ignore'] },
    );
    try {
      const [pid] = (await once(parent.stdout, 'data')) as [Buffer];
      while ((await identityOf(Number(pid))) !== undefined) await new Promise(setImmediate);
      process.kill(Number(pid), 0); // there is one
    } finally {
      parent.kill('SIGKILL');
    }
  });
});

describe('the process table', () => {
  it('holds this process, its parent and its children', async () => {
    const child = spawn('sleep', ['100'], { stdio: 'ignore' });
    const table = await processTable();
    assert.ok(descendants(table, [process.pid]).some(({ pid }) => pid === child.pid));
    assert.ok(ancestry(table, process.pid).has(process.ppid));
    child.kill('SIGKILL');
  });

  it('tells who descends from whom', () => {
    const table = [entry(5, 4), entry(2, 1), entry(3, 2), entry(4, 3), entry(9, 1)];
    assert.deepEqual(
      descendants(table, [2]).map(({ pid }) => pid),
      [3, 4, 5],
    );
    assert.deepEqual(ancestry(table, 4), new Set([4, 3, 2, 1]));
    // Pids are used again, so that a table taken in two looks can hold a circle.
    assert.deepEqual(
      descendants([entry(1, 2), entry(2, 1)], [1]).map(({ pid }) => pid),
      [2],
    );
    assert.deepEqual(ancestry([entry(1, 2), entry(2, 1)], 1), new Set([1, 2]));
  });

  it('finds those that bear a mark, and not those that bear a longer one', async () => {
    const env = (mark: string) => ({ PATH: process.env['PATH'], AQ_TEST_MARK: mark });
    const bearer = spawn('sleep', ['100'], { stdio: 'ignore', env: env('m-1') });
    const other = spawn('sleep', ['100'], { stdio: 'ignore', env: env('m-12') });
    await Promise.all([once(bearer, 'spawn'), once(other, 'spawn')]);
    const found = await markedProcesses('AQ_TEST_MARK', 'm-1');
    assert.deepEqual(
      found.map(({ pid }) => pid),
      [bearer.pid],
    );
    bearer.kill('SIGKILL');
    other.kill('SIGKILL');
  });

  it('reads what ps prints on macOS', () => {
    const output =
      '    1     0     1 Ss   Sat Nov 22 08:00:01 2025    \n  501     1   501 Z+   Sat Nov 22 08:00:02 2025\n\n';
    assert.deepEqual(parseMacos(output), [
      { pid: 1, ppid: 0, pgid: 1, startTime: 'Sat Nov 22 08:00:01 2025' },
    ]);
  });

  it('reads what PowerShell prints on Windows', () => {
    assert.deepEqual(parseWindows('4 0 638999999999999999\r\nProcess not found\r\n'), [
      { pid: 4, ppid: 0, pgid: 4, startTime: '638999999999999999' },
    ]);
  });
});
