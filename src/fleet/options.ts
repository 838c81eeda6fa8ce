/** What this factory's part in a fleet is made of (open.ts puts it together). */
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { ClaimJournal } from './claims.ts';
import type { FleetClient } from './client.ts';
import type { FleetConfig } from './config.ts';
import type { Outbox } from './outbox.ts';
import type { SharedStatus } from './shared-status.ts';

export interface FleetOptions {
  readonly client: FleetClient;
  readonly config: FleetConfig;
  readonly factoryId: string;
  readonly outbox: Outbox;
  /** What other processes of this home see of the fleet. */
  readonly shared: SharedStatus;
  readonly claims: ClaimJournal;
  readonly capabilities: () => Promise<readonly string[]>;
  /** Heartbeats only, and tells what could be claimed (rule 15). */
  readonly shadow: boolean;
  readonly clock: Clock;
  readonly log: Log;
  /** 0 to 1; default Math.random. */
  readonly random?: () => number;
}
