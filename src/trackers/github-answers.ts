/**
 * What GitHub's answers mean where they are not the one that was hoped for. Pure. The rules of its limits are those of
 * "Rate limits for the REST API" and "Best practices for using the REST API" in its documentation.
 */
import { MINUTE, SECOND } from '../platform/clock.ts';
import type { HttpAnswer } from '../platform/http.ts';
import type { Outcome } from './tracker.ts';

/** Passing troubles of the request, or of a proxy (407) in between. */
const TRY_AGAIN = new Set([407, 408, 425]);
const GONE = new Set([404, 410]);

/** @param now the wall clock, ms, for an answer that does not tell its own time */
export function failureOf(answer: HttpAnswer, api: string, now: number): Outcome {
  const { status } = answer;
  if (status === 429 || (status === 403 && isLimited(answer))) {
    const why = `it has had too many calls for now (${status})`;
    return { kind: 'unreachable', why, retryAfterMs: limitedFor(answer, now), isUnknown: false };
  }
  if (status === 401)
    return { kind: 'unauthorized', scope: 'host', why: 'the token is turned down there (401)' };
  if (status === 403)
    return { kind: 'unauthorized', scope: 'issue', why: 'the token may not comment there (403)' };
  if (status >= 300 && status < 400) return redirected(answer, api);
  // A web page comes from something in between: only the tracker itself can find an issue gone or a request wrong.
  const isPage = answer.headers['content-type']?.startsWith('text/html') ?? false;
  if (status >= 400 && status < 500 && !isPage && !TRY_AGAIN.has(status)) {
    const isGone = GONE.has(status);
    const why = isGone
      ? 'there is no such issue, or none that the token may see'
      : 'it takes no such comment';
    return { kind: 'refused', why: `${why} (${status})` };
  }
  const wait = retryAfter(answer, now);
  return {
    kind: 'unreachable',
    why: status >= 200 && status < 300 ? 'its answer is not that of GitHub' : `it answered ${status}`,
    ...(wait !== undefined && { retryAfterMs: wait }),
    isUnknown: true,
  };
}

/** GitHub itself sends on where a repository was renamed; somebody else's redirect says nothing of the issue. */
function redirected({ status, headers }: HttpAnswer, api: string): Outcome {
  const to = headers['location'] ?? '';
  const isItsOwn = URL.canParse(to, api) && new URL(to, api).origin === new URL(api).origin;
  return isItsOwn
    ? { kind: 'refused', why: `the issue has moved (${status})` }
    : { kind: 'unreachable', why: `it redirects (${status}), which is not followed`, isUnknown: false };
}

function isLimited({ headers, text = '' }: HttpAnswer): boolean {
  const isTold = headers['retry-after'] !== undefined || headers['x-ratelimit-remaining'] === '0';
  // A secondary limit may be told in the message alone.
  return isTold || /rate limit/i.test(messageIn(text));
}

/** Without a time, at least a minute. */
function limitedFor(answer: HttpAnswer, now: number): number {
  const told = retryAfter(answer, now);
  if (told !== undefined) return told;
  const reset = Number(answer.headers['x-ratelimit-reset']);
  const isOver = answer.headers['x-ratelimit-remaining'] === '0' && reset > 0;
  return isOver ? Math.max(0, reset * SECOND - ownTime(answer, now)) : MINUTE;
}

/** `Retry-After` in ms: seconds, or a date (RFC 9110, 10.2.3). */
function retryAfter(answer: HttpAnswer, now: number): number | undefined {
  const text = answer.headers['retry-after']?.trim();
  if (text === undefined) return undefined;
  if (/^\d+$/.test(text)) return Number(text) * SECOND;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, at - ownTime(answer, now));
}

/** A laptop's clock may be wrong by hours, but both times of one answer are by the same clock. */
function ownTime({ headers }: HttpAnswer, now: number): number {
  const date = Date.parse(headers['date'] ?? '');
  return Number.isNaN(date) ? now : date;
}

function messageIn(text: string): string {
  try {
    const { message } = JSON.parse(text) as { message?: unknown };
    return typeof message === 'string' ? message : '';
  } catch {
    return '';
  }
}
