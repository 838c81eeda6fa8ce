/** What a person is told of the fleet in the rows of the Fleet view. */
import type { FencedEntry } from '../../fleet/chronicle.ts';
import type { FleetStatus, LeaseStatus } from '../../fleet/status.ts';
import { MINUTE } from '../../platform/clock.ts';
import { age, stopwatch } from './duration.ts';
import { sinceMs } from './fleet-words.ts';
import type { Translate } from './translate.ts';

export interface FleetRow {
  readonly id: string;
  readonly label: string;
  readonly description: string;
  readonly icon: string;
  readonly color?: string;
  readonly tooltip: string;
  /** What a screen reader says. Without seconds: it would be read again each second. */
  readonly spoken: string;
  /** For `when` clauses of menus. */
  readonly context?: string;
  /** It shows seconds. */
  readonly counts: boolean;
}

export function fleetRows(status: FleetStatus, t: Translate): FleetRow[] {
  const unsent = status.leases.reduce((sum, { waiting }) => sum + waiting, 0);
  return [
    coordinatorRow(status, t),
    factoryRow(status, t),
    ...status.leases.map((lease) => leaseRow(lease, t)),
    ...status.fenced.map((entry) => fencedRow(entry, t)),
    ...(unsent === 0 ? [] : [outboxRow(unsent, t)]),
  ];
}

function coordinatorRow(status: FleetStatus, t: Translate): FleetRow {
  const { connection, api, claimable } = status;
  const facts = [
    api,
    ...(status.roundTripMs === undefined ? [] : [t('Last heartbeat answered in {0} ms', status.roundTripMs)]),
    ...(status.notClaiming === undefined ? [] : [t('Nothing is claimed: {0}', status.notClaiming)]),
  ];
  const rest = { id: 'coordinator', label: t('Coordinator'), tooltip: facts.join('\n'), counts: false };
  const rowOf = (description: string, icon: string, color?: string): FleetRow => ({
    ...rest,
    description,
    icon,
    ...(color !== undefined && { color }),
    spoken: `${rest.label}, ${description}`,
  });
  switch (connection.phase) {
    case 'new':
      return rowOf(t('not asked yet; it is when the runner is on'), 'circle-outline');
    case 'reachable': {
      const words = status.shadow ? t('reachable, shadow mode') : t('reachable');
      const jobs = claimable === undefined ? [] : [t('{0} to claim', claimable)];
      const trip = status.roundTripMs === undefined ? [] : [t('{0} ms', status.roundTripMs)];
      return rowOf([words, ...jobs, ...trip].join(' · '), 'pass', 'charts.green');
    }
    case 'unreachable': {
      const ms = sinceMs(status);
      const why = connection.why ?? t('no answer');
      const since = ms < MINUTE ? t('unreachable: {0}', why) : t('unreachable {0}: {1}', age(ms, t), why);
      return rowOf(since, 'debug-disconnect', 'list.warningForeground');
    }
    case 'unauthorized':
      return rowOf(t('turns the token down; run “Fleet: Set Token…”'), 'key', 'list.errorForeground');
  }
}

function factoryRow(status: FleetStatus, t: Translate): FleetRow {
  const { factoryId, capabilities, draining, leaving, shortages } = status;
  const state = leaving
    ? [t('leaves when its leases are settled')]
    : draining
      ? [t('draining')]
      : shortages.length > 0
        ? [t('degraded: {0}', shortages.join(', '))]
        : [];
  const description = [factoryId, ...state].join(' · ');
  return {
    id: 'factory',
    label: t('This factory'),
    description,
    icon: 'vm',
    ...(shortages.length > 0 && { color: 'list.warningForeground' }),
    tooltip: capabilities.join('\n'),
    spoken: t('This factory, {0}', description),
    counts: false,
  };
}

const STANDING_ICONS = {
  held: ['lock', 'charts.green'],
  uncertain: ['question', 'list.warningForeground'],
  lapsed: ['clock', 'list.warningForeground'],
  fenced: ['shield', 'list.errorForeground'],
  ended: ['check', undefined],
  landing: ['rocket', 'charts.green'],
} as const;

function leaseRow(
  { id, jobId, epoch, stage, standing, doubt, leftMs, renewals }: LeaseStatus,
  t: Translate,
): FleetRow {
  const [icon, color] = STANDING_ICONS[standing];
  const words = {
    held: t('held'),
    uncertain: uncertain(doubt, t),
    lapsed: t('lapsed'),
    fenced: t('fenced'),
    ended: t('ended'),
    landing: t('may land'),
  }[standing];
  const isCounting = standing === 'held' || standing === 'uncertain';
  const left = isCounting ? [t('{0} left', stopwatch(leftMs))] : [];
  // What moves comes first: a narrow view cuts the end off. The lock says that it is held.
  const facts = [...(standing === 'held' ? [] : [words]), ...left, stage, t('epoch {0}', epoch)];
  return {
    id: `lease ${id}`,
    label: jobId,
    description: facts.join(' · '),
    icon,
    ...(color !== undefined && { color }),
    tooltip: t('Job {0}, here {1}; renewed {2} times', jobId, id, renewals),
    spoken: [jobId, t('epoch {0}', epoch), stage, words].join(', '),
    ...(isCounting || standing === 'lapsed' ? { context: 'lease' } : {}),
    counts: isCounting,
  };
}

function uncertain(doubt: LeaseStatus['doubt'], t: Translate): string {
  switch (doubt) {
    case 'sleep':
      return t('uncertain since this laptop slept');
    case 'restart':
      return t('uncertain since the restart');
    case 'outage':
      return t('uncertain since the coordinator was away');
    case undefined:
      return t('uncertain until it is renewed');
  }
}

function fencedRow({ id, jobId, epoch, text }: FencedEntry, t: Translate): FleetRow {
  const [icon, color] = STANDING_ICONS.fenced;
  const description = [t('fenced'), t('epoch {0}', epoch)].join(' · ');
  return {
    id: `fenced ${id}`,
    label: jobId,
    description,
    icon,
    color,
    tooltip: text,
    spoken: `${jobId}, ${description}. ${text}`,
    counts: false,
  };
}

function outboxRow(unsent: number, t: Translate): FleetRow {
  const label = t('Outbox');
  const description = unsent === 1 ? t('1 report waits') : t('{0} reports wait', unsent);
  const tooltip = t('They are safe on disk, and are told in order when the coordinator answers.');
  return {
    id: 'outbox',
    label,
    description,
    icon: 'mail',
    tooltip,
    spoken: `${label}, ${description}`,
    counts: false,
  };
}
