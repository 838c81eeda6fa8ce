/** What a person can ask for a result in quarantine, carried out: each verb with its refusals in words. */
import { UserError } from '../../platform/errors.ts';
import type { CommandAnswer, JobCommand, QuarantineVerb } from '../board.ts';
import { jobIdFor } from '../manifest/id.ts';
import type { Runner } from '../runner.ts';
import { inTurn } from '../turns.ts';
import { adoptable } from './adopt.ts';
import { entryOf, type QuarantineEntry } from './entries.ts';
import { asFleetJob } from './fleet-job.ts';
import { reopen, settle } from './marks.ts';
import { finish, forget, type Intent, intentOf, isUnanswered, make } from './new-job.ts';

/** Two requests for one result come one after the other. */
export function settleAs(
  runner: Runner,
  id: string,
  command: JobCommand & { readonly verb: QuarantineVerb },
): Promise<CommandAnswer> {
  return inTurn(runner.options.store.layout.run(id), () => carryOut(runner, id, command));
}

async function carryOut(
  runner: Runner,
  id: string,
  command: JobCommand & { readonly verb: QuarantineVerb },
): Promise<CommandAnswer> {
  const { store, workshop, clock, changed } = runner.options;
  const pending = await intentOf(runner, id);
  if (pending !== undefined) {
    const isMade = (await store.locate(pending.job)) !== undefined;
    if (!isMade && !(isUnanswered(pending) && command.verb === 'adopt')) await forget(runner, id);
    else if (isMade) {
      await finish(runner, pending);
      if (command.verb === (pending.as === 'adopted' ? 'adopt' : 'requeue')) return made(pending);
    }
  }
  const entry = await entryOf(store, workshop, id);
  if (entry === undefined) throw gone(id);
  if (command.verb === 'restore') {
    if (!(await reopen(store.layout, id)))
      return refusal('open', `${id} has not been settled, so there is nothing to restore.`);
    changed();
    const job = entry.settled?.job;
    return done(
      `${id} is open in quarantine again.${job === undefined ? '' : ` The job ${job} stays as it is.`}`,
    );
  }
  if (entry.settled !== undefined)
    return refusal('settled', `${settledText(entry)} Nothing was changed.`, RESTORE);
  switch (command.verb) {
    case 'discard': {
      const text = command.text?.trim();
      await settle(store.layout, id, { as: 'discarded', at: clock.now(), ...(text && { text }) });
      changed();
      return done(`${id} is discarded; ${keptText(workshop.settings.quarantineDays)}`);
    }
    case 'adopt':
      return adopt(runner, entry, command.files, pending);
    case 'requeue':
      return newJob(runner, entry, 'requeued', {});
  }
}

async function adopt(
  runner: Runner,
  entry: QuarantineEntry,
  files: readonly string[] | undefined,
  pending: Intent | undefined,
): Promise<CommandAnswer> {
  if (files?.length === 0)
    return refusal(
      'no-files',
      'No file was chosen. Nothing was adopted.',
      'Choose some, or adopt the whole result.',
    );
  const work = await adoptable(runner, entry, files);
  const asked = await asFleetJob(runner, entry, work, pending);
  if ('job' in asked) {
    await make(runner, asked);
    return made(asked);
  }
  if (asked.kind === 'unknown')
    return refusal(
      'unknown',
      `It is not known whether the coordinator has made a job of ${entry.id}, because ${asked.why}. Nothing was adopted here.`,
      'Adopt it again once the coordinator can be reached; nothing is made twice.',
    );
  const answer = await newJob(runner, entry, 'adopted', work);
  return asked.why === undefined
    ? answer
    : { ...answer, message: `${answer.message} It is a job of this laptop alone, because ${asked.why}.` };
}

async function newJob(
  runner: Runner,
  entry: QuarantineEntry,
  as: Intent['as'],
  work: Pick<Intent, 'commit' | 'onto'>,
): Promise<CommandAnswer> {
  const { store, clock } = runner.options;
  const job = await store.reserve(jobIdFor(entry.jobId ?? entry.id));
  const intent: Intent = { id: entry.id, as, job, at: clock.now(), ...work };
  await make(runner, intent);
  return made(intent);
}

function made({ id, as, job, fleet }: Intent): CommandAnswer {
  const { jobId, epoch } = fleet?.claim ?? {};
  const there = jobId === undefined ? '' : `; in the fleet it is ${jobId}, under epoch ${epoch}`;
  return done(
    as === 'adopted'
      ? `${id} is adopted: its work is now the job ${job}, in review${there}.`
      : `${id} is requeued as the job ${job}.`,
  );
}

const RESTORE = 'Restore it first, if it is wanted after all.';

/** What has become of a result that is no longer open. */
export function settledText({ id, settled }: Pick<QuarantineEntry, 'id' | 'settled'>): string {
  const { as, job, text } = settled ?? {};
  const what = as === 'discarded' ? 'discarded' : `${as} as ${job}`;
  return `${id} has been ${what}${text === undefined ? '' : `: ${text}`}${text?.endsWith('.') === true ? '' : '.'}`;
}

function keptText(days: number): string {
  if (days === 0) return 'it is kept, and can be restored.';
  return `it is kept for ${days === 1 ? 'one day' : `${days} days`}, and can be restored until then.`;
}

function gone(id: string): UserError {
  return new UserError(
    'no-such-job',
    `There is no ${id} in quarantine any more. Nothing was done.`,
    'See `aq quarantine list`.',
  );
}

function done(message: string): CommandAnswer {
  return { ok: true, message };
}

function refusal(code: string, message: string, action?: string): CommandAnswer {
  return { ok: false, code, message, ...(action !== undefined && { action }) };
}
