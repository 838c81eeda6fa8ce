/** `aq`, as it is on every machine: a runner in a fleet, or one request of a person beside it. */

import type { Fleet } from '../../src/fleet/fleet.ts';
import { openFleet } from '../../src/fleet/open.ts';
import type { Log } from '../../src/platform/log.ts';
import { type Factory, openFactory } from '../../src/runner/factory.ts';
import { offline } from '../../src/runner/hooks.ts';
import { CLONE } from '../stand-ins/workspace.ts';
import type { Machine } from '../world/machine.ts';
import type { Process, Temper } from '../world/process.ts';
import { here } from '../world/world.ts';

export const HOME = '/home/user/.agent-queue';

export interface Opened {
  readonly factory: Factory;
  readonly fleet: Fleet | undefined;
}

/** How a laptop's owner has set it up. */
export interface Setup {
  readonly token: string;
  readonly renewSec: number;
  readonly maxParallel: number;
  readonly pushCheckpoints: boolean;
  /** What it offers, as its owner has set it; undefined: what is found. */
  readonly capabilities: string | undefined;
}

/** What a fresh machine has on its disk. */
export function furnish({ disk }: Machine): void {
  const folders = [
    '/home',
    '/home/user',
    '/tmp',
    '/work',
    CLONE,
    `${CLONE}/.git`,
    '/bin',
    '/usr',
    '/usr/bin',
  ];
  for (const folder of folders) disk.makeDirectory(folder, 0o755, 0);
  for (const file of ['/bin/sh', '/usr/bin/claude']) disk.make(file, 0o755, 0);
  disk.settle();
}

export class Laptop {
  readonly machine: Machine;
  readonly setup: Setup;
  temper: Temper | undefined;
  /** The flag, as it is set for the next process. */
  isInFleet = true;
  /** The process that is to run the jobs, and what it has opened. */
  #runner:
    | { readonly process: Process; opened: Opened | undefined; readonly stop: PromiseWithResolvers<void> }
    | undefined;
  #aqs = 0;
  readonly #secrets: (text: string, where: string) => void;

  /** @param secrets told of every text that people may come to see */
  constructor(machine: Machine, setup: Setup, secrets: (text: string, where: string) => void) {
    this.machine = machine;
    this.setup = setup;
    this.#secrets = secrets;
    furnish(machine);
  }

  get runner(): Process | undefined {
    return this.#runner?.process.isAlive === true ? this.#runner.process : undefined;
  }

  startRunner(): void {
    if (this.runner !== undefined || !this.machine.isOn) return;
    const stop = Promise.withResolvers<void>();
    const process = this.machine.start(this.isInFleet ? 'runner' : 'runner, no fleet', async () => {
      const own = { process, opened: undefined as Opened | undefined, stop };
      this.#runner = own;
      own.opened = await this.#open('the runner');
      await own.opened.factory.startRunner();
      await stop.promise;
      await this.#close(own.opened);
    });
    this.#runner = { process, opened: undefined, stop };
    this.#tempered(process);
  }

  /** As by SIGTERM. */
  stopRunner(): void {
    const own = this.#runner;
    if (own?.process.isAlive === true) this.machine.world.later(0, () => own.stop.resolve(), own.process);
  }

  /** Something that a person does in the window that is the runner. */
  inRunner(what: (opened: Opened) => Promise<unknown>): void {
    const own = this.#runner;
    if (own?.process.isAlive !== true) return;
    const act = () => {
      if (own.opened === undefined) return;
      what(own.opened).catch((error: unknown) => this.#say(`a request is refused: ${String(error)}`));
    };
    this.machine.world.later(0, act, own.process);
  }

  /** One `aq` of a person, beside whatever runs. */
  aq(what: (opened: Opened) => Promise<unknown>, name = 'aq'): Process | undefined {
    if (!this.machine.isAwake) return undefined;
    this.#aqs += 1;
    const process = this.machine.start(`${name}-${this.#aqs}`, async () => {
      const opened = await this.#open('aq');
      try {
        await what(opened);
      } finally {
        await this.#close(opened);
      }
    });
    this.#tempered(process);
    return process;
  }

  #tempered(process: Process): void {
    if (this.temper !== undefined) process.temper = this.temper;
  }

  async #open(what: string): Promise<Opened> {
    const { token, renewSec, maxParallel, pushCheckpoints, capabilities: offers } = this.setup;
    const env = {
      HOME: '/home/user',
      PATH: '/usr/bin:/bin',
      AQ_MAX_PARALLEL: String(maxParallel),
      AQ_FLEET_API: 'https://fleet.example/api',
      AQ_FLEET_TOKEN: token,
      AQ_FACTORY_ID: this.machine.name,
      AQ_FLEET_LEASE_RENEW_SEC: String(renewSec),
      AQ_FLEET_ALLOW_ROOTS: '/work',
      AQ_FLEET_ALLOW_COMMANDS: '1',
      AQ_FLEET_PUSH_CHECKPOINTS: pushCheckpoints ? '1' : '0',
      ...(offers !== undefined && { AQ_FLEET_CAPS: offers }),
    };
    here().isInFleet = this.isInFleet;
    let factory: Factory | undefined;
    const log = this.#log();
    const capabilities = async () => (await factory?.capabilities()) ?? [];
    const fleet = this.isInFleet
      ? await openFleet({ home: HOME, env, capabilities, shadow: false, log })
      : undefined;
    const supervisorScript = '/opt/aq/supervisor.js';
    factory = await openFactory({
      home: HOME,
      supervisorScript,
      workspaceFolder: CLONE,
      log,
      what,
      env,
      hooks: fleet ?? offline,
    });
    return { factory, fleet };
  }

  async #close({ factory, fleet }: Opened): Promise<void> {
    await factory.dispose();
    await fleet?.close();
  }

  #log(): Log {
    const say = (level: string) => (message: string | Error) =>
      this.#say(`${level}: ${message instanceof Error ? (message.stack ?? message.message) : message}`);
    return { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };
  }

  #say(text: string): void {
    this.#secrets(text, 'a log');
    this.machine.world.trace.add(here(), text);
  }
}
