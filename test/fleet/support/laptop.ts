/** A laptop in a fleet: a runner with its own home, whose hooks are a real fleet over HTTP. */
import type { Fleet } from '../../../src/fleet/fleet.ts';
import { openFleet } from '../../../src/fleet/open.ts';
import { type Clock, systemClock } from '../../../src/platform/clock.ts';
import type { Factory } from '../../../src/runner/factory.ts';
import type { ExplicitSettings } from '../../../src/runner/settings.ts';
import { openTestFactory } from '../../runner/support/factory.ts';

export const TOKEN = 'fleet-token-sentinel-4711';
export const PRODUCT = 'acme';
export const FACTORY_ID = 'laptop-1';

/** A clock that a test can make jump as a laptop does that sleeps: the wall goes on, the monotonic clock may not. */
export class LaptopClock implements Clock {
  #wall = 0;
  #monotonic = 0;
  now = () => systemClock.now() + this.#wall;
  monotonic = () => systemClock.monotonic() + this.#monotonic;
  sleep = (ms: number, signal?: AbortSignal) => systemClock.sleep(ms, signal);
  jump(wall: number, monotonic = 0): void {
    this.#wall += wall;
    this.#monotonic += monotonic;
  }
}

export interface Laptop {
  readonly fleet: Fleet;
  readonly factory: Factory;
}

/** Allows claimed jobs everything; its runner is not started. */
export async function joinFleet(laptop: {
  readonly home: string;
  readonly api: string;
  /** Every message is pushed to it. */
  readonly log?: string[];
  readonly clock?: Clock;
  readonly env?: NodeJS.ProcessEnv;
  readonly settings?: ExplicitSettings;
}): Promise<Laptop> {
  const { home, api, log = [], clock = systemClock, env = {}, settings = {} } = laptop;
  const write = (message: string | Error) => log.push(String(message));
  const logger = { debug: write, info: write, warn: write, error: write };
  const opened: { factory?: Factory } = {};
  const fleet = await openFleet({
    home,
    env: {
      AQ_FLEET_API: api,
      AQ_FLEET_TOKEN: TOKEN,
      AQ_PRODUCT_ID: PRODUCT,
      AQ_FACTORY_ID: FACTORY_ID,
      AQ_FLEET_ALLOW_ENGINES: 'shell',
      AQ_FLEET_ALLOW_ROOTS: '/',
      AQ_FLEET_ALLOW_COMMANDS: '1',
      ...env,
    },
    capabilities: async () => (await opened.factory?.capabilities()) ?? [],
    shadow: env['AQ_FLEET'] === 'shadow',
    log: logger,
    clock,
  });
  const factory = await openTestFactory(home, { hooks: fleet, log: logger, settings });
  opened.factory = factory;
  return { fleet, factory };
}

/** Looks often, for twelve seconds. @throws naming `what` never came */
export async function until(look: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = performance.now() + 12_000;
  while (!(await look())) {
    if (performance.now() > deadline) throw new Error(`still not so: ${what}`);
    await systemClock.sleep(10);
  }
}
