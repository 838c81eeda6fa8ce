import assert from 'node:assert/strict';
import type { EventDigest } from '../../../src/runner/engines/descriptor.ts';
import { engineCatalog } from '../../../src/runner/engines/registry.ts';
import { judge, type Verdict } from '../../../src/runner/engines/verdict.ts';
import type { RunEnd } from '../../../src/runner/supervisor/contract.ts';

const { descriptors } = engineCatalog();

interface Case {
  readonly engine?: string;
  readonly end?: Partial<RunEnd>;
  readonly digest?: Partial<EventDigest>;
  readonly changed?: boolean;
  readonly logTail?: string;
}

function verdict({ engine = 'claude', end = {}, digest = {}, changed = false, logTail }: Case): Verdict {
  const descriptor = descriptors.get(engine);
  assert.ok(descriptor);
  return judge({
    descriptor,
    result: { changed },
    ...(logTail !== undefined && { logTail }),
    end: {
      version: 1,
      endedBy: 'itself',
      exitCode: 0,
      signal: null,
      startedAt: 0,
      endedAt: 1_000_000,
      durationMs: 1,
      logBytes: 0,
      survivors: 0,
      digest: { final: false, failed: false, ...digest },
      ...end,
    },
  });
}

function failed(of: Case): Extract<Verdict, { ok: false }> {
  const result = verdict(of);
  assert.equal(result.ok, false);
  return result;
}

const DONE = { final: true, text: 'Did it.' };

