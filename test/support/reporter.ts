import { writeFileSync } from 'node:fs';
import Mocha from 'mocha';
import { RESULTS_VARIABLE, type SuiteResults } from './results.ts';

/**
 * Mocha's `spec`, and beside it a file with the counts, in the place that the environment names: an exit code
 * of 0 also comes from a run that died before its first test.
 */
export default class ResultsReporter extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options?: Mocha.MochaOptions) {
    super(runner, options);
    runner.once(Mocha.Runner.constants.EVENT_RUN_END, () => {
      const file = process.env[RESULTS_VARIABLE];
      if (file === undefined) return;
      const { passes, failures, pending } = this.stats;
      const results: SuiteResults = { passed: passes, failed: failures, skipped: pending };
      writeFileSync(file, JSON.stringify(results));
    });
  }
}
