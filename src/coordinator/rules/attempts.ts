/**
 * How often a job is tried (fleet-protocol.md, "Attempts", and rule 13: only the coordinator retries). Pure.
 *
 * An attempt is a claim that ended badly: it lapsed and was taken over, or was reported `failed`. Heartbeats and
 * renewals count nothing, and neither does a release: the factory said itself that it was not the job's fault. Three
 * attempts are allowed, or as many as the job's own `retries` ask for; then it is `dead_letter`. A failure is tried
 * again only if `retries` are left, after a pause that doubles; otherwise it stays `failed`.
 */
import type { JobRecord } from '../records.ts';
import type { CoordinatorSettings } from '../settings.ts';

type Tried = Pick<JobRecord, 'attempts' | 'failures' | 'retries'>;

export function mayTryAgain({ attempts, retries }: Tried, settings: CoordinatorSettings): boolean {
  return attempts < Math.max(settings.attempts, retries + 1);
}

/** What becomes of a job that was reported `failed`; `job` already counts that attempt. */
export function afterFailure(job: Tried, settings: CoordinatorSettings): 'queued' | 'failed' | 'dead_letter' {
  if (job.failures > job.retries) return 'failed';
  return mayTryAgain(job, settings) ? 'queued' : 'dead_letter';
}

/** The pause before the next try, ms. */
export function backoffAfter(failures: number, { backoff }: CoordinatorSettings): number {
  return Math.min(backoff.longestMs, backoff.firstMs * 2 ** Math.min(failures - 1, 30));
}
