import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { execa, type Options } from 'execa';
import { MINUTE, SECOND } from '../../src/platform/clock.ts';
import { RESULTS_VARIABLE, readResults, type SuiteResults } from '../../test/support/results.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

/** One step of `npm test`: a program run by this Node, from the project's root. */
export interface Step {
  readonly name: string;
  readonly title: string;
  /** A JavaScript or TypeScript file, and its arguments. */
  readonly program: readonly string[];
}

/** Every program and what it started is ended at this time (ms): a hang is a failure, not a wait. */
const LIMIT = 15 * MINUTE;

const COMMON = {
  cwd: ROOT,
  node: true,
  reject: false,
  stdin: 'ignore',
  timeout: LIMIT,
  killDescendants: true,
  forceKillAfterDelay: 10 * SECOND,
} as const satisfies Options;

/** Runs a step that passes or fails as a whole. What it prints is printed at its end: several may run at once. */
export async function runCheck(step: Step): Promise<SuiteResults> {
  const watch = stopwatch();
  const { exitCode, all, timedOut } = await execa({ ...COMMON, all: true })`${step.program}`;
  heading(step, watch());
  if (all !== '') console.log(all);
  if (timedOut) console.log(limitMessage(step));
  return exitCode === 0 ? { passed: 1, failed: 0, skipped: 0 } : { passed: 0, failed: 1, skipped: 0 };
}

/** Runs a step that is a suite of tests, and prints what it prints as it comes. */
export async function runSuite(step: Step): Promise<SuiteResults> {
  const watch = stopwatch();
  const scratch = await mkdtemp(path.join(os.tmpdir(), 'aq-results-'));
  const results = path.join(scratch, 'results.json');
  try {
    heading(step);
    const env = { [RESULTS_VARIABLE]: results };
    const { exitCode, timedOut } = await execa({
      ...COMMON,
      stdout: 'inherit',
      stderr: 'inherit',
      env,
    })`${step.program}`;
    if (timedOut) console.log(limitMessage(step));
    const counts = await readResults(results, exitCode);
    console.log(`${step.title}: ${counts.passed} passed, ${counts.failed} failed in ${watch()}`);
    return counts;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** A suite that cannot be run is a failure, with its reason. */
export function notRun(step: Step, reason: string): SuiteResults {
  heading(step);
  console.log(`Not run: ${reason}`);
  return { passed: 0, failed: 1, skipped: 0 };
}

function heading(step: Step, time?: string): void {
  console.log(`\n━━ ${step.title}${time === undefined ? '' : ` · ${time}`}`);
}

function limitMessage(step: Step): string {
  return `${step.title} took more than ${LIMIT / MINUTE} minutes and was ended.`;
}

function stopwatch(): () => string {
  const start = performance.now();
  return () => `${((performance.now() - start) / SECOND).toFixed(1)} s`;
}
