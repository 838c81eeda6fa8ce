/**
 * What becomes of a job: pure functions from a state (and what has happened) to the next state. The stages that
 * may follow each other are in stages.ts; carrying a move out (write, rename) is the store's part.
 */
import type { FailureCode } from '../engines/descriptor.ts';
import type { Revocation } from '../hooks.ts';
import type { Stage } from '../stages.ts';
import { type Later, limitEnd, retryDelay, timeText } from './schedule.ts';
import type { JobState, Reason } from './state.ts';

/** How often in a row a run that was cut off is taken up again by itself. */
export const MAX_INTERRUPTIONS = 3;

/** How often in a row a job waits by itself for a limit to be lifted. */
export const MAX_LIMITS = 24;

/** Failures that only a person can mend: trying again as it is would fail again. */
const NEEDS_A_PERSON: ReadonlySet<FailureCode> = new Set(['login', 'root', 'input', 'spawn']);
/** Failures that another try of itself cannot turn into a success, because nothing has gone wrong by chance. */
const NOT_BY_CHANCE: ReadonlySet<FailureCode> = new Set(['cancelled', 'limit']);

export interface Failure {
  readonly code: FailureCode;
  readonly text: string;
  readonly action?: string;
  /** Of a rate limit: when it is lifted (wall clock, ms), where the engine has told. */
  readonly until?: number;
}

/** The state of a job that has just come into the inbox. */
export function newState(job: {
  id: string;
  title: string;
  engine?: string | undefined;
  priority: number;
  tracker?: string | undefined;
  addedAt: number;
}): JobState {
  return {
    version: 1,
    id: job.id,
    stage: 'queued',
    title: job.title,
    ...(job.engine !== undefined && { engine: job.engine }),
    ...(job.tracker !== undefined && { tracker: job.tracker }),
    priority: job.priority,
    addedAt: job.addedAt,
    changedAt: job.addedAt,
    attempt: 0,
    run: 0,
    interruptions: 0,
  };
}

/** A new attempt begins. What an earlier one left and this one goes on with (place, session) stays. */
export function assign(state: JobState, now: number): JobState {
  const { reason: _reason, notBefore: _due, urgent: _urgent, command: _command, ...rest } = state;
  return {
    ...withoutShipping(rest),
    stage: 'assigned',
    attempt: state.attempt + 1,
    run: state.run + 1,
    startedAt: now,
    changedAt: now,
  };
}

/** To another stage, with or without a reason; the old reason goes. */
export function move(state: JobState, to: Stage, now: number, reason?: Omit<Reason, 'at'>): JobState {
  const { reason: _reason, ...rest } = state;
  return { ...rest, stage: to, changedAt: now, ...(reason && { reason: { ...reason, at: now } }) };
}

/**
 * After a failed run: another try by itself (`retries`), a person (blocked), or the end of it (failed, dead
 * letter). Another try of an engine that cannot resume its session starts from the base: on top of half of the
 * work it would do that half twice.
 */
export function afterFailure(
  before: JobState,
  failure: Failure,
  { retries, resumable }: { readonly retries: number; readonly resumable: boolean },
  now: number,
): JobState {
  const { limits = 0, ...state } = before;
  const reason = {
    code: failure.code,
    text: failure.text,
    ...(failure.action !== undefined && { action: failure.action }),
  };
  if (failure.code === 'no-session') return withoutSession(before, failure, now);
  // Only the coordinator retries claimed jobs (fleet-protocol.md, rule 13).
  if (state.claim !== undefined) return move(state, 'failed', now, reason);
  if (failure.code === 'rate-limit' && limits < MAX_LIMITS) {
    return afterLimit({ ...state, limits: limits + 1 }, failure, resumable, now);
  }
  if (NEEDS_A_PERSON.has(failure.code)) return move(state, 'blocked', now, reason);
  if (retries === 0 || NOT_BY_CHANCE.has(failure.code)) return move(state, 'failed', now, reason);
  if (state.attempt > retries) {
    const text = `${failure.text} That was attempt ${state.attempt} of ${retries + 1}; no more are made by themselves.`;
    return move(state, 'dead_letter', now, { ...reason, text });
  }
  const again = { ...move(state, 'queued', now, reason), notBefore: now + retryDelay(state.attempt) };
  return resumable ? again : { ...again, startsAnew: true };
}

/** It waits until the limit is lifted, and is then run again by itself: no attempt of its own has failed. */
function afterLimit(
  state: JobState & { readonly limits: number },
  failure: Failure,
  resumable: boolean,
  now: number,
): JobState {
  const notBefore = limitEnd(state.limits, failure.until, now);
  const reason = {
    code: failure.code,
    text: `${endingSentence(failure.text)} It is run again by itself on ${timeText(notBefore)}; its work so far is kept.`,
    action: 'Nothing needs to be done. To try before, run the job now.',
  };
  const next = { ...move(state, 'queued', now, reason), attempt: state.attempt - 1, notBefore };
  return resumable ? next : { ...next, startsAnew: true };
}

/**
 * The session that it was to go on with is gone: another run begins one, at once and without an attempt being used up.
 * It begins on top of the work so far where a person has looked at that and commented on it, else from the base.
 */
