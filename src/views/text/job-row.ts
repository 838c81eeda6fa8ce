/** A job as one row of the Inbox. */
import type { JobRow } from '../../runner/board.ts';
import { allowedVerbs } from '../../runner/job/allowed.ts';
import { shorten } from '../../runner/manifest/text.ts';
import { type Section, sectionOf, startOf } from '../inbox/sections.ts';
import { age, stopwatch } from './duration.ts';
import { activityName, filesText, sectionName } from './job.ts';
import type { Translate } from './translate.ts';
import { costInBrief, span } from './usage.ts';

export interface RowText {
  readonly label: string;
  readonly description: string;
  /** A product icon and a theme colour. */
  readonly icon: string;
  readonly color?: string;
  /** Tokens for `when` clauses, e.g. `job review can:approve has:log`. */
  readonly context: string;
  /** What a screen reader says. Without seconds: it would be read again each second. */
  readonly spoken: string;
}

const ICONS: Readonly<Record<Section, readonly [icon: string, color?: string]>> = {
  running: ['play-circle', 'charts.blue'],
  ready: ['rocket', 'charts.green'],
  review: ['git-pull-request', 'charts.yellow'],
  blocked: ['warning', 'list.warningForeground'],
  queued: ['circle-outline'],
  failed: ['error', 'list.errorForeground'],
  dead_letter: ['circle-slash', 'list.errorForeground'],
  quarantine: ['shield', 'list.warningForeground'],
  shipped: ['pass', 'charts.green'],
};

/** A reason is a sentence; a row has room for its beginning. */
const DETAIL_LENGTH = 80;

export function jobRow(job: JobRow, now: number, t: Translate): RowText {
  const section = sectionOf(job);
  const [icon, color] = ICONS[section];
  const running = section === 'running';
  const since = running ? startOf(job) : section === 'queued' ? job.addedAt : job.changedAt;
  const facts = [job.engine, detail(job, section, t)].filter((fact) => fact !== undefined);
  const roughly = age(now - since, t);
  return {
    label: job.title,
    description: [running ? stopwatch(now - since) : roughly, ...facts].join(' · '),
    icon: section === 'queued' && job.waitsFor !== undefined ? 'watch' : icon,
    ...(color !== undefined && { color }),
    context: contextOf(job),
    spoken: [job.title, sectionName(section, t), roughly, ...facts].join(', '),
  };
}

/** Beside age and engine, the one fact that matters most where the job stands. */
function detail(job: JobRow, section: Section, t: Translate): string | undefined {
  switch (section) {
    case 'running':
      return activityName(job.activity, t);
    case 'queued':
      return job.waitsFor;
    case 'review':
    case 'ready':
      return job.reason === undefined
        ? job.files === undefined
          ? undefined
          : result(job.files, job.usage, t)
        : shorten(job.reason.text, DETAIL_LENGTH);
    case 'blocked':
    case 'failed':
    case 'dead_letter':
    case 'quarantine':
      return job.reason === undefined ? undefined : shorten(job.reason.text, DETAIL_LENGTH);
    case 'shipped':
      return joined(job.landed?.text, costInBrief(job.usage));
  }
}

/** `3 files in 12 min · $0.42`, as far as it is known. */
function result(files: number, usage: JobRow['usage'], t: Translate): string {
  const time = usage?.durationMs === undefined ? undefined : span(usage.durationMs, t);
  const what = time === undefined ? filesText(files, t) : t('{0} in {1}', filesText(files, t), time);
  return joined(what, costInBrief(usage)) ?? what;
}

function joined(...facts: readonly (string | undefined)[]): string | undefined {
  const known = facts.filter((fact) => fact !== undefined);
  return known.length === 0 ? undefined : known.join(' · ');
}

function contextOf(job: JobRow): string {
  const verbs = allowedVerbs(job).map((verb) => `can:${verb}`);
  const log = job.log === undefined ? [] : ['has:log'];
  const changes = (job.files ?? 0) > 0 ? ['has:changes'] : [];
  return ['job', job.stage, ...verbs, ...log, ...changes].join(' ');
}
