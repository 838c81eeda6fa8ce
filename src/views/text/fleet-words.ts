/** The fleet in a few words, for the status bar. */
import type { FleetStatus } from '../../fleet/status.ts';
import { MINUTE, SECOND } from '../../platform/clock.ts';
import { age } from './duration.ts';
import type { Translate } from './translate.ts';

/** For the status bar. Undefined facts: fleet mode is on, and nothing has been asked yet. */
export function fleetText(status: FleetStatus | undefined, t: Translate): string {
  switch (status?.connection.phase) {
    case 'unreachable':
      return sinceMs(status) < MINUTE
        ? t('Coordinator unreachable')
        : t('Coordinator unreachable {0}', age(sinceMs(status), t));
    case 'unauthorized':
      return t('Coordinator turns the token down');
    case 'new':
    case 'reachable':
    case undefined:
      return status?.shadow === true ? t('Fleet in shadow mode') : t('Fleet on');
  }
}

/** For how long the connection has been as it is, ms. Rounded, so that a row is not drawn anew for a fraction of a second. */
export function sinceMs({ connection, now }: FleetStatus): number {
  const ms = Math.max(now.wall - connection.since.wall, now.monotonic - connection.since.monotonic);
  return ms < MINUTE ? Math.floor(ms / SECOND) * SECOND : Math.floor(ms / MINUTE) * MINUTE;
}
