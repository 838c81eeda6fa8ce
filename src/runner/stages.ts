/**
 * Stages of a job, as directories of the home (runner.md, "Stages are directories"). All but `quarantine` go over
 * the wire too: that is where a claimed job's result goes whose epoch was stale, and only a person takes it out.
 */
export const STAGES = [
  'queued',
  'assigned',
  'building',
  'review',
  'testing',
  'shipped',
  'blocked',
  'failed',
  'dead_letter',
  'quarantine',
] as const;

export type Stage = (typeof STAGES)[number];

/** A queued job lies in `inbox/`; every other stage is named as its directory is. */
export function directoryOf(stage: Stage): string {
  return stage === 'queued' ? 'inbox' : stage;
}

/** Stages in which the runner has work in hand: what it takes up first after a restart. */
export const ACTIVE_STAGES = ['assigned', 'building', 'testing'] as const satisfies readonly Stage[];

/** Stages that a job leaves only at a person's word. */
export const FINISHED_STAGES = [
  'shipped',
  'failed',
  'dead_letter',
  'quarantine',
] as const satisfies readonly Stage[];

/** Stages in which a job waits for a person. */
export const WAITING_STAGES = ['review', 'blocked'] as const satisfies readonly Stage[];

const NEXT: Readonly<Record<Stage, readonly Stage[]>> = {
  queued: ['assigned', 'blocked', 'failed'],
  assigned: ['building', 'review', 'queued', 'blocked', 'failed', 'dead_letter', 'quarantine'],
  building: ['review', 'testing', 'queued', 'assigned', 'blocked', 'failed', 'dead_letter', 'quarantine'],
  review: ['testing', 'queued', 'assigned', 'failed', 'quarantine'],
  testing: ['shipped', 'review', 'queued', 'assigned', 'failed', 'quarantine'],
  shipped: [],
  blocked: ['queued', 'failed', 'quarantine'],
  failed: ['queued'],
  dead_letter: ['queued'],
  quarantine: [],
};

/** Whether a job may go from one stage to the other. Everything else is a fault of the caller. */
export function mayFollow(from: Stage, to: Stage): boolean {
  return NEXT[from].includes(to);
}
