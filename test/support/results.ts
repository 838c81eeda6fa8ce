import { readFile } from 'node:fs/promises';

/** Names the file into which a suite writes its counts. */
export const RESULTS_VARIABLE = 'AQ_TEST_RESULTS';

export interface SuiteResults {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/**
 * What a suite that exited with `exitCode` comes to. Only a results file with tests in it makes a pass: without
 * one, or when the exit code tells of a failure that no test has, the suite itself counts as one failure.
 */
export async function readResults(file: string, exitCode: number | undefined): Promise<SuiteResults> {
  const content = await readFile(file, 'utf8').catch(() => undefined);
  if (content === undefined) return { passed: 0, failed: 1, skipped: 0 };
  const results = JSON.parse(content) as SuiteResults;
  const ranNothing = results.passed + results.failed === 0;
  const failedOtherwise = exitCode !== 0 && results.failed === 0;
  return ranNothing || failedOtherwise ? { ...results, failed: results.failed + 1 } : results;
}
