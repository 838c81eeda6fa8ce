/** Real supervisors in scratch directories, for the tests of this folder. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { buildSync } from 'esbuild';
import { type Clock, systemClock } from '../../../src/platform/clock.ts';
import { markedProcesses } from '../../../src/platform/processes/table.ts';
import {
  LOG_FILE,
  MARK_VARIABLE,
  type RunBegun,
  type RunEnd,
  type RunOrder,
} from '../../../src/runner/supervisor/contract.ts';
import { lookUntil } from '../../../src/runner/supervisor/look.ts';
import { readBegun } from '../../../src/runner/supervisor/records.ts';
import { watchRun } from '../../../src/runner/supervisor/watch.ts';

/** The supervisor as it is shipped: one small file. */
export const MAIN = bundle('../../../src/runner/supervisor/main.ts');
export const HOST = path.resolve(import.meta.dirname, 'fixtures/host.ts');

function bundle(source: string): string {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'aq-supervisor-bundle-'));
  process.on('exit', () => rmSync(dir, { recursive: true, force: true }));
  const outfile = path.join(dir, 'supervisor.mjs');
  const entry = path.resolve(import.meta.dirname, source);
  buildSync({
    entryPoints: [entry],
    outfile,
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'esm',
    target: 'node22',
  });
  return outfile;
}

export interface Scratch {
  readonly dir: string;
  /** An order that runs a shell script. */
  order(script: string, change?: Partial<RunOrder>): RunOrder;
  /** An order that runs a Node script. */
  node(script: string, change?: Partial<RunOrder>): RunOrder;
  remove(): Promise<void>;
}

export async function makeScratch(): Promise<Scratch> {
  const dir = await mkdtemp(path.join(os.tmpdir(), 'aq-supervisor-'));
  const marks: string[] = [];
  const make = (command: string, args: readonly string[], change: Partial<RunOrder>): RunOrder => {
    const mark = randomUUID();
    marks.push(mark);
    return {
      dir,
      command,
      args,
      cwd: dir,
      env: { PATH: process.env['PATH'] ?? '' },
      stdin: null,
      timeoutMs: null,
      mark,
      secrets: [],
      events: null,
      lingerMs: 200,
      grace: { interruptMs: 3_000, terminateMs: 3_000 },
      ...change,
    };
  };
  return {
    dir,
    order: (script, change = {}) => make('/bin/sh', ['-c', script], change),
    node: (script, change = {}) => make(process.execPath, ['-e', script], change),
    async remove() {
      for (const mark of marks) for (const { pid } of await marked(mark)) process.kill(pid, 'SIGKILL');
      await rm(dir, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

/** Starts a supervisor and gives it its order. */
export function launch(order: RunOrder, script = MAIN): ChildProcess {
  const child = spawn(process.execPath, [script], {
    stdio: ['pipe', 'ignore', 'inherit'],
    detached: true,
    env: {},
  });
  child.stdin?.end(`${JSON.stringify(order)}\n`);
  return child;
}

/** Runs an order to its end, and waits until the supervisor has gone as well. */
export async function run(order: RunOrder): Promise<RunEnd> {
  const supervisor = launch(order);
  const exited = once(supervisor, 'exit');
  const end = await ended(order.dir);
  await exited;
  return end;
}

export async function ended(dir: string): Promise<RunEnd> {
  const outcome = await watchRun(dir);
  if (outcome.lost) throw new Error(`the run was lost: ${outcome.reason}`);
  return outcome.end;
}

/** Resolves once the command runs. */
export function begun(dir: string): Promise<RunBegun & Required<Pick<RunBegun, 'child'>>> {
  return until(dir, async () => {
    const reading = await readBegun(dir);
    if (reading.state !== 'read' || reading.value.child === undefined) return undefined;
    return { ...reading.value, child: reading.value.child };
  });
}

/** Resolves with the log once it holds the text. */
export function logged(dir: string, text: string): Promise<string> {
  return until(dir, async () => {
    const all = await log(dir).catch(() => '');
    return all.includes(text) ? all : undefined;
  });
}

export function log(dir: string): Promise<string> {
  return readFile(path.join(dir, LOG_FILE), 'utf8');
}

/** Calls `look` often until it finds something; gives up before mocha does, so that nothing is left looking. */
export function until<T>(dir: string, look: () => Promise<T | undefined>): Promise<T> {
  return lookUntil(dir, look, {
    names: [],
    everyMs: 10,
    clock: systemClock,
    signal: AbortSignal.timeout(25_000),
  });
}

export function marked(mark: string): ReturnType<typeof markedProcesses> {
  return markedProcesses(MARK_VARIABLE, mark);
}

/** The machine's clock, running so many times as fast. */
export function fastClock(factor: number): Clock {
  return {
    now: () => systemClock.now(),
    monotonic: () => systemClock.monotonic() * factor,
    sleep: (ms, signal) => systemClock.sleep(ms / factor, signal),
  };
}
