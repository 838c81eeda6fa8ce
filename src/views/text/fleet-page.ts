/** `Fleet: Status` as plain text: to be copied into a bug report as it is, with no secret in it. */
import type { Entry } from '../../fleet/chronicle.ts';
import type { Provenance } from '../../fleet/config.ts';
import type { FleetStatus } from '../../fleet/status.ts';
import type { JobRow } from '../../runner/board.ts';
import type { Translate } from './translate.ts';

export interface PageFacts {
  readonly mode: string;
  readonly problem: string | undefined;
  /** What the command line says as well. */
  readonly lines: readonly string[];
  /** Undefined: fleet mode is off, or this laptop could not join. */
  readonly fleet: FleetStatus | undefined;
  readonly settings: readonly Provenance[];
  readonly home: string;
  readonly claimed: readonly JobRow[];
}

export function pageText(facts: PageFacts, t: Translate): string {
  const { fleet } = facts;
  const sections = [
    [t('Agent Queue: fleet status'), '', ...modeLines(facts, t), `Home         ${facts.home}`],
    section(t('Claimed jobs in this home'), facts.claimed.map(claimedLine)),
    section(t('Why queued jobs are not claimed'), whyLines(fleet, t)),
    section(t('Recent transitions'), (fleet?.transitions ?? []).map(entryLine)),
    section(t('Recent heartbeats'), (fleet?.heartbeats ?? []).map(entryLine)),
    section(
      t('Settings in force'),
      facts.settings.map((each) => settingLine(each, t)),
    ),
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

function modeLines({ mode, problem, lines }: PageFacts, t: Translate): readonly string[] {
  if (mode === 'off') return [t('Fleet mode is off: this laptop runs its own jobs only.')];
  return problem === undefined ? lines : [problem];
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [title, ...lines];
}

function claimedLine({ id, stage, claim, reason }: JobRow): string {
  return `${id}  ${stage}  epoch ${claim?.epoch}${reason === undefined ? '' : `  ${reason.text}`}`;
}

function whyLines(fleet: FleetStatus | undefined, t: Translate): string[] {
  if (fleet === undefined) return [];
  const told = fleet.unclaimed;
  if (told === undefined) return [t('This coordinator does not tell why a job is not claimed.')];
  if (told.length === 0) return [t('No job is queued.')];
  return told.map(({ jobId, why }) => `${jobId}  ${why}`);
}

function entryLine({ at, text, times = 1 }: Entry): string {
  const often = times === 1 ? '' : ` (${times}×)`;
  return `${new Date(at).toLocaleTimeString(undefined, { hourCycle: 'h23' })}  ${text}${often}`;
}

function settingLine({ variable, value, from }: Provenance, t: Translate): string {
  const origin = { setting: t('setting'), environment: t('environment'), default: t('default') }[from];
  return `${variable.padEnd(26)} ${value === '' ? '–' : value}  (${origin})`;
}
