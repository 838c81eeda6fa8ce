/** Moving queued jobs: the run order is priority, then age, so a new place is a priority and an age. */
import { type QueuedJob, runOrder } from './schedule.ts';

export interface NewPlace {
  readonly id: string;
  /** Present when the priority in the job file has to change. */
  readonly priority?: number;
  /** Wall clock, ms; becomes the file's modification time. */
  readonly queuedAt: number;
}

/** Between two jobs of which one end is open, ms. */
const STEP = 1000;
/** Times closer than this (ms) may be one and the same to a file system. */
const CLOSEST = 1;

/**
 * Places for `ids`, in that order, right before the job `before` (undefined: at the end), and for neighbours that
 * have to make room because they came at the same moment. Unknown ids are passed over.
 */
export function reordered(
  queue: readonly QueuedJob[],
  ids: readonly string[],
  before: string | undefined,
): NewPlace[] {
  const byId = new Map(queue.map((job) => [job.id, job]));
  const moved = ids.flatMap((id) => byId.get(id) ?? []);
  const rest = [...queue].sort(runOrder).filter((job) => !ids.includes(job.id));
  const found = before === undefined ? -1 : rest.findIndex((job) => job.id === before);
  const index = found < 0 ? rest.length : found;
  const previous = rest[index - 1];
  const next = rest[index];
  const priorities = moved.map((job) => priorityBetween(job.priority, previous?.priority, next?.priority));
  const places = moved.map((job, n) => {
    const priority = priorities[n] ?? job.priority;
    const after = previous?.priority === priority ? previous.queuedAt : undefined;
    const until = next?.priority === priority ? next.queuedAt : undefined;
    return {
      id: job.id,
      ...(priority !== job.priority && { priority }),
      queuedAt: ageBetween(after, until, n, moved.length) ?? job.queuedAt,
    };
  });
  const [last, priority] = [places.at(-1), priorities.at(-1)];
  if (last === undefined || priority === undefined) return places;
  return [...places, ...makeRoom(rest.slice(index), priority, last.queuedAt)];
}

/** Later times for those of `behind` that would otherwise not come after `time`. */
function makeRoom(behind: readonly QueuedJob[], priority: number, time: number): NewPlace[] {
  const places: NewPlace[] = [];
  let earliest = time;
  for (const job of behind) {
    if (job.priority !== priority || job.queuedAt > earliest) break;
    earliest += CLOSEST;
    places.push({ id: job.id, queuedAt: earliest });
  }
  return places;
}

/** Its own priority where that fits between the neighbours, else the one of the job that it is put before. */
function priorityBetween(own: number, previous: number | undefined, next: number | undefined): number {
  if (own <= (previous ?? 9) && own >= (next ?? 0)) return own;
  return next ?? previous ?? own;
}

/** The time of item `n` of `count`, evenly between two ends; undefined when both are open. */
function ageBetween(
  after: number | undefined,
  until: number | undefined,
  n: number,
  count: number,
): number | undefined {
  if (after !== undefined && until !== undefined) {
    const gap = (until - after) / (count + 1);
    return after + Math.max(gap, CLOSEST) * (n + 1);
  }
  if (after !== undefined) return after + STEP * (n + 1);
  if (until !== undefined) return until - STEP * (count - n);
  return undefined;
}
