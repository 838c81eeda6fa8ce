/**
 * `node test/integration/run.ts [1.115|1.139]`: runs the suite in this folder inside a real extension host. The
 * workspace is a fresh git repository with one commit, and AQ_HOME an empty folder; both are removed afterwards.
 */
import { globSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { runTests, TestRunFailedError } from '@vscode/test-electron';
import { build } from 'esbuild';
import { execa } from 'execa';
import { RESULTS_VARIABLE, readResults } from '../support/results.ts';
import { chooseVsCode } from '../vscode/desktop.ts';
import { FLOOR, type HostVersion, NEWEST } from '../vscode/host.ts';
import { CACHE, ROOT } from '../vscode/packages.ts';
import { SuiteOutput } from './output.ts';

/** Bundles the suite's files one by one, for the extension host of the floor, into `outdir`, and returns the entry. */
async function bundleSuite(outdir: string): Promise<string> {
  await build({
    entryPoints: [
      path.join(import.meta.dirname, 'index.ts'),
      ...globSync('**/*.test.ts', { cwd: import.meta.dirname }).map((file) =>
        path.join(import.meta.dirname, file),
      ),
    ],
    outdir,
    entryNames: '[name]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    packages: 'external',
    external: ['vscode'],
    sourcemap: 'inline',
    logLevel: 'warning',
  });
  return path.join(outdir, 'index.js');
}

/** A repository as a person would have it, with one commit on `main`. */
async function makeRepository(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, 'README.md'), '# A repository for tests\n');
  const git = execa({ cwd: folder });
  await git`git init --quiet --initial-branch=main`;
  await git`git add .`;
  await git`git -c user.name=Tester -c user.email=tester@example.invalid commit --quiet --message=Start`;
}

/** Runs the suite, and returns the exit code of this program. */
async function main(version: HostVersion): Promise<number> {
  const scratch = await mkdtemp(path.join(os.tmpdir(), 'aq-integration-'));
  // Inside the project, so that the suite finds mocha and VS Code sees it as part of the extension.
  const bundle = path.join(CACHE, path.basename(scratch));
  const results = process.env[RESULTS_VARIABLE] ?? path.join(scratch, 'results.json');
  const workspace = path.join(scratch, 'workspace');
  const output = new SuiteOutput();
  try {
    const [suite, code] = await Promise.all([
      bundleSuite(bundle),
      chooseVsCode(version),
      makeRepository(workspace),
    ]);
    console.log(`VS Code ${version}: ${code.description}`);
    const exitCode = await runTests({
      vscodeExecutablePath: code.executable,
      extensionDevelopmentPath: ROOT,
      extensionTestsPath: suite,
      extensionTestsEnv: {
        AQ_HOME: path.join(scratch, 'home'),
        AQ_TEST_VSCODE: version,
        [RESULTS_VARIABLE]: results,
      },
      launchArgs: [workspace, '--disable-extensions', `--user-data-dir=${path.join(scratch, 'user-data')}`],
      stdout: output,
      stderr: output,
    }).catch(exitCodeOf);
    const { passed, failed } = await readResults(results, exitCode);
    if (passed === 0)
      console.error(`${output.others()}\nThe suite reported no test that passed (exit code ${exitCode}).`);
    return failed === 0 ? 0 : 1;
  } finally {
    await rm(bundle, { recursive: true, force: true });
    await rm(scratch, { recursive: true, force: true, maxRetries: 5 });
  }
}

function exitCodeOf(error: unknown): number {
  if (error instanceof TestRunFailedError) return error.code ?? 1;
  throw error;
}

process.exitCode = await main(process.argv[2] === FLOOR ? FLOOR : NEWEST);
