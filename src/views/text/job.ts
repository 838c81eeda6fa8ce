/** Words for a job that more than one place says. */
import type { Activity, JobRow } from '../../runner/board.ts';
import { type Section, sectionOf } from '../inbox/sections.ts';
import type { Translate } from './translate.ts';

export function sectionName(section: Section, t: Translate): string {
  switch (section) {
    case 'running':
      return t('Running');
    case 'ready':
      return t('Ready to Ship');
    case 'review':
      return t('In Review');
    case 'blocked':
      return t('Blocked');
    case 'queued':
      return t('Queued');
    case 'failed':
      return t('Failed');
    case 'dead_letter':
      return t('Given Up');
    case 'quarantine':
      return t('Quarantine');
    case 'shipped':
      return t('Shipped');
  }
}

/** What is done for a running job at this moment; undefined for the engine's own work, which is the usual case. */
export function activityName(activity: Activity | undefined, t: Translate): string | undefined {
  switch (activity) {
    case 'preparing':
      return t('preparing');
    case 'setup':
      return t('setup');
    case 'verify':
      return t('verifying');
    case 'shipping':
      return t('shipping');
    case 'engine':
    case undefined:
      return undefined;
  }
}

export function filesText(count: number, t: Translate): string {
  if (count === 0) return t('no files changed');
  return count === 1 ? t('1 file') : t('{0} files', count);
}

/** What a click on the job opens: what a person most likely wants to see of it as it stands. */
export function opens(job: JobRow): 'file' | 'log' | 'changes' {
  const otherwise = job.log === undefined ? 'file' : 'log';
  switch (sectionOf(job)) {
    case 'queued':
    case 'blocked':
      return 'file';
    case 'review':
    case 'ready':
    case 'quarantine':
      return (job.files ?? 0) > 0 ? 'changes' : otherwise;
    case 'running':
    case 'failed':
    case 'dead_letter':
    case 'shipped':
      return otherwise;
  }
}