describe('judge', () => {
  it('takes a final event, exit 0 and an answer, or a change, for success', () => {
    assert.deepEqual(verdict({ digest: DONE }), { ok: true, summary: 'Did it.' });
    assert.equal(verdict({ digest: { final: true }, changed: true }).ok, true);
  });

  it('does not believe exit 0 when the engine said that it failed, and knows a rate limit', () => {
    const result = failed({
      digest: { final: true, failed: true, error: 'You have hit your usage limit', limitedUntil: 1060 },
      changed: true,
    });
    assert.equal(result.code, 'rate-limit');
    assert.equal(result.retryable, true);
    assert.equal(result.retryAfter, 60_000);
    assert.match(result.reason, /reported that it failed: You have hit your usage limit/);
  });

  it('knows a limit or a missing login by the status of the refusal, whatever the words', () => {
    const told = (digest: Partial<EventDigest>) =>
      failed({ digest: { final: true, failed: true, error: 'It did not work.', ...digest } }).code;
    assert.equal(told({}), 'failed');
    assert.equal(told({ status: 429 }), 'rate-limit');
    assert.equal(told({ status: 401 }), 'login');
    assert.equal(told({ status: 500 }), 'failed');
    assert.equal(told({ limitedUntil: 1060 }), 'rate-limit');
    assert.equal(
      told({ limitedUntil: 1060, status: 500 }),
      'failed',
      'it went on, and failed over something else',
    );
    assert.equal(told({ limitedUntil: 900 }), 'failed', 'one that was over before it ended');
    assert.equal(told({ error: "You've hit your 5-hour limit · resets 4:37am (UTC)" }), 'rate-limit');
  });

  it('reads from the words until when a limit holds, where no event tells', () => {
    const error = 'Rate limit reached. Please retry in 34s.';
    assert.equal(
      failed({ engine: 'gemini', digest: { final: true, failed: true, error } }).retryAfter,
      34_000,
    );
  });

  it('says in the summary what was not allowed', () => {
    const { ok, ...rest } = verdict({ digest: { ...DONE, denied: 'Write' } });
    assert.equal(ok, true);
    assert.match(
      'summary' in rest ? rest.summary : '',
      /^It was not allowed to use Write: .*`yolo: true`.*\n\nDid it\.$/,
    );
  });

  it('needs a final event', () => {
    assert.equal(failed({ changed: true }).code, 'no-final-event');
  });

  it('needs the exit code to agree', () => {
    const result = failed({ digest: DONE, end: { exitCode: 3 }, changed: true });
    assert.equal(result.code, 'failed');
    assert.match(result.reason, /said that it had finished, but ended with exit status 3/);
  });

  it('needs a result', () => {
    assert.equal(failed({ digest: { final: true, text: ' \n' } }).code, 'no-result');
  });

  it('counts an engine that said that it is done and never exits as done', () => {
    const ended = { exitCode: null, signal: 'SIGKILL' };
    assert.equal(
      verdict({ engine: 'opencode', digest: DONE, end: { endedBy: 'final-event', ...ended } }).ok,
      true,
    );
    const bad = { digest: { final: true, failed: true }, end: { endedBy: 'final-event' as const, ...ended } };
    assert.equal(failed(bad).code, 'failed');
  });

  it('names the command to log in with', () => {
    const claude = failed({
      end: { exitCode: 1 },
      digest: { final: true, failed: true, error: 'Not logged in · Please run /login' },
    });
    assert.deepEqual([claude.code, claude.retryable], ['login', false]);
    assert.match(claude.action, /`claude \/login`/);
    const copilot = failed({
      engine: 'copilot',
      end: { exitCode: 1 },
      logTail: 'Error: No authentication information found.\n\nCopilot can be authenticated with GitHub\n',
    });
    assert.equal(copilot.code, 'login');
    assert.match(copilot.reason, /No authentication information found/);
    const gemini = failed({
      engine: 'gemini',
      end: { exitCode: 41 },
      logTail: 'Please set an Auth method in …',
    });
    assert.equal(gemini.code, 'login');
    assert.match(gemini.reason, /because it is not logged in/);
    assert.equal(
      failed({ engine: 'amp', end: { exitCode: 1 }, logTail: 'Login failed: incomplete' }).code,
      'login',
    );
    const qwen = { final: true, failed: true, error: 'No auth type is selected. Please configure' };
    assert.equal(failed({ engine: 'qwen', end: { exitCode: 1 }, digest: qwen }).code, 'login');
  });

  it('quotes the last thing said to people where an engine only exits', () => {
    const logTail = '{"type":"session"}\nOffline mode requires a local model provider.\n';
    const { code, reason } = failed({ engine: 'copilot', end: { exitCode: 1 }, logTail });
    assert.equal(code, 'failed');
    assert.match(reason, /exit status 1: Offline mode requires a local model provider\./);
  });

  it('reads known exit codes, by engine', () => {
    assert.equal(failed({ engine: 'gemini', end: { exitCode: 53 } }).code, 'limit');
    assert.equal(failed({ engine: 'gemini', end: { exitCode: 42 } }).code, 'input');
    assert.equal(failed({ engine: 'qwen', end: { exitCode: 55 } }).code, 'limit');
    assert.equal(failed({ engine: 'gemini', end: { exitCode: 55 } }).code, 'input');
  });

  it('knows that yolo is refused for root', () => {
    const logTail =
      '--dangerously-skip-permissions cannot be used with root/sudo privileges for security reasons\n';
    assert.equal(failed({ end: { exitCode: 1 }, logTail }).code, 'root');
  });

  it('goes by the exit status alone for shell', () => {
    assert.equal(verdict({ engine: 'shell' }).ok, true);
    assert.match(failed({ engine: 'shell', end: { exitCode: 2 }, changed: true }).reason, /exit status 2/);
    const killed = failed({ engine: 'shell', end: { exitCode: null, signal: 'SIGKILL' }, changed: true });
    assert.equal(killed.code, 'interrupted');
    assert.equal(failed({ engine: 'shell', end: { endedBy: 'timeout', exitCode: 0 } }).code, 'timeout');
  });

  it('judges engines without events by exit status and result, and hears a failure that changed nothing', () => {
    const text = 'Applied edit to a.ts';
    assert.equal(verdict({ engine: 'aider', digest: { text }, changed: true }).ok, true);
    assert.equal(verdict({ engine: 'devin', digest: { text: 'The answer is 4.' } }).ok, true);
    assert.equal(failed({ engine: 'devin' }).code, 'no-result');
    const noKey = 'litellm.AuthenticationError: AuthenticationError: OpenAIException';
    assert.equal(failed({ engine: 'aider', digest: { text: noKey } }).code, 'login');
    assert.equal(verdict({ engine: 'aider', digest: { text: noKey }, changed: true }).ok, true);
  });

  it('knows that a session is gone, by the words of each engine', () => {
    const id = '6f1c3b0e-8f0a-4a44-9d5e-0c3a1f6b2d11';
    const words: readonly (readonly [string, string, number])[] = [
      ['claude', `No conversation found with session ID: ${id}`, 1],
      [
        'codex',
        `Error: thread/resume: thread/resume failed: no rollout found for thread id ${id} (code -32600)`,
        1,
      ],
      ['gemini', 'Error resuming session: No previous sessions found for this project.', 42],
      ['qwen', `No saved session found with ID ${id}. Run \`qwen --resume\` without an ID.`, 1],
      ['opencode', 'Error: Session not found', 1],
      ['copilot', `Error: No session, task, or name matched '${id}'.`, 1],
    ];
    for (const [engine, logTail, exitCode] of words) {
      assert.equal(failed({ engine, end: { exitCode }, logTail }).code, 'no-session', engine);
    }
  });

  it('says what ended it: time limit, person, withdrawal, shutdown, system', () => {
    const codes = [
      failed({ end: { endedBy: 'timeout', exitCode: null }, changed: true }),
      // What claude and copilot print when they are interrupted.
      failed({
        end: { endedBy: 'timeout' },
        digest: { final: true, failed: true, error: 'result_type=user' },
      }),
      failed({ engine: 'copilot', end: { endedBy: 'timeout' }, digest: DONE, changed: true }),
      failed({ end: { endedBy: 'stop', stopReason: 'cancel', exitCode: 0 }, digest: DONE }),
      failed({ end: { endedBy: 'stop', stopReason: 'revoked' } }),
      failed({ end: { endedBy: 'stop', stopReason: 'shutdown' } }),
      failed({ end: { endedBy: 'spawn-error', exitCode: null, spawnError: 'ENOENT' } }),
      failed({ end: { exitCode: null, signal: 'SIGKILL' } }),
    ].map(({ code, retryable }) => [code, retryable]);
    assert.deepEqual(codes, [
      ['timeout', true],
      ['timeout', true],
      ['timeout', true],
      ['cancelled', false],
      ['cancelled', false],
      ['interrupted', true],
      ['spawn', false],
      ['interrupted', true],
    ]);
  });

  it('quotes an error on one line of at most 300 characters, without control codes, and never an event', () => {
    const long = failed({
      digest: { final: true, failed: true, error: `\u001b[31mBad\n${'x'.repeat(1000)}` },
    });
    assert.ok(long.reason.length < 360);
    assert.match(long.reason, /: Bad x+…$/);
    const echo = `{"type":"message","role":"user","content":"fix the error in the secret plan"}\nall quiet\n`;
    assert.equal(
      failed({ engine: 'gemini', end: { exitCode: 1 }, logTail: echo }).reason,
      'Gemini CLI ended with exit status 1: all quiet',
    );
  });

  it('gives every failure a next action', () => {
    for (const engine of descriptors.keys()) {
      for (const endedBy of ['itself', 'timeout', 'stop', 'spawn-error'] as const) {
        assert.match(failed({ engine, end: { endedBy, exitCode: 9 } }).action, /\.$/);
      }
    }
  });
});
