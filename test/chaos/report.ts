/** What is told of a run. */
import { canFakeClocks } from './faketime.ts';
import { MACHINES } from './plan.ts';
import type { Played } from './play.ts';

/** In words; undefined where nothing is missing. */
export const missing = canFakeClocks
  ? undefined
  : 'libfaketime is not installed (Debian: faketime), so no wall clock is set; all other faults happen.';

/** One line. */
export function figuresOf(played: Played): string {
  const { faults, messages, stages, quarantined, takenOver, locksLeft, settledSec, seconds } = played;
  const many = Object.values(faults).reduce((sum, each) => sum + each, 0);
  const ends = Object.entries(stages).map(([stage, count]) => `${count} ${stage}`);
  const locks = locksLeft.length === 0 ? '' : `; a power cut left git’s ${locksLeft.join(', ')}`;
  return `${seconds.toFixed(1)} s, ${many} faults, ${messages} messages; ${ends.join(', ')}; ${takenOver} taken over, ${quarantined} results in quarantine; settled ${settledSec.toFixed(1)} s after the last fault${locks}`;
}

/** What does not hold, how to see it again, and what each machine did about the jobs that are concerned. */
export function failureOf(seed: number, { findings, timeline }: Played): string {
  const jobs = [...new Set(findings.flatMap((finding) => finding.match(/job-\d+/g) ?? []))];
  const lines = timeline.lines(jobs.length === 0 ? [] : [...jobs, '***', 'SIGKILL', 'power cut', 'frozen'], [
    'coordinator',
    'plan',
  ]);
  return [
    `Seed ${seed}: ${findings.length} of the rules did not hold.`,
    ...findings.map((finding) => `  - ${finding}`),
    `The same faults again: npm run chaos -- --seed ${seed}`,
    `What ${MACHINES.join(', ')} and the coordinator did${jobs.length === 0 ? '' : ` about ${jobs.join(', ')}`}:`,
    ...lines,
  ].join('\n');
}
