/** What a person can ask of a runner, carried out: each verb with its refusals in words. */
import { messageOf, UserError } from '../platform/errors.ts';
import { answerOf, done, inWords, leftAt, nextFor, notCancelled, refusal, VERB } from './answers.ts';
import type { Command, CommandAnswer, FleetCommand, JobCommand } from './board.ts';
import { jobOverText } from './budget.ts';
import { transitionOf } from './claimed/told.ts';
import { verbsAllowedIn } from './job/allowed.ts';
import { approved, move, retried, sentBack } from './job/moves.ts';
import type { JobState } from './job/state.ts';
import { settleAs } from './quarantine/settle.ts';
import { adopt } from './queue.ts';
import type { Runner } from './runner.ts';
import { ACTIVE_STAGES, type Stage } from './stages.ts';
import { changedSince, isResumable, setAside } from './steps/kept-work.ts';
import { inTurn } from './turns.ts';
import { Stopped } from './work.ts';

/** Carries a request out and answers when what was asked for has come to its end: an approved job's `verify`, a cancelled one's processes. Never rejects. */
export async function carryOut(runner: Runner, command: Command): Promise<CommandAnswer> {
  try {
    return 'fleet' in command ? await askFleet(runner, command) : await dispatch(runner, command);
  } catch (error) {
    if (error instanceof UserError) return refusal(error.code, error.message, error.action);
    runner.options.log.error(error instanceof Error ? error : messageOf(error));
    return refusal(
      'internal',
      `That failed: ${messageOf(error)}. The job is where it was.`,
      'Look at the log, then try again.',
    );
  }
}

async function askFleet(runner: Runner, command: FleetCommand): Promise<CommandAnswer> {
  // Who only carries out requests takes no job into its hands.
  if (command.fleet === 'claim' && !runner.options.takesJobs)
    return refusal('no-runner', 'No runner is on, so nothing is claimed.', 'Start the runner first.');
  return runner.options.hooks.carryOut(command);
}

async function dispatch(runner: Runner, command: JobCommand): Promise<CommandAnswer> {
  const found = await find(runner, command);
  await runner.atRest(found.id);
  switch (command.verb) {
    case 'run':
      return runNow(runner, found);
    case 'cancel':
      return cancel(runner, found);
    case 'retry':
      return retry(runner, found);
    case 'approve':
      return approve(runner, found);
    case 'sendBack':
      return sendBack(runner, found, command.text ?? '');
    case 'reject':
      return reject(runner, found, command.text ?? '');
    case 'ship':
      return ship(runner, found);
    case 'adopt':
    case 'requeue':
    case 'discard':
    case 'restore':
      return settleAs(runner, found.id, { ...command, verb: command.verb });
  }
}

interface Found {
  /** The id, or the file name of a queued job that has none yet. */
  readonly id: string;
  readonly stage: Stage;
}

/** The job that is meant. Of two with one name (one of them just dropped into the inbox) the one for which the verb makes sense. */
async function find(runner: Runner, { id, verb }: JobCommand): Promise<Found> {
  const { store, inbox } = runner.options;
  inbox.heard(`${id}.md`);
  await inbox.refresh();
  const stages =
    inbox.get(id) === undefined ? await store.stagesOf(id.toLowerCase()) : await bothStages(runner, id);
  const stage = stages.find((each) => verbsAllowedIn(each).includes(verb)) ?? stages[0];
  if (stage === undefined) {
    throw new UserError(
      'no-such-job',
      `There is no job ${id} in ${store.layout.root}.`,
      'See `aq status` for the jobs there are.',
    );
  }
  if (!verbsAllowedIn(stage).includes(verb)) {
    throw new UserError(
      'not-now',
      `${id} is ${inWords(stage)}; ${VERB[verb]} is not possible there. Nothing was changed.`,
      nextFor(stage),
    );
  }
  return { id: stage === 'queued' ? id : id.toLowerCase(), stage };
}

async function bothStages(runner: Runner, id: string): Promise<Stage[]> {
  const stages = await runner.options.store.stagesOf(id.toLowerCase());
  return stages.includes('queued') ? stages : ['queued', ...stages];
}

async function runNow(runner: Runner, { id }: Found): Promise<CommandAnswer> {
  const wait = await runner.takeNow(id);
  return wait === undefined
    ? done(`${id} runs now.`)
    : refusal('waits', `${id} ${wait}. It stays in the inbox.`);
}

