/** The steps of a job's life (runner.md), each from one stage to the next. */
import type { JobState } from '../job/state.ts';
import type { Stage } from '../stages.ts';
import type { Work } from '../work.ts';
import { build } from './build.ts';
import { prepare } from './prepare.ts';
import { test } from './test.ts';
import type { Workshop } from './workshop.ts';

/**
 * Does what the job's stage asks for and returns its next state; the same stage again when it now waits for a
 * person. Every step can be repeated after a crash: it looks first at what has been done. Throws a UserError
 * when a person must act, the signal's reason when it is stopped, the system's error of a full disk.
 */
export type Step = (work: Work, shop: Workshop) => Promise<JobState>;

const STEPS: Partial<Record<Stage, Step>> = {
  assigned: prepare,
  building: async (work, shop) => shop.spending.within(await build(work, shop)),
  testing: test,
};

export function stepFor(stage: Stage): Step | undefined {
  return STEPS[stage];
}
