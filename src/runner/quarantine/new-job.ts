/**
 * A new job made of a result in quarantine, by adoption or requeueing: under an id of its own and without the claim,
 * so that nothing of it can ever be sent under the old epoch. What is to be made is written down first (the intent);
 * then the job is made, the result is marked as settled, and the intent goes. Whatever a crash leaves, the next runner
 * finishes: there is one new job in the end, or none.
 */
import { readdir, rm } from 'node:fs/promises';
import * as z from 'zod/mini';
import { messageOf } from '../../platform/errors.ts';
import { readIfThere, syncDirectory, writeDurable } from '../../platform/files.ts';
import { transitionOf } from '../claimed/told.ts';
import type { Runner } from '../runner.ts';
import { makeAdopted } from './adopt.ts';
import { isRecordName, settle } from './marks.ts';
import { makeRequeued } from './requeue.ts';

const intentSchema = z.object({
  /** The result in quarantine. */
  id: z.string(),
  as: z.enum(['adopted', 'requeued']),
  /** The new job's id, reserved. */
  job: z.string(),
  at: z.number(),
  /** Adopted: the commit with the work, on top of `onto`. */
  commit: z.optional(z.string()),
  onto: z.optional(z.string()),
  /** Adopted in a fleet: what it is called there; its claim is known once the coordinator has said yes. */
  fleet: z.optional(
    z.object({
      jobId: z.string(),
      claim: z.optional(z.object({ jobId: z.string(), epoch: z.number(), leaseMs: z.number() })),
    }),
  ),
});

export type Intent = z.infer<typeof intentSchema>;

/** Writes the intent, then does what it says. */
export async function make(runner: Runner, intent: Intent): Promise<void> {
  await intend(runner, intent);
  await finish(runner, intent);
}

/** On disk when it resolves; what was intended for the same result before is no longer. */
export async function intend(runner: Runner, intent: Intent): Promise<void> {
  const { layout } = runner.options.store;
  await writeDurable(layout.settlingIntent(intent.id), JSON.stringify(intent));
}

/** The fleet was asked for its claim, and what it said is not known: only asking again tells, which a person does. */
export function isUnanswered({ fleet }: Intent): boolean {
  return fleet !== undefined && fleet.claim === undefined;
}

/** What was being made of a result when a runner died. */
export async function intentOf(runner: Runner, id: string): Promise<Intent | undefined> {
  const text = await readIfThere(runner.options.store.layout.settlingIntent(id));
  if (text === undefined) return undefined;
  try {
    return intentSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Can be repeated after each of its steps. */
export async function finish(runner: Runner, intent: Intent): Promise<void> {
  const { store, changed, hooks } = runner.options;
  const { id, as, job, at, fleet } = intent;
  if ((await store.locate(job)) === undefined) {
    await (as === 'adopted' ? makeAdopted(runner, intent) : makeRequeued(runner, intent));
  }
  await settle(store.layout, id, { as, at, job });
  await forget(runner, id);
  // The coordinator has it in review already; from here it knows the work.
  const state = fleet?.claim === undefined ? undefined : await store.readState(job);
  if (state !== undefined) await hooks.transition(transitionOf(state, state.stage));
  if (as === 'requeued') {
    runner.options.inbox.heard(`${job}.md`);
    runner.wake();
  }
  changed();
}

/** Gives up what was being made, where nothing has come of it yet. */
export async function forget(runner: Runner, id: string): Promise<void> {
  const { layout } = runner.options.store;
  await rm(layout.settlingIntent(id), { force: true });
  await syncDirectory(layout.settling);
}

/** For a new runner: finishes what the one before was making. What cannot be finished now waits for the next time, or a person. */
export async function finishAll(runner: Runner): Promise<void> {
  const { store, log } = runner.options;
  const names = (await readdir(store.layout.settling)).filter(isRecordName);
  for (const name of names) {
    const id = name.slice(0, -'.json'.length);
    try {
      const intent = await intentOf(runner, id);
      if (intent === undefined) await forget(runner, id);
      else if (!isUnanswered(intent)) await finish(runner, intent);
    } catch (error) {
      log.warn(`${id}: what was being made of it is not finished: ${messageOf(error)}`);
    }
  }
}