function withoutSession({ session: _gone, ...state }: JobState, failure: Failure, now: number): JobState {
  const again = move(state, queueOf(state), now, {
    code: failure.code,
    text: `${endingSentence(failure.text)} It begins a new session; what was done so far is kept.`,
  });
  const isCommented = state.comments?.some(({ done }) => !done) === true;
  const next = isCommented ? again : { ...again, startsAnew: true };
  return state.claim === undefined
    ? { ...next, attempt: state.attempt - 1, urgent: true }
    : { ...next, run: state.run + 1 };
}

/** Until when a queued job is not run by itself, if it waits for a time. */
export function laterOf({ notBefore, limits }: JobState): Later | undefined {
  return notBefore === undefined
    ? undefined
    : { at: notBefore, why: limits === undefined ? 'retry' : 'limit' };
}

/** What an engine said last may lack its full stop. */
function endingSentence(text: string): string {
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}

/**
 * After a run that was cut off (power cut, killed supervisor). An engine that can resume its session goes on in
 * the same place; for one that can't, doing it all again could do half of it twice, so a person decides.
 */
export function afterInterruption(state: JobState, resumable: boolean, now: number): JobState {
  if (resumable && state.interruptions < MAX_INTERRUPTIONS) {
    const again = move(state, queueOf(state), now, {
      code: 'interrupted',
      text: 'The run was cut off (the machine or its supervisor stopped). Its work is kept; the session goes on.',
    });
    const counted = { ...again, interruptions: state.interruptions + 1 };
    return state.claim === undefined
      ? { ...counted, attempt: state.attempt - 1, urgent: true }
      : { ...counted, run: state.run + 1 };
  }
  return move(state, 'failed', now, {
    code: 'interrupted',
    text: 'The run was cut off before the engine had finished (the machine or its supervisor stopped). What it had done is kept.',
    action: 'Look at the log and the changes, then retry the job.',
  });
}

/** Where a job cannot be sent back from. */
const ENDS: ReadonlySet<Stage> = new Set(['failed', 'blocked', 'dead_letter']);

/**
 * A claimed job that the coordinator has accepted as shipped, and that has come to its end here without having landed:
 * nobody else will do it, so it waits in review for a person (fleet-protocol.md, rule 10). Any other is as it was.
 */
export function withAPerson(state: JobState): JobState {
  const { claim, reason, stage } = state;
  if (claim?.mayLand !== true || !ENDS.has(stage)) return state;
  const action =
    'The coordinator has it as shipped. Look at the log and the changes, then send it back, approve it, or reject it.';
  return { ...state, stage: 'review', ...(reason && { reason: { ...reason, action } }) };
}

/** A person sends it on its way again: attempts are counted anew. */
export function retried(state: JobState, now: number, resumable: boolean): JobState {
  const { limits: _limits, notBefore: _due, ...rest } = move(state, 'queued', now);
  const next = { ...rest, attempt: 0, interruptions: 0 };
  return withoutShipping(resumable ? next : afresh(next));
}

/** A person approves it: a new round of verification. */
export function approved(state: JobState, now: number): JobState {
  const { command: _command, ...rest } = withoutShipping(move(state, 'testing', now));
  return { ...rest, approvedAt: now };
}

/** It was taken away: a stale result waits for a person in quarantine; one that was given back has failed here. */
export function revoked(state: JobState, why: Revocation | undefined, now: number): JobState {
  const to = why?.code === 'released' ? 'failed' : 'quarantine';
  const next = move(unverified(state), to, now, {
    code: why?.code ?? 'fenced',
    text: why?.text ?? 'The job was taken away; nothing of it has left this machine, and its work is kept.',
  });
  return why?.facts === undefined ? next : { ...next, stale: why.facts };
}

/** What was verified is no longer what would be shipped. */
export function unverified(state: JobState): JobState {
  const { verifying: _verifying, candidate: _candidate, landing: _landing, ...rest } = state;
  return rest;
}

/** A person sends it back with a comment: the engine goes on where it was, and before other jobs. */
export function sentBack(state: JobState, comment: string, now: number): JobState {
  const comments = [...(state.comments ?? []), { text: comment, at: now, done: false }];
  if (state.claim !== undefined) {
    return { ...assign({ ...state, comments, attempt: 0, interruptions: 0 }, now), claim: state.claim };
  }
  const next = { ...move(state, 'queued', now), attempt: 0, interruptions: 0, urgent: true, comments };
  return withoutShipping(next);
}

/** Where a job waits for its next run: a claimed one never lies in the inbox, where anybody could take it. */
export function queueOf(state: JobState): Stage {
  return state.claim === undefined ? 'queued' : 'assigned';
}

/** Without the place and session of earlier attempts: the next one starts from the base. Their work stays on its ref. */
export function afresh(state: JobState): JobState {
  const { place: _place, session: _session, result: _result, startsAnew: _anew, ...rest } = state;
  return rest;
}

function withoutShipping<T extends JobState | Omit<JobState, 'reason'>>(state: T): T {
  const {
    approvedAt: _approved,
    verifying: _verifying,
    candidate: _candidate,
    landing: _landing,
    ...rest
  } = state;
  return rest as T;
}
