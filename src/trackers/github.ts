/** GitHub's issues and pull requests, on github.com or a GitHub Enterprise host, by their REST interface. */
import { type Clock, DAY } from '../platform/clock.ts';
import { Http, type HttpAnswer, type LIMITS } from '../platform/http.ts';
import { failureOf } from './github-answers.ts';
import type { Issue, NewComment, Outcome, Tracker } from './tracker.ts';

export interface GitHubOptions {
  readonly clock: Pick<Clock, 'now'>;
  /** Where the interface of a host is; default `apiOf`. */
  readonly apiFor?: ((host: string) => string) | undefined;
  readonly limits?: Partial<typeof LIMITS>;
}

const ADDRESS = /^\/([\w.-]+)\/([\w.-]+)\/(?:issues|pull)\/([1-9]\d{0,9})\/?$/;
const API_VERSION = '2022-11-28';
const PAGE = 100;
/** An issue with more new comments than this many pages hold is not looked through. */
const MOST_PAGES = 20;
/** How far back of its first try a comment is looked for: this machine's clock may be off by a time zone, which GitHub's is not. */
const MARGIN = 1 * DAY;

/** The REST interface of a host, without a slash at its end. */
export function apiOf(host: string): string {
  if (host === 'github.com') return 'https://api.github.com';
  // GitHub Enterprise Cloud with data residency.
  return host.endsWith('.ghe.com') ? `https://api.${host}` : `https://${host}/api/v3`;
}

export class GitHub implements Tracker {
  readonly #options: GitHubOptions;
  readonly #http: Http;

  constructor(options: GitHubOptions) {
    this.#options = options;
    this.#http = new Http(options.limits);
  }

  matches(url: string): Issue | undefined {
    if (!URL.canParse(url)) return undefined;
    const { protocol, host, pathname, username, password } = new URL(url);
    if (protocol !== 'https:' || username !== '' || password !== '') return undefined;
    const [, owner, repo, number] = ADDRESS.exec(pathname) ?? [];
    if (owner === undefined || repo === undefined || number === undefined) return undefined;
    return { host, url: `https://${host}/${owner}/${repo}/issues/${number}` };
  }

  async comment(comment: NewComment): Promise<Outcome> {
    const { issue, text, marker, token, triedAt, signal } = comment;
    // No header may hold anything else, and what is said of one that does would quote it.
    if (!/^[\x21-\x7e]+$/.test(token))
      return { kind: 'unauthorized', scope: 'host', why: 'the token holds characters that no token has' };
    const call = { api: (this.#options.apiFor ?? apiOf)(issue.host), issue, token, signal };
    if (triedAt !== undefined) {
      const found = await this.#find(call, marker, triedAt);
      if (found !== 'not there') return found;
    }
    const answer = await this.#call(call, 'POST', '', { body: `${text}\n\n${marker}\n` });
    if (answer.status === undefined)
      return { kind: 'unreachable', why: answer.why, isUnknown: !answer.neverSent };
    // Whatever comes after that status: the comment has been made.
    if (answer.status === 201) return { kind: 'accepted' };
    return failureOf(answer, call.api, this.#options.clock.now());
  }

  close(): Promise<void> {
    return this.#http.close();
  }

  /** Comments come in the order in which they were made, so that one which is made meanwhile moves no page. */
  async #find(call: Call, marker: string, triedAt: number): Promise<Outcome | 'not there'> {
    const since = new Date(triedAt - MARGIN).toISOString().replace(/\.\d+Z$/, 'Z');
    for (let page = 1; page <= MOST_PAGES; page += 1) {
      const answer = await this.#call(call, 'GET', `?since=${since}&per_page=${PAGE}&page=${page}`);
      if (answer.status === undefined) return unknown(answer.why);
      const bodies = answer.status === 200 ? bodiesIn(answer) : undefined;
      if (answer.status === 200 && bodies === undefined)
        return unknown(answer.why ?? 'its answer is not that of GitHub');
      if (bodies === undefined) return failureOf(answer, call.api, this.#options.clock.now());
      if (bodies.some((body) => body.includes(marker))) return { kind: 'accepted' };
      if (bodies.length < PAGE) return 'not there';
    }
    return unknown('the issue has too many new comments to look for ours among them');
  }

  #call({ api, issue, token, signal }: Call, method: 'GET' | 'POST', query: string, body?: unknown) {
    return this.#http.exchange({
      method,
      url: `${api}/repos${new URL(issue.url).pathname}/comments${query}`,
      headers: {
        accept: 'application/vnd.github+json',
        'x-github-api-version': API_VERSION,
        'user-agent': 'agent-queue',
        authorization: `Bearer ${token}`,
      },
      body,
      signal,
    });
  }
}

interface Call {
  readonly api: string;
  readonly issue: Issue;
  readonly token: string;
  readonly signal: AbortSignal;
}

function unknown(why: string): Outcome {
  return { kind: 'unreachable', why, isUnknown: true };
}

/** The texts of a list of comments; undefined when it is none. */
function bodiesIn({ text }: HttpAnswer): string[] | undefined {
  try {
    const list: unknown = JSON.parse(text ?? '');
    if (!Array.isArray(list)) return undefined;
    return list.map((each: { body?: unknown } | null) => (typeof each?.body === 'string' ? each.body : ''));
  } catch {
    return undefined;
  }
}
