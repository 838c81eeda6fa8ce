/** All facts of a job, as the tooltip of its row. */
import { MINUTE } from '../../platform/clock.ts';
import type { JobRow, JobVerb, QuarantineVerb } from '../../runner/board.ts';
import { allowedVerbs } from '../../runner/job/allowed.ts';
import { shorten } from '../../runner/manifest/text.ts';
import { COMMANDS, type CommandId } from '../contributions.ts';
import { sectionOf, startOf } from '../inbox/sections.ts';
import { age, stopwatch } from './duration.ts';
import { activityName, filesText, sectionName } from './job.ts';
import { commandLink, escapeMarkdown } from './markdown.ts';
import type { Translate } from './translate.ts';
import { usageFacts } from './usage.ts';

const SUMMARY_LENGTH = 600;

/** Results in quarantine are settled elsewhere. */
type InboxVerb = Exclude<JobVerb, QuarantineVerb>;

/** The command of the palette that carries a verb out. */
export const VERB_COMMANDS: Readonly<Record<InboxVerb, CommandId>> = {
  run: COMMANDS.jobRun,
  cancel: COMMANDS.jobCancel,
  retry: COMMANDS.jobRetry,
  sendBack: COMMANDS.jobSendBack,
  approve: COMMANDS.jobApprove,
  reject: COMMANDS.jobReject,
  ship: COMMANDS.jobShip,
};

/** Markdown with command links; whatever comes from the job is escaped. */
export function jobTooltip(job: JobRow, now: number, t: Translate): string {
  const parts = [
    `**${escapeMarkdown(job.title)}**`,
    job.reason && reasonText(job.reason),
    job.waitsFor && escapeMarkdown(job.waitsFor),
    job.summary && `> ${escapeMarkdown(shorten(job.summary, SUMMARY_LENGTH))}`,
    factsTable(facts(job, now, t)),
    links(job, t).join(' · '),
  ];
  return parts.filter((part) => part !== undefined && part !== '').join('\n\n');
}

function reasonText(reason: { readonly text: string; readonly action?: string | undefined }): string {
  return [reason.text, reason.action]
    .filter((part) => part !== undefined)
    .map(escapeMarkdown)
    .join(' ');
}

/** A name, and its value as Markdown. */
type Fact = readonly [name: string, value: string];

function facts(job: JobRow, now: number, t: Translate): Fact[] {
  const section = sectionOf(job);
  const ago = (at: number): string => (now - at < MINUTE ? t('just now') : t('{0} ago', age(now - at, t)));
  const activity = activityName(job.activity, t);
  const stage = sectionName(section, t);
  const all: (Fact | undefined)[] = [
    [t('Stage'), activity === undefined ? stage : `${stage}, ${activity}`],
    section === 'running'
      ? [t('Running for'), stopwatch(now - startOf(job))]
      : [t('Here since'), ago(job.changedAt)],
    job.engine === undefined ? undefined : [t('Engine'), escapeMarkdown(job.engine)],
    [t('Priority'), String(job.priority)],
    [t('Added'), ago(job.addedAt)],
    job.attempt > 1 ? [t('Attempt'), String(job.attempt)] : undefined,
    job.files === undefined ? undefined : [t('Result'), filesText(job.files, t)],
    job.landed === undefined ? undefined : [t('Landed'), landed(job.landed)],
    ...usageFacts(job, t).map(([name, value]) => [name, escapeMarkdown(value)] as const),
    job.folder === undefined ? undefined : [t('Folder'), escapeMarkdown(job.folder)],
    [t('Id'), escapeMarkdown(job.id)],
  ];
  return all.filter((fact) => fact !== undefined);
}

/** Markdown. Only web addresses become links, and nothing in one can end it early. */
function landed({ text, url }: { readonly text: string; readonly url?: string | undefined }): string {
  const words = escapeMarkdown(text);
  if (url === undefined || !/^https?:\/\/[^\s<>()|\\]+$/.test(url)) return words;
  return `[${words}](${url})`;
}

/** A table without a heading, as the editor's own tooltips have. */
function factsTable(rows: readonly Fact[]): string {
  const lines = rows.map(([name, value]) => `| ${escapeMarkdown(name)} | ${value} |`);
  return ['| | |', '| :-- | :-- |', ...lines].join('\n');
}

function isInboxVerb(verb: JobVerb): verb is InboxVerb {
  return verb in VERB_COMMANDS;
}

function links(job: JobRow, t: Translate): string[] {
  const name: Readonly<Record<InboxVerb, string>> = {
    run: t('Run Now'),
    cancel: t('Cancel Job'),
    retry: t('Retry Job'),
    sendBack: t('Send Back…'),
    approve: t('Approve'),
    reject: t('Reject…'),
    ship: t('Ship'),
  };
  const arguments_ = [job.id];
  return [
    ...allowedVerbs(job)
      .filter(isInboxVerb)
      .map((verb) => commandLink(name[verb], VERB_COMMANDS[verb], arguments_)),
    ...((job.files ?? 0) > 0 ? [commandLink(t('Show Changes'), COMMANDS.jobChanges, arguments_)] : []),
    ...(job.log === undefined ? [] : [commandLink(t('Show Log'), COMMANDS.jobLog, arguments_)]),
  ];
}
