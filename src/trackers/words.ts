/**
 * The text of a comment. Pure. It is made of fixed words: anybody who can read the issue will read it, so neither the
 * prompt nor its title, nor anything that a machine or an engine has said, has a place in it. Nor has the job's id,
 * which may be made of its title: a code that is made of it tells two jobs of one issue apart.
 */
import { createHash } from 'node:crypto';
import type { Transition } from '../runner/hooks.ts';

export type Stage = Transition['to'];

export interface Step {
  readonly stage: Stage;
  /** The code of the job's reason. */
  readonly reason?: string | undefined;
}

interface StageWords {
  readonly name: string;
  /** What it means, after the last one. */
  readonly sentence: string;
}

const WORDS: Readonly<Record<Stage, StageWords>> = {
  queued: { name: 'queued again', sentence: 'It waits for its next run.' },
  assigned: { name: 'assigned', sentence: 'A runner has taken it up.' },
  building: { name: 'building', sentence: 'An agent is at work on it.' },
  review: { name: 'review', sentence: 'Its result waits to be reviewed.' },
  testing: { name: 'testing', sentence: 'Its result is being tested.' },
  shipped: { name: 'shipped', sentence: 'It has been shipped.' },
  blocked: { name: 'blocked', sentence: 'It waits for a person.' },
  failed: { name: 'failed', sentence: 'Nothing of it has been shipped.' },
  dead_letter: { name: 'dead letter', sentence: 'It has failed too often to be tried again by itself.' },
  quarantine: {
    name: 'quarantine',
    sentence: 'Its result has been set aside, and nothing of it is shipped.',
  },
};

export const STAGES = Object.keys(WORDS) as [Stage, ...Stage[]];

/** Stages of which it is said why. */
const TELLING = new Set<Stage>(['blocked', 'failed']);

const REASONS: Readonly<Record<string, string>> = {
  cancelled: 'cancelled by a person',
  'checkout-busy': 'the checkout is in use',
  conflict: 'conflicts with its target branch',
  failed: 'the agent did not succeed',
  input: 'the agent refused its input',
  internal: 'a fault of the runner',
  interrupted: 'interrupted',
  limit: 'the agent reached a limit',
  login: 'the agent is not logged in',
  'no-final-event': 'the agent ended without a result',
  'no-result': 'the agent ended without a result',
  'rate-limit': 'the agent reached a rate limit',
  rejected: 'rejected in review',
  root: 'the agent does not run as root',
  setup: 'its setup failed',
  spawn: 'the agent could not be started',
  'target-moves': 'its target branch keeps moving',
  timeout: 'out of time',
  verify: 'its tests did not pass',
};

/** A step as it is kept and told: with a reason only where one is told. */
export function stepOf(stage: Stage, reasonCode: string | undefined): Step {
  return TELLING.has(stage) && reasonCode !== undefined && /^[a-z][a-z-]{0,39}$/.test(reasonCode)
    ? { stage, reason: reasonCode }
    : { stage };
}

/** @param isCut there were steps before the first of `steps` */
export function commentText(id: string, steps: readonly Step[], isCut: boolean): string {
  const names = steps.map(({ stage, reason }) => {
    const { name } = WORDS[stage];
    return reason === undefined ? name : `${name} (${reasonInWords(reason)})`;
  });
  const chain = [...(isCut ? ['…'] : []), ...names].join(' → ');
  const last = steps.at(-1);
  // A code span: a code that looks like a commit is no link in it.
  return `Agent Queue, job \`${codeOf(id)}\`: ${chain}.${last === undefined ? '' : ` ${WORDS[last.stage].sentence}`}`;
}

function reasonInWords(code: string): string {
  return Object.hasOwn(REASONS, code) ? (REASONS[code] as string) : code.replaceAll('-', ' ');
}

/** By which a comment is known again. On a line of its own, where Markdown shows nothing of it. */
export function markerOf(id: string, run: number, mark: string): string {
  return `<!-- agent-queue: ${codeOf(id)} ${run} ${mark} -->`;
}

/** The same for the same job, and nothing can be read from it. */
function codeOf(id: string): string {
  return createHash('sha256').update(id).digest('hex').slice(0, 7);
}
