/** Real factories on scratch homes, and waiting for what becomes of their jobs. */
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../../../src/platform/log.ts';
import { pidIsTaken } from '../../../src/platform/processes/pid.ts';
import { markedProcesses } from '../../../src/platform/processes/table.ts';
import type { JobRow } from '../../../src/runner/board.ts';
import { type Factory, type FactoryOptions, openFactory } from '../../../src/runner/factory.ts';
import type { Stage } from '../../../src/runner/stages.ts';
import { BEGUN_FILE, MARK_VARIABLE } from '../../../src/runner/supervisor/contract.ts';
import { readBegun, readEnd, requestStop } from '../../../src/runner/supervisor/records.ts';
import { environment, removeScratch } from './scratch.ts';

export const SUPERVISOR = path.resolve(import.meta.dirname, '../../../src/runner/supervisor/main.ts');

const opened = new Set<Factory>();
const homes = new Set<string>();

/** A factory on `home` (made if need be); closed by `closeFactories`. Does not run jobs before `startRunner()`. */
export async function openTestFactory(home: string, options: Partial<FactoryOptions> = {}): Promise<Factory> {
  const factory = await openFactory({
    home,
    supervisorScript: SUPERVISOR,
    settings: {},
    log: recordingLog(),
    what: 'a test',
    env: environment(),
    ...options,
  });
  opened.add(factory);
  homes.add(home);
  return factory;
}

/** After each test: closes the factories, ends every process that is left of their jobs, and removes all scratch folders. */
export async function closeFactories(): Promise<void> {
  await Promise.all([...opened].map((factory) => factory.dispose()));
  opened.clear();
  for (const home of homes) {
    await endRuns(home);
    for (const { pid } of await processesOf(home)) kill(pid);
  }
  homes.clear();
  removeScratch();
}

/** Every process that some run of some job of the home has left running, its supervisors not counted. */
export async function processesOf(home: string): Promise<{ pid: number }[]> {
  const found = await Promise.all(
    (await runsOf(home)).map(async (dir) => {
      const reading = await readBegun(dir);
      return reading.state === 'read' ? markedProcesses(MARK_VARIABLE, reading.value.mark) : [];
    }),
  );
  return found.flat();
}

/** The directories of runs that have begun. */
async function runsOf(home: string): Promise<string[]> {
  const names = await readdir(path.join(home, 'runs'), { recursive: true }).catch(() => []);
  return names
    .filter((name) => path.basename(name) === BEGUN_FILE)
    .map((name) => path.join(home, 'runs', path.dirname(name)));
}

/** A supervisor that has only just begun would start its command when nobody looks any more, and wait for it alone. */
async function endRuns(home: string): Promise<void> {
  const running: string[] = [];
  for (const dir of await runsOf(home)) {
    if ((await readEnd(dir)).state !== 'absent') continue;
    await requestStop(dir, 'revoked').catch(() => undefined);
    running.push(dir);
  }
  const end = performance.now() + 3000;
  for (const dir of running) while (performance.now() < end && (await isRunning(dir))) await sleep(20);
}

async function isRunning(dir: string): Promise<boolean> {
  const [begun, ended] = [await readBegun(dir), await readEnd(dir)];
  if (begun.state !== 'read' || ended.state !== 'absent') return false;
  return pidIsTaken(begun.value.supervisor.pid);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has gone meanwhile.
  }
}

/** The job, as soon as it is in the stage (or one of them). Fails after `timeout` ms, saying where it was instead. */
export function waitForStage(
  factory: Factory,
  id: string,
  stage: Stage | readonly Stage[],
  options: { timeout?: number } = {},
): Promise<JobRow> {
  const wanted: readonly string[] = typeof stage === 'string' ? [stage] : stage;
  return waitForJob(factory, id, (row) => wanted.includes(row.stage), {
    ...options,
    what: wanted.join(' or '),
  });
}

/** The job, as soon as `is` holds of it. */
export async function waitForJob(
  factory: Factory,
  id: string,
  is: (row: JobRow) => boolean,
  { timeout = 15_000, what = 'as wanted' }: { timeout?: number; what?: string } = {},
): Promise<JobRow> {
  let last: JobRow | undefined;
  const found = await waitUntil(
    factory,
    async () => {
      last = await factory.job(id);
      return last !== undefined && is(last) ? last : undefined;
    },
    timeout,
  );
  if (found !== undefined) return found;
  throw new Error(
    `after ${timeout} ms ${id} is not ${what}, but ${last?.stage ?? 'nowhere'}: ${last?.reason?.text ?? last?.waitsFor ?? last?.activity ?? ''}`,
  );
}

/** Looks at every change of the home, and now and then; undefined after `timeout` ms. */
export async function waitUntil<T>(
  factory: Pick<Factory, 'onDidChange'>,
  look: () => Promise<T | undefined>,
  timeout = 15_000,
): Promise<T | undefined> {
  const end = performance.now() + timeout;
  for (;;) {
    const changed = new AbortController();
    const unsubscribe = factory.onDidChange(() => changed.abort());
    try {
      const found = await look();
      if (found !== undefined) return found;
      if (performance.now() > end) return undefined;
      await sleep(250, undefined, { signal: changed.signal }).catch(() => undefined);
    } finally {
      unsubscribe();
    }
  }
}

export interface RecordingLog extends Log {
  readonly lines: readonly string[];
}

/** A log whose lines can be looked at. */
export function recordingLog(): RecordingLog {
  const lines: string[] = [];
  const at = (level: string) => (message: string | Error) => {
    lines.push(`${level} ${message instanceof Error ? (message.stack ?? message.message) : message}`);
  };
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
