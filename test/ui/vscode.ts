import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { MINUTE, SECOND } from '../../src/platform/clock.ts';
import { launchBrowser } from '../vscode/browser.ts';
import { ensureHost, type HostVersion } from '../vscode/host.ts';
import { CACHE } from '../vscode/packages.ts';
import { installExtension, type ServerOptions, startServer } from '../vscode/server.ts';
import { Workbench } from './workbench.ts';

/** What `npm run package` makes. */
const VSIX = path.join(CACHE, 'agent-queue.vsix');

/** Where the window of a failed test is kept as a picture. */
const FAILURES = path.join(CACHE, 'failures');

export interface VsCodeOptions extends Pick<ServerOptions, 'settings' | 'env' | 'trustAll'> {
  /** Absolute path of the folder to open; default: an empty window. */
  readonly folder?: string;
  /** AQ_HOME; default: an empty folder that goes with the window. */
  readonly home?: string;
  readonly version?: HostVersion;
  /** Pixels; default 1280 × 800. */
  readonly viewport?: { readonly width: number; readonly height: number };
}

/** A VS Code with the packaged extension in it, and its one window. */
export interface VsCode extends AsyncDisposable {
  readonly workbench: Workbench;
  /** AQ_HOME of this window. */
  readonly home: string;
  close(): Promise<void>;
}

/** Starts VS Code with the packaged .vsix installed (`npm run package` makes it), and opens a window on it. */
export async function openVsCode(options: VsCodeOptions = {}): Promise<VsCode> {
  assert.ok(existsSync(VSIX), 'There is no package to test. Run `npm run package` first.');
  const cleanup = new AsyncDisposableStack();
  try {
    const dir = await mkdtemp(path.join(os.tmpdir(), 'aq-ui-'));
    cleanup.defer(() => rm(dir, { recursive: true, force: true, maxRetries: 5 }));
    const home = options.home ?? path.join(dir, 'home');
    const host = await ensureHost(options.version);
    await installExtension(host, VSIX, dir);
    const { settings = {}, env = {}, trustAll = true } = options;
    const server = cleanup.use(
      await startServer({ host, dir, settings, trustAll, env: { ...env, AQ_HOME: home } }),
    );
    const browser = cleanup.use(await launchBrowser());
    const page = await browser.newPage({ viewport: options.viewport ?? { width: 1280, height: 800 } });
    const { folder } = options;
    const workbench = await Workbench.open(page, server, folder === undefined ? {} : { folder });
    const owned = cleanup.move();
    const close = () => owned.disposeAsync();
    return { workbench, home, close, [Symbol.asyncDispose]: close };
  } catch (error) {
    await cleanup.disposeAsync();
    throw error;
  }
}

/** Keeps what is on the screen when a test has failed, and says where. */
export async function keepPicture(code: VsCode, title: string): Promise<void> {
  const name = title.replaceAll(/[^\w]+/g, '-');
  console.log(`      window: ${await code.workbench.screenshot(name, FAILURES)}`);
}

/**
 * For a mocha suite: opens one VS Code before its first test and closes it after the last; a test that fails
 * leaves a picture in `.cache/failures`. Returns a function that gives the VS Code to a test.
 */
export function useVsCode(options: () => VsCodeOptions | Promise<VsCodeOptions> = () => ({})): () => VsCode {
  let code: VsCode | undefined;
  before(async function () {
    this.timeout(10 * MINUTE);
    code = await openVsCode(await options());
  });
  afterEach(async function () {
    if (this.currentTest?.state === 'failed' && code) await keepPicture(code, this.currentTest.fullTitle());
  });
  after(async function () {
    this.timeout(30 * SECOND);
    await code?.close();
  });
  return () => {
    assert.ok(code, 'VS Code is open only while the tests of the suite run.');
    return code;
  };
}
