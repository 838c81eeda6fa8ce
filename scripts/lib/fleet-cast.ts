/** Who plays in the demonstration of a fleet: a coordinator and factories, each a process with a home of its own. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SECOND } from '../../src/platform/clock.ts';

const CLI = path.resolve(import.meta.dirname, '../../dist/cli.js');
/** Short, so that a lease that lapses is not waited for. */
const LEASE_SEC = 5;
const PATIENCE = 90 * SECOND;

/** A folder for everything, with a small repository that all factories work in. */
export function makeStage(): { readonly folder: string; readonly repository: string } {
  const folder = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'agent-queue-fleet-')));
  const repository = path.join(folder, 'greeter');
  const git = (...args: string[]) => execFileSync('git', args, { cwd: repository, stdio: 'ignore' });
  mkdirSync(repository);
  writeFileSync(path.join(repository, 'README.md'), '# Greeter\n');
  git('init', '-q', '-b', 'main');
  git('add', '.');
  git('-c', 'user.name=Ada', '-c', 'user.email=ada@example.invalid', 'commit', '-qm', 'Start');
  return { folder, repository };
}

export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + PATIENCE;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`It did not come to this: ${what}.`);
    await sleep(50);
  }
}

export interface CoordinatorPart {
  readonly api: string;
  readonly port: number;
  /** The answer's JSON, as its admin gets it. */
  call(method: string, to: string, body?: unknown): Promise<unknown>;
  end(): Promise<void>;
}

export async function castCoordinator(folder: string): Promise<CoordinatorPart> {
  const home = path.join(folder, 'coordinator');
  const flags = ['coordinator', '--port', '0', '--lease-sec', String(LEASE_SEC)];
  const child = run(home, flags, {});
  let said = '';
  child.stdout?.on('data', (chunk: Buffer) => (said += String(chunk)));
  const address = () => /^listening on (\S+)$/m.exec(said)?.[1];
  await until('the coordinator listens', () => address() !== undefined);
  const api = address() ?? '';
  const token = (await readFile(path.join(home, 'coordinator', 'admin.token'), 'utf8')).trim();
  return {
    api,
    port: Number(new URL(api).port),
    async call(method, to, body) {
      const answer = await fetch(`${api}${to}`, {
        method,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      if (!answer.ok) throw new Error(`${method} ${to}: ${answer.status} ${await answer.text()}`);
      return answer.json();
    },
    end: () => endOf(child, 'SIGTERM'),
  };
}

/** One laptop: a home, a home directory in which its jobs look for files, and a token of its own. */
export class Factory {
  readonly name: string;
  readonly capabilities: readonly string[];
  readonly #folder: string;
  readonly #env: NodeJS.ProcessEnv;
  #child: ChildProcess | undefined;

  constructor(options: {
    readonly name: string;
    readonly folder: string;
    readonly capabilities: readonly string[];
    /** Where it reaches the coordinator. */
    readonly api: string;
    readonly token: string;
  }) {
    const { name, folder, capabilities, api, token } = options;
    this.name = name;
    this.capabilities = capabilities;
    this.#folder = path.join(folder, name);
    mkdirSync(this.#folder);
    this.#env = {
      AQ_FLEET: '1',
      AQ_FLEET_API: api,
      AQ_FLEET_TOKEN: token,
      AQ_FACTORY_ID: name,
      AQ_FLEET_CAPS: capabilities.join(','),
      AQ_FLEET_ALLOW_ENGINES: 'shell',
      AQ_FLEET_ALLOW_ROOTS: folder,
      AQ_FLEET_ALLOW_COMMANDS: '1',
    };
  }

  start(): void {
    this.#child = run(path.join(this.#folder, 'queue'), ['run'], { ...this.#env, HOME: this.#folder });
  }

  /** As a power cut would. Its engines go on under their supervisors. */
  async kill(): Promise<void> {
    if (this.#child !== undefined) await endOf(this.#child, 'SIGKILL');
  }

  async end(): Promise<void> {
    if (this.#child !== undefined) await endOf(this.#child, 'SIGTERM');
  }

  /** A file that its jobs see in their home directory. */
  has(file: string): boolean {
    return existsSync(path.join(this.#folder, file));
  }

  put(file: string): void {
    writeFileSync(path.join(this.#folder, file), '');
  }

  remove(file: string): void {
    rmSync(path.join(this.#folder, file), { force: true });
  }

  /** Whether the claim of a job under an epoch lies in a stage of its home. */
  holds(stage: string, job: string, epoch: number): boolean {
    return existsSync(path.join(this.#folder, 'queue', stage, `${job}-e${epoch}.md`));
  }
}

function run(home: string, args: readonly string[], env: NodeJS.ProcessEnv): ChildProcess {
  return spawn(process.execPath, [CLI, '--home', home, ...args], {
    env: { PATH: process.env['PATH'], HOME: home, ...env },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}

async function endOf(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = once(child, 'close');
  child.kill(signal);
  await closed;
}
