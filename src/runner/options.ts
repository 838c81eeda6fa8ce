/** What a runner of a home is made of (compose.ts). */
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { Inbox } from './home/inbox.ts';
import type { Store } from './home/store.ts';
import type { Hooks } from './hooks.ts';
import type { LockTable } from './lock-table.ts';
import type { Settings } from './settings.ts';
import type { Workshop } from './steps/workshop.ts';

export interface RunnerOptions {
  readonly store: Store;
  readonly inbox: Inbox;
  readonly clock: Clock;
  readonly log: Log;
  readonly hooks: Hooks;
  readonly locks: LockTable;
  readonly settings: () => Settings;
  readonly workshop: Workshop;
  /** False: only carries out requests and goes on with jobs that they concern; takes nothing from the inbox. */
  readonly takesJobs: boolean;
  /** Called after anything that a person can see has changed. */
  readonly changed: () => void;
}
