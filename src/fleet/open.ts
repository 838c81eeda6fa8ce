/** This laptop's place in a fleet, put together: the entry of the bundle that is read only when fleet mode is on. */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { type Clock, systemClock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { FleetSettings } from '../runner/hooks.ts';
import { checkedAddress } from './address.ts';
import { ClaimJournal } from './claims.ts';
import { FleetClient } from './client.ts';
import { fleetConfig } from './config.ts';
import { factoryIdOf } from './factory-id.ts';
import { Fleet } from './fleet.ts';
import { Outbox } from './outbox.ts';
import { SharedStatus } from './shared-status.ts';

export interface OpenFleet {
  /** The home: the outbox and the factory's id are kept in it. */
  readonly home: string;
  readonly env: NodeJS.ProcessEnv;
  /** What a person has set; wins over the environment. */
  readonly settings?: FleetSettings | undefined;
  /** The token kept for an address; asked only where the environment has none. */
  readonly tokenFor?: (api: string) => Promise<string | undefined>;
  /** What the machine offers; asked at every heartbeat and claim. */
  readonly capabilities: () => Promise<readonly string[]>;
  readonly shadow: boolean;
  readonly log: Log;
  readonly clock?: Clock;
}

/**
 * Nothing is asked of the coordinator yet: that begins when a runner attaches.
 * @throws UserError `bad-address` for an address that no token may be sent to
 */
export async function openFleet(options: OpenFleet): Promise<Fleet> {
  const { home, env, log, capabilities, shadow, clock = systemClock } = options;
  const config = fleetConfig(options.settings ?? {}, env);
  for (const problem of config.problems) log.warn(problem);
  const api = checkedAddress(config.api);
  const dir = path.join(home, 'outbox');
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const factoryId = config.factoryId ?? (await factoryIdOf(home));
  const token = env['AQ_FLEET_TOKEN']?.trim() || (await options.tokenFor?.(api));
  const client = new FleetClient({ api, token, productId: config.productId, factoryId, clock, log });
  return new Fleet({
    client,
    config: { ...config, api },
    factoryId,
    outbox: new Outbox(dir),
    shared: new SharedStatus(home, clock),
    claims: new ClaimJournal(dir),
    capabilities,
    shadow,
    clock,
    log,
  });
}
