/** The tracker echo of a home, put together. */
import path from 'node:path';
import { type Clock, systemClock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { TrackerEcho } from './echo.ts';
import { EchoBox } from './echo-box.ts';
import { GitHub } from './github.ts';
import { tokenOf } from './token.ts';

export interface OpenTrackerEcho {
  /** Whose runner lock this process holds: what has not been sent yet is kept in it. */
  readonly home: string;
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
  /** The token kept for a host; asked only where the environment has none. */
  readonly tokenFor?: ((host: string) => Promise<string | undefined>) | undefined;
  readonly clock?: Clock | undefined;
  /** Where the REST interface of a host is, without a slash at its end; default as GitHub has it. */
  readonly apiFor?: ((host: string) => string) | undefined;
}

/** Begins to send what an earlier process has left. Never throws. */
export function openTrackerEcho(options: OpenTrackerEcho): TrackerEcho {
  const { home, env, log, tokenFor, clock = systemClock, apiFor } = options;
  const echo = new TrackerEcho({
    box: new EchoBox(path.join(home, 'outbox', 'tracker.json')),
    trackers: [new GitHub({ clock, apiFor })],
    tokenFor: async (host) => tokenOf(env, host) ?? tokenFor?.(host),
    clock,
    log,
  });
  echo.start();
  return echo;
}
