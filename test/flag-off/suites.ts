/** The local factory's tests with real processes: run once, with everything of a fleet set but the flag (run.ts). */
export const FLAG_OFF_SUITES: readonly string[] = [
  'test/cli/cli.test.ts',
  ...['crash', 'processes', 'queue', 'review', 'seat', 'ship'].map(
    (name) => `test/runner/factory/${name}.test.ts`,
  ),
];
