/** A coordinator as one process: its store, its server, its admin token, and its place in a home. */
import { type Clock, SECOND, systemClock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { admitAdmin } from './admin-token.ts';
import {
  adminTokenFile,
  announceCoordinator,
  databaseFile,
  makeCoordinatorFolder,
  withdrawCoordinator,
} from './place.ts';
import { type CoordinatorServer, startServer } from './server/server.ts';
import { type CoordinatorSettings, DEFAULT_SETTINGS } from './settings.ts';
import type { Store } from './store.ts';

export interface RunCoordinator {
  /** Its files are kept in it, unless told otherwise. */
  readonly home: string;
  readonly host?: string | undefined;
  /** 0: any that is free. */
  readonly port: number;
  /** A file, or `postgres://…`; default: a file in the home. */
  readonly database?: string | undefined;
  /** Default: a file in the home. */
  readonly tokenFile?: string | undefined;
  /** Length of a lease, s. */
  readonly leaseSec?: number | undefined;
  readonly log: Log;
  readonly clock?: Clock | undefined;
}

export interface Coordinator {
  readonly api: string;
  readonly tokenFile: string;
  /** What is under way is answered; no lease is taken. */
  stop(): Promise<void>;
}

/** @throws UserError `database-in-use`, `port-taken`, `bad-token-file`, and what a database refuses; nothing is left behind then */
export async function runCoordinator(options: RunCoordinator): Promise<Coordinator> {
  const { home, host, port, log } = options;
  await makeCoordinatorFolder(home);
  const tokenFile = options.tokenFile ?? adminTokenFile(home);
  const settings: CoordinatorSettings = {
    ...DEFAULT_SETTINGS,
    ...(options.leaseSec !== undefined && { leaseMs: options.leaseSec * SECOND }),
  };
  const store = await openStore(options, settings);
  const begun: { server?: CoordinatorServer } = {};
  const stop = async (): Promise<void> => {
    await begun.server?.stop();
    await store.close();
  };
  try {
    await admitAdmin(store, tokenFile);
    begun.server = await startServer({ store, settings, log, host, port });
    const { api } = begun.server;
    await announceCoordinator(home, { api, tokenFile });
    return {
      api,
      tokenFile,
      async stop() {
        await stop();
        await withdrawCoordinator(home);
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** What looks like an address of a database is one; all else is a file. */
async function openStore(
  { home, database = databaseFile(home), clock = systemClock, log }: RunCoordinator,
  settings: CoordinatorSettings,
): Promise<Store> {
  if (/^postgres(?:ql)?:\/\//.test(database)) {
    const { openPostgresStore } = await import('./postgres/store.ts');
    return openPostgresStore({ url: database, settings, log });
  }
  const { SqliteStore } = await import('./sqlite/store.ts');
  return new SqliteStore({ file: database, clock, settings });
}
