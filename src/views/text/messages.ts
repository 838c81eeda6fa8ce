/** Sentences that commands answer with: what happened, what is safe, and one next action. */
import { UserError } from '../../platform/errors.ts';
import type { CommandAnswer, JobRow, JobVerb } from '../../runner/board.ts';
import { shorten } from '../../runner/manifest/text.ts';
import { sectionOf } from '../inbox/sections.ts';
import { sectionName } from './job.ts';
import type { Translate } from './translate.ts';

const TITLE_LENGTH = 60;

/** A job's title as it stands in sentences. */
export function quoted(job: Pick<JobRow, 'title'>): string {
  return `“${shorten(job.title, TITLE_LENGTH)}”`;
}

/** Sentence and next action as one text. */
export function sentence(answer: { readonly message: string; readonly action?: string | undefined }): string {
  return answer.action === undefined || answer.action === ''
    ? answer.message
    : `${answer.message} ${answer.action}`;
}

/** The answers of several requests as one text: each different one once. */
export function sentences(answers: readonly CommandAnswer[]): string {
  return [...new Set(answers.map(sentence))].join(' ');
}

export function noSuchJob(id: string, t: Translate): UserError {
  return new UserError(
    'no-such-job',
    t('There is no job “{0}” any more. Nothing was done.', id),
    t('Choose another job in the Inbox.'),
  );
}

/** Why a verb is not for this job as it stands, and what is. */
export function notAllowed(verb: JobVerb, job: JobRow, allowed: readonly JobVerb[], t: Translate): UserError {
  const stage = sectionName(sectionOf(job), t);
  const message = refusal(verb, quoted(job), stage, t);
  const action =
    allowed.length === 0
      ? t('There is nothing to decide for it.')
      : t('It can be: {0}.', allowed.map((other) => participle(other, t)).join(', '));
  return new UserError('not-allowed', message, action);
}

/** What can be done to a job, as the end of `it can be …`. */
function participle(verb: JobVerb, t: Translate): string {
  switch (verb) {
    case 'run':
      return t('run now');
    case 'cancel':
      return t('cancelled');
    case 'retry':
      return t('retried');
    case 'sendBack':
      return t('sent back');
    case 'approve':
      return t('approved');
    case 'reject':
      return t('rejected');
    case 'ship':
      return t('shipped');
    case 'adopt':
      return t('adopted');
    case 'requeue':
      return t('requeued');
    case 'discard':
      return t('discarded');
    case 'restore':
      return t('restored');
  }
}

function refusal(verb: JobVerb, title: string, stage: string, t: Translate): string {
  switch (verb) {
    case 'run':
      return t('{0} cannot be run now: it is in “{1}”, not in the queue. Nothing was changed.', title, stage);
    case 'cancel':
      return t('{0} cannot be cancelled: it is in “{1}”. Nothing was changed.', title, stage);
    case 'retry':
      return t('{0} cannot be retried: it is in “{1}”. Nothing was changed.', title, stage);
    case 'sendBack':
      return t('{0} cannot be sent back: it is in “{1}”. Nothing was changed.', title, stage);
    case 'approve':
      return t('{0} cannot be approved: it is in “{1}”, not in review. Nothing was changed.', title, stage);
    case 'reject':
      return t('{0} cannot be rejected: it is in “{1}”. Nothing was changed.', title, stage);
    case 'ship':
      return t(
        '{0} cannot be shipped: it is in “{1}” and has not passed yet. Nothing was changed.',
        title,
        stage,
      );
    case 'adopt':
      return t(
        '{0} cannot be adopted: it is in “{1}”, not open in quarantine. Nothing was changed.',
        title,
        stage,
      );
    case 'requeue':
      return t(
        '{0} cannot be requeued: it is in “{1}”, not open in quarantine. Nothing was changed.',
        title,
        stage,
      );
    case 'discard':
      return t(
        '{0} cannot be discarded: it is in “{1}”, not open in quarantine. Nothing was changed.',
        title,
        stage,
      );
    case 'restore':
      return t('{0} cannot be restored: it has not been settled. Nothing was changed.', title);
  }
}

/** What a list of jobs to choose from asks, and what is said when no job fits. */
export function pickText(
  verb: JobVerb | 'log' | 'changes',
  t: Translate,
): { readonly ask: string; readonly none: string } {
  switch (verb) {
    case 'run':
      return { ask: t('Run which job now?'), none: t('No job is queued, so there is none to run.') };
    case 'cancel':
      return {
        ask: t('Cancel which job?'),
        none: t('No job is queued or running, so there is none to cancel.'),
      };
    case 'retry':
      return {
        ask: t('Retry which job?'),
        none: t('No job has failed or is blocked, so there is none to retry.'),
      };
    case 'sendBack':
      return {
        ask: t('Send which job back?'),
        none: t('No job is in review, so there is none to send back.'),
      };
    case 'approve':
      return { ask: t('Approve which job?'), none: t('No job is in review, so there is none to approve.') };
    case 'reject':
      return { ask: t('Reject which job?'), none: t('No job is in review, so there is none to reject.') };
    case 'ship':
      return {
        ask: t('Ship which job?'),
        none: t('No job has been approved and has passed, so there is none to ship.'),
      };
    case 'adopt':
      return {
        ask: t('Adopt which result?'),
        none: t('No job is in quarantine, so there is none to adopt.'),
      };
    case 'requeue':
      return {
        ask: t('Requeue which result?'),
        none: t('No job is in quarantine, so there is none to requeue.'),
      };
    case 'discard':
      return {
        ask: t('Discard which result?'),
        none: t('No job is in quarantine, so there is none to discard.'),
      };
    case 'restore':
      return {
        ask: t('Restore which result?'),
        none: t('No job in quarantine has been settled, so there is none to restore.'),
      };
    case 'log':
      return { ask: t('Show the log of which job?'), none: t('No job has a log yet: none has been run.') };
    case 'changes':
      return { ask: t('Show the changes of which job?'), none: t('No job has changed anything yet.') };
  }
}