async function cancel(runner: Runner, { id, stage }: Found): Promise<CommandAnswer> {
  if (stage === 'queued') {
    const entry = runner.options.inbox.get(id);
    const state = entry && (await adopt(runner.options.store, entry, runner.options.clock.now()));
    if (state === undefined) return refusal('gone', `${id} is no longer in the inbox. Nothing was changed.`);
    await change(runner, move(state, 'failed', runner.options.clock.now(), CANCELLED_QUEUED), 'queued');
    runner.options.inbox.heard(`${id}.md`);
    runner.options.inbox.heard(`${state.id}.md`);
    await runner.options.inbox.refresh();
    return done(`${state.id} was cancelled before it ran; its file is kept under failed.`);
  }
  await alone(runner, { id, stage }, (state) => {
    mustNotBeAsked(state);
    return runner.takeUp(id, stage);
  });
  if (runner.active(id) === undefined) {
    return refusal(
      'not-running',
      `Nothing runs for ${id}; it waits for you.`,
      'Reject it, send it back, or ship it.',
    );
  }
  await runner.end(id, new Stopped('cancel'));
  const state = await stateOf(runner, id);
  if (state.reason?.code === 'cancelled') {
    return done(`${id} was cancelled; nothing of it is left running, and its work is kept.`);
  }
  return (
    (runner.stopped.aborted ? notCancelled(state) : undefined) ??
    refusal(
      'too-late',
      `${id} had come to its end before it could be cancelled; it is ${inWords(state.stage)}.`,
    )
  );
}

async function retry(runner: Runner, found: Found): Promise<CommandAnswer> {
  const { id, stage } = found;
  const { clock, workshop } = runner.options;
  return alone(runner, found, async (state) => {
    if (state.claim !== undefined) {
      return refusal(
        'claimed',
        `${id} was claimed from the fleet, and only the coordinator gives it out again. Nothing was changed.`,
        'Requeue it at the coordinator.',
      );
    }
    const resumable = await isResumable(workshop, state);
    if (!resumable) await setAside(workshop, state);
    await change(runner, retried(state, clock.now(), resumable), stage);
    runner.options.inbox.heard(`${id}.md`);
    runner.wake();
    const queued = resumable
      ? `${id} is queued again; the engine goes on with its session.`
      : `${id} is queued again.`;
    return done(withCeiling(runner, state, queued));
  });
}

async function approve(runner: Runner, found: Found): Promise<CommandAnswer> {
  const { id, stage } = found;
  const refused = await alone(runner, found, async (state) => {
    const changed = await changedSince(runner.options.workshop, state);
    if (changed !== undefined) {
      await runner.options.store.keep({ ...state, result: changed });
      runner.options.changed();
      return refusal(
        'changed',
        `The work of ${id} has changed since it came into review. Nothing was approved.`,
        'Look at the changes again, then approve the job.',
      );
    }
    await change(runner, approved(state, runner.options.clock.now()), stage);
    await runner.takeUp(id, 'testing', {});
    return undefined;
  });
  if (refused !== undefined) return refused;
  await runner.settled(id);
  const state = await stateOf(runner, id);
  return (runner.stopped.aborted ? leftAt(state, 'approve') : undefined) ?? answerOf(state);
}

async function ship(runner: Runner, found: Found): Promise<CommandAnswer> {
  const { id } = found;
  const refused = await alone(runner, found, async (state) => {
    if (state.candidate === undefined && runner.has(id)) {
      return refusal(
        'verifying',
        `${id} is still being verified. Nothing was changed.`,
        'Wait until it has passed, then ship it.',
      );
    }
    // It has passed in this moment, or is on its way out already.
    await runner.settled(id);
    if ((await stateOf(runner, id)).stage === 'testing') await runner.takeUp(id, 'testing', { ship: true });
    return undefined;
  });
  if (refused !== undefined) return refused;
  await runner.settled(id);
  const state = await stateOf(runner, id);
  return (runner.stopped.aborted ? leftAt(state, 'ship') : undefined) ?? answerOf(state);
}

