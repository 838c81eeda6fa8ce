/**
 * The only places where the runner knows of a fleet (runner.md, "Hook points"). With the fleet off they are
 * `offline`, and no code of the fleet is loaded.
 */
import type { Stage } from './stages.ts';

/** What leaves this machine, or changes something that others share. */
export type Effect = 'push-checkpoint' | 'push' | 'pull-request' | 'merge';

/** `held`: not now, ask again later; `fenced`: never again for this job. */
export type Permission = 'accepted' | 'held' | 'fenced';

export interface Transition {
  readonly id: string;
  readonly from: Stage;
  readonly to: Stage;
  /** Present once there is work: the ref that holds it and its commit. */
  readonly checkpoint?: { readonly wipBranch: string; readonly wipCommit: string };
}

export interface Hooks {
  /** Claim source: asked when the inbox has nothing to run. True when a job was put into `assigned/`. */
  claim(signal: AbortSignal): Promise<boolean>;
  /** Stage reporter: told of each transition after it is on disk. Must not throw. */
  transition(transition: Transition): void;
  /** Asked before anything outward. */
  permit(id: string, effect: Effect): Promise<Permission>;
  /** Lines for status output. */
  status(): readonly string[];
}

/** No fleet: nothing to claim, nobody to tell, everything allowed. `revoked` is Runner.revoke, which then nobody calls. */
export const offline: Hooks = {
  claim: () => Promise.resolve(false),
  transition: () => undefined,
  permit: () => Promise.resolve('accepted'),
  status: () => [],
};
