/** What a person is told of the fleet: rows of the view, and the status page. */
import type { FleetStatus, LeaseStatus } from '../../fleet/status.ts';
import type { JobRow } from '../../runner/board.ts';
import type { ClaimPolicy } from '../../runner/hooks.ts';
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
    ...(unsent === 0 ? [] : [outboxRow(unsent, t)]),
  ];
}

export interface PageFacts {
  readonly mode: string;
  readonly problem: string | undefined;
  readonly lines: readonly string[];
  readonly policy: ClaimPolicy | undefined;
  readonly home: string;
  readonly claimed: readonly JobRow[];
}

/** The status page: plain text, and no secret in it. */
export function pageText({ mode, problem, lines, policy, home, claimed }: PageFacts, t: Translate): string {
  const parts = [t('Agent Queue: fleet status'), ''];
  if (mode === 'off') {
    parts.push(t('Fleet mode is off: this laptop runs its own jobs only.'));
  } else {
    parts.push(...(problem === undefined ? lines : [problem]));
  }
  parts.push(`Home         ${home}`);
  if (policy !== undefined) parts.push('', t('What claimed jobs may do here'), ...policyLines(policy, t));
  if (claimed.length > 0) {
    parts.push('', t('Claimed jobs in this home'));
    parts.push(
      ...claimed.map(
        ({ id, stage, claim, reason }) =>
          `${id}  ${stage}  epoch ${claim?.epoch}${reason === undefined ? '' : `  ${reason.text}`}`,
      ),
    );
  }
  return `${parts.join('\n')}\n`;
}

function policyLines({ engines, roots, yolo, commands }: ClaimPolicy, t: Translate): string[] {
  const yes = (value: boolean): string => (value ? t('yes') : t('no'));
  return [
    `Engines      ${engines?.join(', ') ?? t('all that are installed, but shell')}`,
    `Folders      ${roots.join(', ')}`,
    `yolo         ${yes(yolo)}`,
    `Commands     ${yes(commands)}`,
  ];
}

function coordinatorRow(status: FleetStatus, t: Translate): FleetRow {
  const { connection, api, claimable } = status;
  const rest = { id: 'coordinator', label: t('Coordinator'), tooltip: api, counts: false };
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
      const jobs = claimable === undefined ? '' : ` · ${t('{0} to claim', claimable)}`;
      return rowOf(`${words}${jobs}`, 'pass', 'charts.green');
    }
    case 'unreachable': {
      const since = t('unreachable {0}: {1}', age(sinceMs(status), t), connection.why ?? '');
      return rowOf(since, 'debug-disconnect', 'list.warningForeground');
    }
    case 'unauthorized':
      return rowOf(t('turns the token down; run “Fleet: Set Token…”'), 'key', 'list.errorForeground');
  }
}

function factoryRow({ factoryId, capabilities, draining }: FleetStatus, t: Translate): FleetRow {
  const description = draining ? t('{0} · draining', factoryId) : factoryId;
  return {
    id: 'factory',
    label: t('This factory'),
    description,
    icon: 'vm',
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
  { id, jobId, epoch, stage, standing, leftMs, renewals }: LeaseStatus,
  t: Translate,
): FleetRow {
  const [icon, color] = STANDING_ICONS[standing];
  const words = {
    held: t('held'),
    uncertain: t('uncertain until it is renewed'),
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
