/** What a job's move means over the wire (fleet-protocol.md, rules 9 and 13). Pure. */
import type { WireStage } from './protocol.ts';

export type WireAction =
  | { readonly do: 'report'; readonly stage: WireStage }
  /** The lease is given back: another factory may have more luck. */
  | { readonly do: 'release' }
  | { readonly do: 'nothing' };

/** Obstacles that lie in the job itself, whichever laptop has it: a person must mend it at the coordinator. */
const LASTING = new Set([
  'bad-manifest',
  'unknown-engine',
  'no-engine',
  'base-not-found',
  'input',
  'no-script',
  'base-without-worktree',
]);
/** The work was done, or a person looked at it, and it is no success. Every other reason is an obstacle of this laptop. */
const FAILED = new Set([
  ...['failed', 'limit', 'timeout', 'no-result', 'no-final-event'],
  ...['setup', 'rejected', 'no-changes'],
]);
/** The coordinator has spoken already; there is nothing to tell it. */
const SETTLED = new Set(['fenced', 'refused', 'released']);

const NOTHING: WireAction = { do: 'nothing' };

/** @param reasonCode why it came into the stage, where there is a reason. */
export function wireAction(to: string, reasonCode: string | undefined): WireAction {
  switch (to) {
    case 'building':
    case 'review':
    case 'testing':
    case 'dead_letter':
      return { do: 'report', stage: to };
    case 'blocked':
    case 'failed':
      return ofFailure(reasonCode ?? '');
    default:
      // assigned: the claim has said so; shipped: reported before it lands (rule 10); quarantine: never reported.
      return NOTHING;
  }
}

function ofFailure(code: string): WireAction {
  if (SETTLED.has(code)) return NOTHING;
  if (LASTING.has(code)) return { do: 'report', stage: 'blocked' };
  return FAILED.has(code) ? { do: 'report', stage: 'failed' } : { do: 'release' };
}

/** Whether a job in this stage is still to be gone on with here, or waits for somebody who will. */
export function isInHand(stage: string): boolean {
  return ['assigned', 'building', 'review', 'testing'].includes(stage);
}

/** What ends a lease once the coordinator has accepted it. */
export function isTerminal(what: string): boolean {
  return ['shipped', 'blocked', 'failed', 'dead_letter', 'release'].includes(what);
}
