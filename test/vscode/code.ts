#!/usr/bin/env node
/**
 * Stands in for a desktop `code` executable: takes the arguments of @vscode/test-electron and runs the suite
 * in the registry's VS Code, its page in a headless browser. AQ_TEST_VSCODE chooses the version (1.115 or
 * 1.139), AQ_TEST_LIMIT the time limit in milliseconds. Exits with what the suite said; with 98 at the limit, and
 * with 97 when it was told to end.
 */
import util from 'node:util';
import { MINUTE } from '../../src/platform/clock.ts';
import { launchBrowser } from './browser.ts';
import { ensureHost, FLOOR, NEWEST } from './host.ts';
import { startServer } from './server.ts';
import { remoteUri, workbenchUrl } from './workbench-page.ts';

const INTERRUPTED = 97;
const TIMED_OUT = 98;

async function runSuite(argv: readonly string[]): Promise<number> {
  const valuesOf = (name: string) =>
    argv.filter((arg) => arg.startsWith(`--${name}=`)).map((arg) => arg.slice(name.length + 3));
  const folder = argv.find((arg) => !arg.startsWith('-'));
  const host = await ensureHost(process.env['AQ_TEST_VSCODE'] === FLOOR ? FLOOR : NEWEST);
  await using server = await startServer({ host, smokeTestDriver: true });
  await using browser = await launchBrowser();

  const page = await browser.newPage();
  const { promise: exited, resolve: exit } = Promise.withResolvers<number>();
  await page.exposeFunction('codeAutomationLog', (_type: string, args: unknown[]) => {
    console.log(util.format(...args));
  });
  await page.exposeFunction('codeAutomationExit', exit);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => exit(INTERRUPTED));
  const limit = setTimeout(exit, Number(process.env['AQ_TEST_LIMIT'] ?? 5 * MINUTE), TIMED_OUT);
  const extensions = valuesOf('extensionDevelopmentPath').map((file) => remoteUri(server, file));
  const suites = valuesOf('extensionTestsPath').map((file) => remoteUri(server, file));
  await page.goto(
    workbenchUrl(server, {
      ...(folder === undefined ? {} : { folder }),
      payload: [
        ...extensions.map((uri) => ['extensionDevelopmentPath', uri] as const),
        ...suites.map((uri) => ['extensionTestsPath', uri] as const),
        ['skipWelcome', 'true'],
      ],
    }),
  );
  // Awaited here: server and browser are disposed of when this function returns.
  const code = await exited;
  clearTimeout(limit);
  return code;
}

process.exitCode = await runSuite(process.argv.slice(2));