async function sendBack(runner: Runner, found: Found, comment: string): Promise<CommandAnswer> {
  if (comment.trim() === '')
    return refusal(
      'no-comment',
      'Sending back needs a comment; the engine is given nothing else.',
      'Say what should be different.',
    );
  const { id, stage } = found;
  return alone(runner, found, async (state) => {
    mustBeOurs(runner, state);
    const next = sentBack(state, comment, runner.options.clock.now());
    await change(runner, next, stage);
    if (next.stage === 'queued') runner.hurry(id);
    else await runner.takeUp(id, next.stage);
    return done(withCeiling(runner, state, `${id} goes back to the engine with your comment.`));
  });
}

async function reject(runner: Runner, found: Found, why: string): Promise<CommandAnswer> {
  const { id, stage } = found;
  return alone(runner, found, async (state) => {
    mustBeOurs(runner, state);
    const text = why.trim() === '' ? 'Rejected by a person.' : `Rejected by a person: ${why.trim()}`;
    const reason = {
      code: 'rejected',
      text: `${text} The work is kept.`,
      action: 'Retry the job if you change your mind.',
    };
    await change(runner, move(state, 'failed', runner.options.clock.now(), reason), stage);
    return done(`${id} was rejected; its work is kept.`);
  });
}

/**
 * Decides on a job with nobody else doing so meanwhile.
 * @throws UserError `moved` when it is no longer where it was found
 */
function alone<T>(runner: Runner, { id, stage }: Found, decide: (state: JobState) => Promise<T>): Promise<T> {
  return inTurn(runner.options.store.layout.run(id.toLowerCase()), async () => {
    // The work that has brought it to where it waits may not be quite over, and would be taken for one that begins.
    if (!(ACTIVE_STAGES as readonly Stage[]).includes(stage)) await runner.settled(id);
    const state = await stateOf(runner, id);
    if (state.stage === stage) return decide(state);
    throw new UserError(
      'moved',
      `${id} has come to be ${inWords(state.stage)} in this moment. Nothing was changed.`,
      nextFor(state.stage),
    );
  });
}

/**
 * A job with an intent to land may be shipped for everybody else, or have landed before its runner died: it is not a
 * person's to take back until that is known (fleet-protocol.md, rule 10), or it could land twice.
 * @throws UserError `on-its-way`; `busy` while it is in work
 */
function mustBeOurs(runner: Runner, state: JobState): void {
  mustNotBeAsked(state);
  const { id, landing } = state;
  runner.mustBeIdle(id);
  if (landing !== undefined)
    throw new UserError(
      'on-its-way',
      `${id} was on its way out when its runner ended, and may have landed. Nothing was changed.`,
      'Ship it: what has landed is not landed again.',
    );
}

/**
 * A job that was reported as shipped may have been accepted, for those that need it as well: whoever ends it here would
 * have it counted as shipped, and never land.
 * @throws UserError `on-its-way`
 */
function mustNotBeAsked({ id, claim, landing }: JobState): void {
  if (landing === undefined || claim === undefined || claim.mayLand === true) return;
  throw new UserError(
    'on-its-way',
    `${id} was reported as shipped, and the coordinator has not answered yet. Nothing was changed.`,
    'Wait until it answers: the job then ships, or its result goes into quarantine.',
  );
}

/** The state, with the stage that the directory says. */
async function stateOf(runner: Runner, id: string): Promise<JobState> {
  const { store } = runner.options;
  const state = await store.readState(id);
  if (state === undefined) {
    throw new UserError(
      'no-state',
      `What is known of ${id} is missing or unreadable; its file is untouched.`,
      'Move the file back into the inbox to run it anew.',
    );
  }
  return { ...state, stage: (await store.locate(id)) ?? state.stage };
}

async function change(runner: Runner, state: JobState, from: Stage): Promise<void> {
  await runner.options.store.transition(state, from);
  await runner.options.hooks.transition(transitionOf(state, from));
  runner.options.changed();
}

const CANCELLED_QUEUED = {
  code: 'cancelled',
  text: 'Cancelled by a person before it ran.',
  action: 'Retry the job to queue it again.',
};

/** At a person's word a job runs once more whatever it has used; they are told. */
function withCeiling(runner: Runner, { usage }: JobState, message: string): string {
  const over = jobOverText(usage, runner.options.workshop.spending.budget);
  return over === undefined ? message : `${message} ${over}`;
}
