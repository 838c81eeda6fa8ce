/** Who takes part: one coordinator with its own database, and machines that each run `aq run`. All are real processes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fakedClock } from './faketime.ts';
import { type Ground, QUEUE } from './ground.ts';
import { LEASE_SEC, type Machine } from './plan.ts';
import { signalAll } from './processes.ts';
import type { Timeline } from './timeline.ts';

/** How long a process may take to start, or to end when it is asked to, ms. */
const PATIENCE = 20_000;

interface Surroundings {
  readonly ground: Ground;
  readonly timeline: Timeline;
  readonly cli: string;
}

abstract class Part {
  protected readonly around: Surroundings;
  protected readonly who: string;
  protected child: ChildProcess | undefined;
  #doing: Promise<unknown> = Promise.resolve();
  #isBusy = false;
  #isClosed = false;
  #hadPowerCut = false;

  constructor(who: string, around: Surroundings) {
    this.who = who;
    this.around = around;
  }

  protected abstract launch(): Promise<void>;

  /** What it has for itself, and by which its processes are known. */
  protected get folder(): string {
    return path.join(this.around.ground.folder, this.who);
  }

  /** It runs, and nothing is being done to it. */
  get isFree(): boolean {
    return (
      !this.#isBusy &&
      this.child !== undefined &&
      this.child.exitCode === null &&
      this.child.signalCode === null
    );
  }

  start(): Promise<void> {
    return this.#alone(() => this.launch());
  }

  /** SIGKILL for the program alone, and a start after a while. */
  kill(forMs: number): Promise<void> {
    return this.#alone(async () => {
      this.#say(`SIGKILL, down for ${forMs} ms`);
      await this.#end('SIGKILL');
      await sleep(forMs);
      await this.launch();
    });
  }

  get hadPowerCut(): boolean {
    return this.#hadPowerCut;
  }

  /** The same for everything that runs on the machine. */
  powerCut(forMs: number): Promise<void> {
    return this.#alone(async () => {
      this.#hadPowerCut = true;
      const many = signalAll(this.folder, 'SIGKILL');
      this.#say(`power cut (${many} processes), down for ${forMs} ms`);
      await this.#end('SIGKILL');
      while (signalAll(this.folder, 'SIGKILL') > 0) await sleep(5);
      await sleep(forMs);
      await this.launch();
    });
  }

  /** SIGSTOP for everything that runs on the machine, and SIGCONT after a while. */
  freeze(forMs: number): Promise<void> {
    return this.#alone(async () => {
      const many = signalAll(this.folder, 'SIGSTOP');
      this.#say(`frozen (${many} processes) for ${forMs} ms`);
      await sleep(forMs);
      signalAll(this.folder, 'SIGCONT');
      this.#say('goes on');
    });
  }

  /** SIGTERM. Returns what was wrong with how it ended. */
  stop(): Promise<string | undefined> {
    return this.#alone(async () => {
      const late = setTimeout(() => this.child?.kill('SIGKILL'), PATIENCE);
      await this.#end('SIGTERM');
      clearTimeout(late);
      if (this.child?.signalCode !== 'SIGKILL') return undefined;
      return `${this.who} did not end within ${PATIENCE / 1000} s of SIGTERM`;
    });
  }

  /** It is not started again. */
  close(): void {
    this.#isClosed = true;
  }

  /** Ends whatever is left of it, at once; also what is being started. */
  async giveUp(): Promise<void> {
    this.close();
    await this.#doing;
    while (signalAll(this.folder, 'SIGKILL') > 0) await sleep(20);
  }

  protected run(args: readonly string[], env: NodeJS.ProcessEnv): ChildProcess {
    if (this.#isClosed) throw new Error('The run is over.');
    const { cli, timeline } = this.around;
    const home = path.join(this.folder, QUEUE);
    const child = spawn(process.execPath, [cli, '--home', home, ...args], {
      cwd: this.folder,
      env: { PATH: process.env['PATH'], HOME: this.folder, TMPDIR: path.join(this.folder, 'tmp'), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child = child;
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => timeline.add(this.who, `“${line}”`));
    }
    child.once('exit', (code, signal) => this.#say(`process ${child.pid} ends (${signal ?? code})`));
    this.#say(`process ${child.pid} starts`);
    return child;
  }

  /** One thing after the other. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#doing.then(async () => {
      this.#isBusy = true;
      try {
        return await work();
      } finally {
        this.#isBusy = false;
      }
    });
    this.#doing = done.catch(() => undefined);
    return done;
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const { child } = this;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }

  #say(text: string): void {
    this.around.timeline.add(this.who, text);
  }
}

export class CoordinatorPart extends Part {
  #port = 0;

  constructor(around: Surroundings) {
    super('coordinator', around);
  }

  get port(): number {
    return this.#port;
  }

  get api(): string {
    return `http://127.0.0.1:${this.#port}/api`;
  }

  get tokenFile(): string {
    return path.join(this.folder, QUEUE, 'coordinator', 'admin.token');
  }

  get token(): string {
    return readFileSync(this.tokenFile, 'utf8').trim();
  }

  protected async launch(): Promise<void> {
    const child = this.run(['coordinator', '--port', '0', '--lease-sec', String(LEASE_SEC)], {});
    let said = '';
    child.stdout?.on('data', (chunk: Buffer) => (said += String(chunk)));
    const end = performance.now() + PATIENCE;
    for (;;) {
      const [, port] = /^listening on http:\/\/127\.0\.0\.1:(\d+)/m.exec(said) ?? [];
      if (port !== undefined) return void (this.#port = Number(port));
      if (performance.now() > end || child.exitCode !== null)
        throw new Error('The coordinator does not start.');
      await sleep(10);
    }
  }

  /** As an operator. @returns the answer's status and JSON */
  async call(method: string, to: string, body?: unknown): Promise<{ status: number; body: unknown }> {
    const answer = await fetch(`${this.api}${to}`, {
      method,
      headers: { authorization: `Bearer ${this.token}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { status: answer.status, body: await answer.json() };
  }
}

export class MachinePart extends Part {
  readonly name: Machine;
  readonly #api: string;
  readonly #token: string;

  /** @param fleet where it reaches the coordinator, and with which token */
  constructor(name: Machine, around: Surroundings, fleet: { readonly api: string; readonly token: string }) {
    super(name, around);
    this.name = name;
    this.#api = fleet.api;
    this.#token = fleet.token;
    this.setClock(0);
  }

  /** Its wall clock is so much (s) ahead of ours from now on; nothing where clocks cannot be faked. */
  setClock(aheadSec: number): void {
    writeFileSync(this.#clockFile, `${aheadSec < 0 ? '' : '+'}${aheadSec}\n`);
  }

  protected launch(): Promise<void> {
    this.run(['run'], {
      ...fakedClock(this.#clockFile),
      AQ_DEBUG: '1',
      // Somebody always has a place free for a job whose lease has lapsed.
      AQ_MAX_PARALLEL: '4',
      AQ_FLEET: '1',
      AQ_FLEET_API: this.#api,
      AQ_FLEET_TOKEN: this.#token,
      AQ_FACTORY_ID: this.name,
      AQ_FLEET_CAPS: 'engine:shell',
      AQ_FLEET_ALLOW_ENGINES: 'shell',
      AQ_FLEET_ALLOW_COMMANDS: '1',
      GIT_CONFIG_NOSYSTEM: '1',
    });
    return Promise.resolve();
  }

  get #clockFile(): string {
    return path.join(this.folder, 'clock');
  }
}
