/**
 * `npm test [-- STEP…]`: everything that must hold, or only the named steps (and the build, where they need it).
 * Every step runs, whatever became of those before it. The exit code is not 0 when anything failed.
 *
 * | step | what |
 * | --- | --- |
 * | build | bundles and package |
 * | types, lint, format, dead-code | the sources; lint checks the arrows between rooms as well; run at once |
 * | unit | mocha over test/, outside VS Code, but for those of the next step |
 * | flag-off | the local factory with real processes, a fleet configured but not switched on |
 * | integration | mocha inside the extension host of the newest VS Code |
 * | ui | the packaged extension, driven in a browser |
 * | floor | integration on the oldest VS Code that package.json promises; only when named |
 */

import { FLAG_OFF_SUITES } from '../test/flag-off/suites.ts';
import type { SuiteResults } from '../test/support/results.ts';
import { FLOOR, NEWEST } from '../test/vscode/host.ts';
import { notRun, runCheck, runSuite, type Step } from './lib/steps.ts';

const mocha = [
  'node_modules/mocha/bin/mocha.js',
  ...['--reporter', 'test/support/reporter.ts', '--forbid-only'],
  ...['--parallel', '--jobs', '2'],
];

const BUILD: Step = { name: 'build', title: 'Build and package', program: ['scripts/package.ts'] };

const CHECKS: readonly Step[] = [
  { name: 'types', title: 'Types', program: ['node_modules/typescript/bin/tsc', '--noEmit'] },
  {
    name: 'lint',
    title: 'Lint and rooms',
    program: ['node_modules/oxlint/bin/oxlint', '--type-aware', '--deny-warnings'],
  },
  { name: 'format', title: 'Format', program: ['node_modules/@biomejs/biome/bin/biome', 'check'] },
  { name: 'dead-code', title: 'Dead code', program: ['node_modules/knip/bin/knip.js'] },
];

const SUITES: readonly Step[] = [
  {
    name: 'unit',
    title: 'Unit tests',
    program: [
      ...mocha,
      ...['--timeout', '20000'],
      '--ignore',
      'test/{integration,ui}/**',
      ...FLAG_OFF_SUITES.flatMap((suite) => ['--ignore', suite]),
      'test/**/*.test.ts',
    ],
  },
  {
    name: 'flag-off',
    title: 'The local factory, with a fleet set up but switched off',
    program: ['test/flag-off/run.ts'],
  },
  {
    name: 'integration',
    title: `Integration tests, VS Code ${NEWEST}`,
    program: ['test/integration/run.ts', NEWEST],
  },
  { name: 'ui', title: 'UI tests', program: [...mocha, '--timeout', '120000', 'test/ui/**/*.test.ts'] },
];

const ON_DEMAND: readonly Step[] = [
  {
    name: 'floor',
    title: `Integration tests, VS Code ${FLOOR}`,
    program: ['test/integration/run.ts', FLOOR],
  },
];

/** Suites that look at what the build made; without it they would test an older one. */
const NEEDS_BUILD = new Set(['unit', 'integration', 'ui', 'floor']);

async function test(names: readonly string[]): Promise<SuiteResults> {
  const all = [BUILD, ...CHECKS, ...SUITES];
  const chosen = names.length === 0 ? all : [...all, ...ON_DEMAND].filter(({ name }) => names.includes(name));
  const has = (step: Step) => chosen.includes(step);
  const results: SuiteResults[] = [];

  let isBuilt = true;
  if (chosen.some((step) => step === BUILD || NEEDS_BUILD.has(step.name))) {
    const built = await runCheck(BUILD);
    isBuilt = built.failed === 0;
    results.push(built);
  }
  results.push(...(await Promise.all(CHECKS.filter(has).map(runCheck))));
  for (const suite of [...SUITES, ...ON_DEMAND].filter(has)) {
    const canRun = isBuilt || suite.name === 'unit';
    results.push(canRun ? await runSuite(suite) : notRun(suite, 'the build failed.'));
  }
  const sum = (count: (each: SuiteResults) => number) =>
    results.reduce((total, each) => total + count(each), 0);
  return {
    passed: sum((each) => each.passed),
    failed: sum((each) => each.failed),
    skipped: sum((each) => each.skipped),
  };
}

const names = process.argv.slice(2);
const known = [BUILD, ...CHECKS, ...SUITES, ...ON_DEMAND].map(({ name }) => name);
const unknown = names.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  console.error(`There is no step ${unknown.join(', ')}. The steps are ${known.join(', ')}.`);
  process.exit(2);
}
const { passed, failed, skipped } = await test(names);
if (skipped > 0) console.log(`\n${skipped} skipped`);
process.exitCode = failed === 0 ? 0 : 1;
console.log(`\n${passed} passed, ${failed} failed`);
