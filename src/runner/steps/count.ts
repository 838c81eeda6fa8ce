/** What an engine's run has used is put on the day's account, and then on the job's. */
import { messageOf } from '../../platform/errors.ts';
import { SHELL_ENGINE } from '../engines/builtin.ts';
import type { EngineDescriptor } from '../engines/descriptor.ts';
import { type JobUsage, UNKNOWN, usageOfRun, withRun } from '../job/usage.ts';
import type { RunEnd } from '../supervisor/contract.ts';
import { readBegun, readEnd } from '../supervisor/records.ts';
import type { Work } from '../work.ts';
import type { Workshop } from './workshop.ts';

/**
 * The job's usage with its run, which is on the account of the day on which it ended when this resolves. Can be
 * repeated after a crash: it is counted once. `end` undefined: the run was cut off, and nobody knows what it has used.
 */
export async function countRun(
  work: Work,
  shop: Workshop,
  descriptor: EngineDescriptor,
  end: RunEnd | undefined,
): Promise<JobUsage | undefined> {
  const { id, run, usage, command, changedAt } = work.state;
  // A script asks no model: there is nothing of it that a day's ceiling could hold.
  if (descriptor.name !== SHELL_ENGINE && end?.endedBy !== 'spawn-error') {
    await shop.spending.count({
      run: `${id}/${run}`,
      // Of one that was cut off only its beginning is certain.
      at: end?.endedAt ?? command?.startedAt ?? changedAt,
      usage: end === undefined ? UNKNOWN : usageOfRun(end, descriptor, usage?.totals),
    });
  }
  return withRun(usage, run, end, descriptor);
}

/** The same for a run that was ended, whose job has come to its end whatever is known of it. */
export async function countStopped(work: Work, shop: Workshop, descriptor: EngineDescriptor): Promise<void> {
  const { id, run, command } = work.state;
  // Of an earlier run, when it was stopped before this one's had been started.
  if (command?.dir.startsWith(shop.layout.command(id, run, 'engine')) !== true) return;
  try {
    const [begun, end] = await Promise.all([readBegun(command.dir), readEnd(command.dir)]);
    if (begun.state === 'absent' && end.state === 'absent') return;
    const usage = await countRun(work, shop, descriptor, end.state === 'read' ? end.value : undefined);
    if (usage !== undefined) work.note({ ...work.state, usage });
  } catch (error) {
    shop.log.warn(`${work.id}: what its last run has used is not counted: ${messageOf(error)}`);
  }
}
