/**
 * `npm start`: builds, makes a demonstration and opens VS Code on it: the desktop's, where `code` is on the PATH,
 * else the one from the npm registry in a browser. `--headless-check` does without a screen what a person would,
 * and says what was missing; `--screenshots FOLDER` says where its pictures go.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { findExecutable } from '../src/runner/engines/executable.ts';
import { ensureHost } from '../test/vscode/host.ts';
import { CACHE, ROOT } from '../test/vscode/packages.ts';
import { installExtension, startServer } from '../test/vscode/server.ts';
import { workbenchUrl } from '../test/vscode/workbench-page.ts';
import { type Demo, makeDemo } from './lib/demo.ts';
import { headlessCheck } from './lib/headless-check.ts';

const { values } = parseArgs({
  options: { 'headless-check': { type: 'boolean', default: false }, screenshots: { type: 'string' } },
});

const code = values['headless-check'] ? undefined : findExecutable(['code']);
make(code === undefined ? 'package' : 'build');
const demo = makeDemo();
if (values['headless-check']) {
  process.exitCode = await headlessCheck(demo, values.screenshots ?? path.join(CACHE, 'screenshots'));
} else if (code === undefined) {
  await openInBrowser(demo);
} else {
  openOnDesktop(demo, code.command, code.args);
}

/** Runs one of the project's own scripts; ends with it when it fails. */
function make(script: 'build' | 'package'): void {
  const { status } = spawnSync(process.execPath, [path.join(ROOT, `scripts/${script}.ts`)], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status !== 0) {
    console.error(`\`npm run ${script}\` failed. Nothing was started; its own output tells more.`);
    process.exit(status ?? 1);
  }
}

/** A window of its own (own settings, own extensions), so that nothing of the person's is touched. */
function openOnDesktop({ folder, home, repository }: Demo, command: string, args: readonly string[]): void {
  const data = path.join(folder, 'user-data');
  mkdirSync(path.join(data, 'User'), { recursive: true });
  writeFileSync(
    path.join(data, 'User', 'settings.json'),
    JSON.stringify({
      'agentQueue.home': home,
      'security.workspace.trust.enabled': false,
      'workbench.startupEditor': 'none',
    }),
  );
  const own = ['--user-data-dir', data, '--extensions-dir', path.join(folder, 'extensions')];
  spawn(command, [...args, ...own, `--extensionDevelopmentPath=${ROOT}`, '--new-window', repository], {
    stdio: 'inherit',
  });
  console.log(
    `\nVS Code opens on ${repository}. Click the inbox in the activity bar; a job waits for your review.`,
  );
}

/** Serves VS Code on loopback until it is interrupted. */
async function openInBrowser({ folder, home, repository }: Demo): Promise<void> {
  const host = await ensureHost();
  const dir = path.join(folder, 'vscode');
  await installExtension(host, path.join(CACHE, 'agent-queue.vsix'), dir);
  const server = await startServer({ host, dir, settings: { 'agentQueue.home': home } });
  console.log(`\nOpen ${workbenchUrl(server, { folder: repository })}`);
  console.log('Click the inbox in the activity bar; a job waits for your review. Ctrl+C ends it.');
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
  await server.stop();
}
