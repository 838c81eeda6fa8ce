/** What a person is told when a request has been carried out, or has not: in words, with what to do next. */
import type { CommandAnswer, JobCommand } from './board.ts';
import { verbsAllowedIn } from './job/allowed.ts';
import type { JobState } from './job/state.ts';
import { ACTIVE_STAGES, type Stage } from './stages.ts';

/** Each verb, as what is or is not possible: `cancelling is not possible there`. */
export const VERB: Record<JobCommand['verb'], string> = {
  run: 'running it now',
  cancel: 'cancelling',
  retry: 'retrying',
  sendBack: 'sending it back',
  approve: 'approving',
  reject: 'rejecting',
  ship: 'shipping',
  adopt: 'adopting',
  requeue: 'requeueing',
  discard: 'discarding',
  restore: 'restoring',
};

/** Where a job is: `X is …`. */
export function inWords(stage: Stage): string {
  return stage === 'dead_letter'
    ? 'in the dead letters'
    : stage === 'review' || stage === 'testing'
      ? `in ${stage}`
      : stage;
}

/** What can be done with a job that is there. */
export function nextFor(stage: Stage): string {
  const verbs = verbsAllowedIn(stage);
  return verbs.length === 0 ? 'There is nothing left to do for it.' : `Possible now: ${verbs.join(', ')}.`;
}

/** What has become of a job that was to be verified or shipped. */
export function answerOf(state: JobState): CommandAnswer {
  if (state.stage === 'shipped') return done(`${state.id} has shipped: ${state.landed?.text ?? 'done'}.`);
  if (state.stage === 'testing' && state.candidate !== undefined && state.reason === undefined) {
    return done(`${state.id} has passed and is ready to ship.`);
  }
  const { reason } = state;
  return refusal(
    reason?.code ?? 'not-shipped',
    reason?.text ?? `${state.id} is in ${state.stage}.`,
    reason?.action,
  );
}

/** The answer when the runner has stopped before the job came to its end; undefined when it had come to it. */
export function leftAt(state: JobState, verb: 'approve' | 'ship'): CommandAnswer | undefined {
  const { id, stage, reason, landing, candidate } = state;
  if (stage !== 'testing' || reason !== undefined) return undefined;
  if (landing !== undefined)
    return stops(`The runner stopped while ${id} was on its way out; the next one goes on with it.`);
  if (candidate === undefined)
    return stops(
      `The runner stopped before ${id} was verified. It stays approved, and the next one goes on with it.`,
    );
  if (verb === 'approve') return undefined;
  return refusal(
    'runner-stops',
    `The runner stopped before ${id} shipped. Nothing was changed.`,
    'Ship it again.',
  );
}

/** The same for one that was to be cancelled. */
export function notCancelled({ id, stage }: JobState): CommandAnswer | undefined {
  if (!(ACTIVE_STAGES as readonly Stage[]).includes(stage)) return undefined;
  return refusal(
    'runner-stops',
    `The runner stopped before ${id} had been cancelled; it is ${inWords(stage)}. Nothing is lost.`,
    'Cancel it again.',
  );
}

function stops(message: string): CommandAnswer {
  return refusal('runner-stops', message, 'Start the runner.');
}

export function done(message: string): CommandAnswer {
  return { ok: true, message };
}

export function refusal(code: string, message: string, action?: string): CommandAnswer {
  return { ok: false, code, message, ...(action !== undefined && { action }) };
}
