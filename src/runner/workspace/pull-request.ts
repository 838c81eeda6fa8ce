/**
 * A pull request through GitHub's own command line program, which has the person's login. Title and text go to
 * it by standard input: argv is visible to everybody on the machine.
 */
import { spawn } from 'node:child_process';
import * as z from 'zod/mini';
import { errnoOf, UserError } from '../../platform/errors.ts';
import { redactUrls } from '../../platform/git/error.ts';
import type { ForgeRepository } from './remotes.ts';

export interface PullRequestRequest {
  readonly repository: ForgeRepository;
  /** Short name of the branch that was pushed. */
  readonly head: string;
  /** Short name of the branch that it is to go into. */
  readonly base: string;
  readonly title: string;
  readonly body: string;
  /** A folder to run in. */
  readonly cwd: string;
  /** The surrounding environment, in which `gh` finds its login. */
  readonly env: NodeJS.ProcessEnv;
  /** Default `gh`. */
  readonly executable?: string;
  readonly signal?: AbortSignal;
}

export interface PullRequest {
  readonly url: string;
  readonly number: number;
}

const ANSWER = z.object({ html_url: z.string(), number: z.number() });

/**
 * Opens a pull request, or finds the open one of the same branch, so that it can be repeated after a crash.
 * @throws {UserError} `gh-missing`, `gh-login`, `pull-request-failed`; the branch is on the remote in any case.
 */
export async function openPullRequest(request: PullRequestRequest): Promise<PullRequest> {
  const { repository, head, base, title, body } = request;
  const pulls = `repos/${repository.owner}/${repository.name}/pulls`;
  const created = await gh(request, pulls, 'POST', { title, body, head, base });
  if (created.exitCode === 0) return readAnswer(request, created.stdout);
  if (!/already exists/i.test(created.stdout + created.stderr)) throw failed(request, created.stderr);
  const query = `head=${encodeURIComponent(`${repository.owner}:${head}`)}&state=open`;
  const listed = await gh(request, `${pulls}?${query}`, 'GET');
  if (listed.exitCode !== 0) throw failed(request, listed.stderr);
  return readAnswer(request, listed.stdout);
}

/** One pull request, or the first of a list. */
function readAnswer(request: PullRequestRequest, text: string): PullRequest {
  try {
    const answer: unknown = JSON.parse(text);
    const { html_url: url, number } = ANSWER.parse(Array.isArray(answer) ? answer[0] : answer);
    return { url, number };
  } catch (error) {
    throw failed(request, 'its answer could not be read', error);
  }
}

interface Answer {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** gh exits with 4 when it needs a login (gh help exit-codes). */
const NEEDS_LOGIN = 4;

async function gh(request: PullRequestRequest, path: string, method: string, body?: object): Promise<Answer> {
  const args = ['api', '--hostname', request.repository.host, '--method', method, path];
  const answer = await run(request, body === undefined ? args : [...args, '--input', '-'], body);
  if (answer.exitCode === NEEDS_LOGIN || /gh auth login|HTTP 401/i.test(answer.stderr)) {
    throw new UserError(
      'gh-login',
      `The GitHub command line (gh) is not logged in to ${request.repository.host}. The branch ${request.head} has been pushed; no pull request was opened.`,
      `Run: gh auth login --hostname ${request.repository.host}`,
    );
  }
  return answer;
}

function run(request: PullRequestRequest, args: readonly string[], body?: object): Promise<Answer> {
  const { cwd, signal, executable = 'gh', env } = request;
  return new Promise((resolve, reject) => {
    const child = spawn(executable, args, {
      cwd,
      env: { ...withoutOurs(env), GH_PROMPT_DISABLED: '1', GH_NO_UPDATE_NOTIFIER: '1', NO_COLOR: '1' },
      stdio: 'pipe',
      windowsHide: true,
      ...(signal === undefined ? {} : { signal }),
    });
    const output = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].setEncoding('utf8').on('data', (text: string) => (output[stream] += text));
    }
    child.stdin.on('error', () => {}); // judged by the exit code
    child.stdin.end(body === undefined ? undefined : JSON.stringify(body));
    child.once('error', (error) => reject(errnoOf(error) === 'ENOENT' ? missing(request) : error));
    child.once('close', (code) => resolve({ ...output, exitCode: code ?? -1 }));
  });
}

/** gh needs the person's login and its own settings, but none of our tokens. */
function withoutOurs(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('AQ_')));
}

function missing({ head }: PullRequestRequest): UserError {
  return new UserError(
    'gh-missing',
    `Pull requests are opened through the GitHub command line (gh), which was not found. The branch ${head} has been pushed; no pull request was opened.`,
    'Install gh (https://cli.github.com) and log in, then ship again.',
  );
}

function failed({ head, repository }: PullRequestRequest, reason: string, cause?: unknown): UserError {
  const place = `${repository.host}/${repository.owner}/${repository.name}`;
  return new UserError(
    'pull-request-failed',
    `No pull request could be opened in ${place}: ${redactUrls(reason.trim())}. The branch ${head} has been pushed.`,
    'See the log, put it right, then ship again; or open the pull request by hand.',
    { cause },
  );
}
