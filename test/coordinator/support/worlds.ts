/** Stores under a clock that a test moves, and the requests that a test makes of them. */
import path from 'node:path';
import { MemoryStore } from '../../../src/coordinator/memory/store.ts';
import type { JobRecord } from '../../../src/coordinator/records.ts';
import { isRefusal, type Refusal } from '../../../src/coordinator/refusal.ts';
import type { FencedCall } from '../../../src/coordinator/rules/fence.ts';
import { type CoordinatorSettings, DEFAULT_SETTINGS } from '../../../src/coordinator/settings.ts';
import { SqliteStore } from '../../../src/coordinator/sqlite/store.ts';
import { ask, type Store } from '../../../src/coordinator/store.ts';
import type { WireStage } from '../../../src/fleet/protocol.ts';
import { scratchFolder } from '../../runner/support/scratch.ts';

export const PRODUCT = 'acme';
export const LEASE = DEFAULT_SETTINGS.leaseMs;
export const CAN = ['engine:claude', 'engine:shell', 'os:linux'];
export const PROMPT = '# Do it\n';

export class TestClock {
  at = Date.UTC(2026, 0, 1);
  now = () => this.at;
  advance(ms: number): void {
    this.at += ms;
  }
}

/** Opens a store; what it remembers is there again in the next one if it is given the same name. */
export type OpenStore = (clock: TestClock, name?: string) => Store;

export interface Kind {
  readonly name: string;
  readonly isDurable: boolean;
  /** A world of its own for each test. */
  readonly world: (settings?: Partial<CoordinatorSettings>) => OpenStore;
}

export const KINDS: readonly Kind[] = [
  {
    name: 'memory',
    isDurable: false,
    world: (settings) => (clock) => new MemoryStore(clock, { ...DEFAULT_SETTINGS, ...settings }),
  },
  {
    name: 'sqlite',
    isDurable: true,
    world: (settings) => {
      const folder = scratchFolder('aq-coordinator-');
      return (clock, name = 'one') =>
        new SqliteStore({
          file: path.join(folder, `${name}.db`),
          clock,
          settings: { ...DEFAULT_SETTINGS, ...settings },
        });
    },
  },
];

export interface StoreWorld {
  readonly clock: TestClock;
  readonly store: Store;
  readonly desk: Desk;
}

/** A store, and what tests do with it in a word each. Refusals are returned; `must` throws them. */
export class Desk {
  readonly store: Store;
  constructor(store: Store) {
    this.store = store;
  }

  async add(id: string, given: { bodyMd?: string; priority?: number; requires?: string[] } = {}) {
    const { bodyMd = PROMPT, ...rest } = given;
    return must(await ask(this.store, { do: 'enqueue', job: { productId: PRODUCT, id, bodyMd, ...rest } }));
  }

  async claim(
    factoryId: string,
    capabilities: readonly string[] = CAN,
    request?: string,
  ): Promise<JobRecord | undefined> {
    const key = request === undefined ? undefined : { scope: factoryId, key: request, fingerprint: 'claim' };
    const result = await ask(this.store, { do: 'claim', productId: PRODUCT, factoryId, capabilities, key });
    return result === 'empty' ? undefined : must(result).job;
  }

  async fenced(jobId: string, call: FencedCall, caller: string | null = null, key?: string) {
    const fingerprint = JSON.stringify(call);
    const result = await ask(this.store, {
      do: 'fenced',
      productId: PRODUCT,
      jobId,
      call,
      caller,
      key: key === undefined ? undefined : { scope: caller ?? '*', key, fingerprint },
    });
    return isRefusal(result) ? result : result.job;
  }

  report(jobId: string, epoch: number, stage: WireStage, wipCommit?: string, key?: string) {
    const checkpoint = wipCommit === undefined ? null : { wipBranch: 'refs/aq/wip', wipCommit };
    return this.fenced(jobId, { what: 'report', epoch, stage, checkpoint }, null, key);
  }

  renew(jobId: string, epoch: number) {
    return this.fenced(jobId, { what: 'renew', epoch });
  }

  release(jobId: string, epoch: number) {
    return this.fenced(jobId, { what: 'release', epoch });
  }

  async person(what: 'cancel' | 'requeue', jobId: string) {
    const result = await ask(this.store, { do: what, productId: PRODUCT, jobId });
    return isRefusal(result) ? result : result.job;
  }

  async job(jobId: string): Promise<JobRecord> {
    return must(await ask(this.store, { do: 'job', productId: PRODUCT, jobId })).job;
  }

  async events(jobId: string): Promise<string[]> {
    const { events } = must(
      await ask(this.store, { do: 'events', productId: PRODUCT, jobId, after: 0, limit: 500 }),
    );
    return events.map(({ kind, to, epoch }) => `${kind} ${to} ${epoch}`);
  }

  async runs(jobId: string): Promise<string[]> {
    const { runs } = must(await ask(this.store, { do: 'runs', productId: PRODUCT, jobId }));
    return runs.map(({ epoch, factoryId, stage, end }) => `${epoch} ${factoryId} ${stage} ${end}`);
  }

  async why(jobId: string, factoryId = 'f1'): Promise<string> {
    return must(await ask(this.store, { do: 'why', productId: PRODUCT, jobId, factoryId })).code;
  }

  heartbeat(factoryId: string, capabilities: readonly string[] = CAN, health: 'ok' | 'draining' = 'ok') {
    return ask(this.store, { do: 'heartbeat', productId: PRODUCT, factoryId, capabilities, health, load: 0 });
  }
}

export function must<T extends object>(result: T | Refusal): T {
  if (isRefusal(result)) throw new Error(`${result.code}: ${result.detail}`);
  return result;
}

export function codeOf(result: object): string {
  return isRefusal(result) ? result.code : 'accepted';
}
