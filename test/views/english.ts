import { HOUR } from '../../src/platform/clock.ts';
import type { Board, JobRow, RunnerPlace, Today } from '../../src/runner/board.ts';
import { STAGES } from '../../src/runner/stages.ts';
import type { Translate } from '../../src/views/text/translate.ts';

/** The messages as they stand in the sources, with their arguments: what vscode.l10n.t does without a translation. */
export const t: Translate = (message, ...args) =>
  message.replace(/\{(\d+)\}/g, (whole, index: string) => String(args[Number(index)] ?? whole));

export const NOW = Date.UTC(2026, 10, 22, 12);

/** A queued job, but for what is given. */
export function job(given: Partial<JobRow> = {}): JobRow {
  const id = given.id ?? 'faster-imports';
  return {
    id,
    stage: 'queued',
    title: 'Faster imports',
    file: `/home/inbox/${id}.md`,
    priority: 5,
    addedAt: NOW,
    changedAt: NOW,
    attempt: 1,
    ...given,
  };
}

const NOTHING_USED: Today = { day: '2026-11-22', timeZone: 'UTC', endsAt: NOW + 12 * HOUR, ceilings: {} };

/** A board that holds these jobs; `counts` says where there are more than that. */
export function board(
  jobs: readonly JobRow[],
  counts: Partial<Record<string, number>> = {},
  runner: RunnerPlace = { kind: 'here' },
  today: Today = NOTHING_USED,
): Board {
  const stages = STAGES.map((stage) => {
    const rows = jobs.filter((each) => each.stage === stage);
    return { stage, rows, count: counts[stage] ?? rows.length };
  });
  return { stages, runner, today };
}
