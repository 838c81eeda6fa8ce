/** Notices: said only when a person must act now, many as one. */
import type { Board, JobRow } from '../../runner/board.ts';
import { shorten } from '../../runner/manifest/text.ts';
import type { Shown } from '../app.ts';
import { sectionOf, waitsForPerson } from '../inbox/sections.ts';
import type { Translate } from './translate.ts';
import { usageInBrief } from './usage.ts';

const TITLE_LENGTH = 60;

/** Each job that waits for a person, with what it waits for: a job that is sent back and returns to review waits anew. */
export function waitingKeys(board: Board): Map<string, JobRow> {
  const waiting = new Map<string, JobRow>();
  for (const { rows } of board.stages) {
    for (const row of rows) {
      if (waitsForPerson(row)) waiting.set(`${sectionOf(row)} ${row.id} ${row.changedAt}`, row);
    }
  }
  return waiting;
}

/** The jobs that have begun to wait for a person since `before`. */
export function newlyWaiting(
  before: ReadonlyMap<string, JobRow>,
  after: ReadonlyMap<string, JobRow>,
): JobRow[] {
  return [...after].filter(([key]) => !before.has(key)).map(([, row]) => row);
}

/** Which of them no view shows that a person can see now: the Inbox shows all, the Quarantine view what is in quarantine. */
export function notShown(jobs: readonly JobRow[], shown: Shown): JobRow[] {
  if (shown.inbox) return [];
  return jobs.filter((job) => !(shown.quarantine && sectionOf(job) === 'quarantine'));
}

/** The view that shows all of them. */
export function viewFor(jobs: readonly JobRow[]): 'inbox' | 'quarantine' {
  return jobs.every((job) => sectionOf(job) === 'quarantine') ? 'quarantine' : 'inbox';
}

/** One sentence for all of them; the list must not be empty. */
export function noticeText(jobs: readonly JobRow[], t: Translate): string {
  const [first] = jobs;
  if (jobs.length !== 1 || first === undefined)
    return viewFor(jobs) === 'quarantine'
      ? t('{0} results came too late and are in quarantine. Nothing of them was shipped.', jobs.length)
      : t('{0} jobs wait for you.', jobs.length);
  const title = shorten(first.title, TITLE_LENGTH);
  switch (sectionOf(first)) {
    case 'blocked':
      return t('“{0}” is blocked: {1}', title, first.reason?.text ?? t('it needs you to go on.'));
    case 'ready':
      return t('“{0}” has passed and can be shipped.', title);
    case 'quarantine':
      return t('“{0}” is in quarantine: {1}', title, first.reason?.text ?? t('its lease was lost.'));
    case 'review':
    case 'running':
    case 'queued':
    case 'failed':
    case 'dead_letter':
    case 'shipped':
      return readyText(title, usageInBrief(first.usage, t), t);
  }
}

function readyText(title: string, used: string | undefined, t: Translate): string {
  return used === undefined
    ? t('“{0}” is ready for your review.', title)
    : t('“{0}” is ready for your review ({1}).', title, used);
}
