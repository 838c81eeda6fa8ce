import type { Stage } from '../../runner/stages.ts';
import type { Translate } from './translate.ts';

export interface Lens {
  readonly title: string;
  readonly command: 'agentQueue.job.run' | 'agentQueue.job.add';
  readonly tooltip: string;
}

/**
 * What is offered above a job document: `Run · Queue` for a file outside the home (`stage` undefined), only `Run`
 * for one that is queued already, nothing for one that has left the queue, which the Inbox view's actions are for.
 */
export function lensesFor(stage: Stage | undefined, t: Translate): readonly Lens[] {
  const run: Lens = {
    title: t('$(play) Run'),
    command: 'agentQueue.job.run',
    tooltip: t('Run this job now, ahead of the queue'),
  };
  const queue: Lens = {
    title: t('$(add) Queue'),
    command: 'agentQueue.job.add',
    tooltip: t('Put a copy of this job into the inbox'),
  };
  if (stage === undefined) return [run, queue];
  return stage === 'queued' ? [run] : [];
}
