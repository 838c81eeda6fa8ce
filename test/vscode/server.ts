import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { SECOND } from '../../src/platform/clock.ts';
import type { Host } from './host.ts';

const START_LIMIT = 60 * SECOND;
const STOP_LIMIT = 10 * SECOND;

/** What keeps a fresh VS Code quiet: no welcome, no tips, no chat, nothing that looks for updates. */
const QUIET: Readonly<Record<string, unknown>> = {
  'chat.disableAIFeatures': true,
  'extensions.autoCheckUpdates': false,
  'extensions.ignoreRecommendations': true,
  'git.openRepositoryInParentFolders': 'never',
  'telemetry.telemetryLevel': 'off',
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
};

/** Without a gallery VS Code asks no other machine about extensions. */
const NO_GALLERY = { EXTENSIONS_GALLERY: JSON.stringify({ serviceUrl: '' }) };

export interface ServerOptions {
  readonly host: Host;
  /** Holds everything that the server writes; default: a fresh temporary folder that stop() removes. */
  readonly dir?: string;
  /** Machine settings on top of those that keep VS Code quiet. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Added to this process's environment; reaches the extension host. `undefined` removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /**
   * The page then obeys `extensionTestsPath`, but hides toasts and refuses dialogs: for suites inside the
   * extension host only.
   */
  readonly smokeTestDriver?: boolean;
  /** false asks for trust in the opened folder as VS Code does for a person; default: everything is trusted. */
  readonly trustAll?: boolean;
}

export interface Server extends AsyncDisposable {
  readonly port: number;
  /** The page's origin, e.g. `http://127.0.0.1:40123`. */
  readonly origin: string;
  readonly dir: string;
  readonly process: ChildProcess;
  /** Changes these of the machine settings; VS Code takes them over while it runs. */
  configure(settings: Readonly<Record<string, unknown>>): Promise<void>;
  /** Ends the server and what it started (not what detached itself), and removes `dir` if it was made here. */
  stop(): Promise<void>;
}

/** Starts VS Code's server on a free loopback port. Throws with the server's output when it does not come up. */
export async function startServer(options: ServerOptions): Promise<Server> {
  const dir = options.dir ?? (await mkdtemp(path.join(os.tmpdir(), 'aq-vscode-')));
  const machine = path.join(userDataDir(dir), 'Machine', 'settings.json');
  const settings = { ...QUIET, ...options.settings };
  await mkdir(path.dirname(machine), { recursive: true });
  await mkdir(path.join(dir, 'extensions'), { recursive: true });
  await writeFile(machine, JSON.stringify(settings));

  const child = spawn(
    options.host.node,
    [
      options.host.main,
      ...['--host', '127.0.0.1', '--port', '0', '--without-connection-token'],
      ...locations(dir),
      '--disable-telemetry',
      ...(options.trustAll === false ? [] : ['--disable-workspace-trust']),
      ...(options.smokeTestDriver === true ? ['--enable-smoke-test-driver'] : []),
    ],
    { env: { ...process.env, ...NO_GALLERY, ...options.env }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const port = await listening(child, path.join(dir, 'server.log'));

  const stop = async () => {
    await end(child);
    if (options.dir === undefined) await rm(dir, { recursive: true, force: true, maxRetries: 5 });
  };
  return {
    port,
    dir,
    origin: `http://127.0.0.1:${port}`,
    process: child,
    configure: async (changed) => {
      // What VS Code itself has written there for a person stays.
      const written = JSON.parse(await readFile(machine, 'utf8')) as Record<string, unknown>;
      await writeFile(machine, JSON.stringify({ ...written, ...changed }));
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** Installs a .vsix into the extensions of a server that will be started with the same `dir`. */
export async function installExtension(host: Host, vsix: string, dir: string): Promise<void> {
  const child = spawn(host.node, [host.main, '--install-extension', vsix, '--force', ...locations(dir)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (data) => (output += data));
  child.stderr.on('data', (data) => (output += data));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`VS Code ${host.version} did not install ${vsix}:\n${output}`);
}

const userDataDir = (dir: string) => path.join(dir, 'user-data');

function locations(dir: string): string[] {
  return [
    ...['--user-data-dir', userDataDir(dir)],
    ...['--extensions-dir', path.join(dir, 'extensions')],
    ...['--server-data-dir', path.join(dir, 'server-data')],
    '--accept-server-license-terms',
  ];
}

/** The port that the server says it listens on. What it says is kept in `log` as well. */
async function listening(child: ChildProcess, log: string): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  let output = '';
  const read = (data: Buffer) => {
    appendFileSync(log, data);
    output += data.toString();
    const found = /Extension host agent listening on (\d+)/.exec(output);
    if (found !== null) resolve(Number(found[1]));
  };
  child.stdout?.on('data', read);
  child.stderr?.on('data', read);
  child.once('error', reject);
  child.once('exit', (code) => reject(new Error(`VS Code's server ended with ${code}:\n${output}`)));
  const limit = setTimeout(() => {
    child.kill('SIGKILL');
    reject(new Error(`VS Code's server did not listen within ${START_LIMIT / SECOND} s:\n${output}`));
  }, START_LIMIT);
  return promise.finally(() => clearTimeout(limit));
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const limit = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT);
  await exited;
  clearTimeout(limit);
}
