import assert from 'node:assert/strict';
import type { EventDigest, EventRules } from '../../../src/runner/engines/descriptor.ts';
import { emptyDigest, readEvent } from '../../../src/runner/engines/events.ts';
import { engineCatalog } from '../../../src/runner/engines/registry.ts';

const { descriptors } = engineCatalog();

function digestOf(engine: string, lines: readonly (string | object)[]): EventDigest {
  const rules = descriptors.get(engine)?.events;
  assert.ok(rules);
  return lines.reduce<EventDigest>(
    (digest, line) => readEvent(rules, digest, typeof line === 'string' ? line : JSON.stringify(line)),
    emptyDigest,
  );
}

describe('readEvent', () => {
  it('reads claude: session, answer, cost and tokens of a success', () => {
    const digest = digestOf('claude', [
      { type: 'system', subtype: 'init', session_id: 's-1', tools: ['Bash'] },
      { type: 'assistant', session_id: 's-1', message: { content: [{ type: 'text', text: 'Working' }] } },
      {
        type: 'result',
        subtype: 'success',
        is_error: false,
        result: 'Done.',
        session_id: 's-1',
        total_cost_usd: 0.25,
        usage: {
          input_tokens: 12,
          cache_creation_input_tokens: 100,
          cache_read_input_tokens: 1000,
          output_tokens: 34,
        },
        api_error_status: null,
        permission_denials: [],
      },
    ]);
    assert.deepEqual(digest, {
      final: true,
      failed: false,
      sessionId: 's-1',
      text: 'Done.',
      costUsd: 0.25,
      inputTokens: 1112,
      outputTokens: 34,
    });
  });

  it('reads claude: an error flag in a result of subtype success, and until when the limit holds', () => {
    const digest = digestOf('claude', [
      { type: 'rate_limit_event', rate_limit_info: { status: 'rejected', resetsAt: 1_795_000_000 } },
      {
        type: 'result',
        subtype: 'success',
        is_error: true,
        result: "You've hit your limit",
        session_id: 's',
      },
    ]);
    assert.equal(digest.failed, true);
    assert.equal(digest.error, "You've hit your limit");
    assert.equal(digest.limitedUntil, 1_795_000_000);
  });

  it('reads the status of a refusal, and what was not allowed', () => {
    const claude = digestOf('claude', [
      {
        type: 'result',
        is_error: true,
        api_error_status: 429,
        permission_denials: [{ tool_name: 'Write' }, { tool_name: 'Bash' }],
      },
    ]);
    assert.deepEqual([claude.status, claude.denied], [429, 'Write']);
    const refused = { type: 'session.error', data: { message: 'Last error: 401', statusCode: 401 } };
    const denied = {
      type: 'tool.execution_complete',
      data: { error: { code: 'denied' }, toolTelemetry: { properties: { command: 'create' } } },
    };
    const copilot = digestOf('copilot', [denied, refused]);
    assert.deepEqual([copilot.status, copilot.denied], [401, 'create']);
  });

  it('adds what belongs to a number, also in parts, and only numbers', () => {
    const step = (input: number, read: unknown) => ({
      type: 'step_finish',
      part: { reason: 'tool-calls', tokens: { input, cache: { read, write: 1 } } },
    });
    assert.equal(digestOf('opencode', [step(10, 5), step(20, 'many')]).inputTokens, 10 + 5 + 1 + 20 + 1);
    const stats = { total_tokens: 154, input_tokens: 120, output_tokens: 24 };
    assert.equal(digestOf('gemini', [{ type: 'result', status: 'success', stats }]).outputTokens, 34);
  });

  it('reads codex: a passing error is no failure, only turn.failed is', () => {
    const passing = [
      { type: 'thread.started', thread_id: 't-1' },
      { type: 'error', message: 'Reconnecting... 1/5' },
      { type: 'item.completed', item: { type: 'reasoning', text: 'thinking' } },
      { type: 'item.completed', item: { type: 'agent_message', text: 'All green.' } },
    ];
    const good = digestOf('codex', [
      ...passing,
      { type: 'turn.completed', usage: { input_tokens: 5, output_tokens: 6 } },
    ]);
    assert.deepEqual(
      [good.final, good.failed, good.sessionId, good.text, good.inputTokens],
      [true, false, 't-1', 'All green.', 5],
    );
    const bad = digestOf('codex', [
      ...passing,
      { type: 'turn.failed', error: { message: 'stream disconnected' } },
    ]);
    assert.deepEqual([bad.final, bad.failed, bad.error], [true, true, 'stream disconnected']);
  });

  it('reads gemini: joins the parts of the answer and leaves the echo of the prompt out', () => {
    const digest = digestOf('gemini', [
      { type: 'init', session_id: 'g', model: 'm' },
      { type: 'message', role: 'user', content: 'the secret prompt' },
      { type: 'message', role: 'assistant', content: 'Hel', delta: true },
      { type: 'message', role: 'assistant', content: 'lo', delta: true },
      { type: 'result', status: 'success', stats: { input_tokens: 1, output_tokens: 2 } },
    ]);
    assert.equal(digest.text, 'Hello');
    assert.deepEqual([digest.final, digest.failed, digest.sessionId], [true, false, 'g']);
  });

  it('reads opencode: only the step that stops is final; cost and tokens add up', () => {
    const step = (reason: string) => ({
      type: 'step_finish',
      sessionID: 'ses_1',
      part: { reason, cost: 0.5, tokens: { input: 10, output: 1 } },
    });
    const going = digestOf('opencode', [
      { type: 'step_start', sessionID: 'ses_1', part: {} },
      step('tool-calls'),
    ]);
    assert.equal(going.final, false);
    const done = digestOf('opencode', [
      step('tool-calls'),
      { type: 'text', part: { text: 'ok' } },
      step('stop'),
    ]);
    assert.deepEqual([done.final, done.costUsd, done.inputTokens, done.text], [true, 1, 20, 'ok']);
    const error = digestOf('opencode', [
      { type: 'error', sessionID: 's', error: { name: 'APIError', data: { message: 'no model' } } },
    ]);
    assert.deepEqual([error.failed, error.error, error.sessionId], [true, 'no model', 's']);
  });

  it('reads copilot, cline, goose, qwen, cursor-agent and amp to their end', () => {
    const ends: Record<string, object> = {
      copilot: { type: 'result', sessionId: 'c', exitCode: 0, usage: { premiumRequests: 1 } },
      cline: { type: 'run_result', finishReason: 'completed', text: 'ok' },
      goose: { type: 'complete', total_tokens: 7 },
      qwen: { type: 'result', subtype: 'success', is_error: false, result: 'ok', session_id: 'q' },
      'cursor-agent': { type: 'result', subtype: 'success', is_error: false, result: 'ok', session_id: 'u' },
      amp: { type: 'result', subtype: 'success', is_error: false, result: 'ok', session_id: 'T-1' },
    };
    for (const [engine, event] of Object.entries(ends)) {
      const digest = digestOf(engine, [event]);
      assert.deepEqual([engine, digest.final, digest.failed], [engine, true, false]);
    }
    const qwen = digestOf('qwen', [
      { type: 'result', is_error: true, error: { message: 'No auth type is selected' } },
    ]);
    assert.equal(qwen.error, 'No auth type is selected');
    assert.equal(digestOf('copilot', [{ type: 'result', exitCode: 1 }]).final, false);
  });

  it('leaves the digest as it is for lines that are no events, and never throws', () => {
    const rules: EventRules = { final: [{ type: 'result' }], text: ['message.text'] };
    const lines = [
      '',
      ' ',
      '"result"',
      '{"type":"result"',
      '{"type":"result",}',
      '[{"type":"result"}]',
      'plain "result" text',
      '{}',
      'null',
      '{"message":null,"text":1}',
      '{"message":"text"}',
    ];
    for (const line of lines) assert.equal(readEvent(rules, emptyDigest, line).final, false, line);
    assert.equal(readEvent(rules, emptyDigest, '  {"type": "result"}\r').final, true);
    assert.equal(
      readEvent({ final: [{ 'constructor.name': 'Object' }] }, emptyDigest, '{"name":1}').final,
      false,
    );
  });

  it('keeps a failure when a later event is a success', () => {
    const digest = digestOf('goose', [{ type: 'error', error: 'broke' }, { type: 'complete' }]);
    assert.deepEqual([digest.final, digest.failed], [true, true]);
  });

  it('limits a text to 16 KiB, and cuts no character in half', () => {
    const whole = digestOf('claude', [{ type: 'result', result: `a${'😀'.repeat(20_000)}` }]);
    assert.equal(whole.text?.length, 16 * 1024);
    assert.ok(whole.text?.isWellFormed());
    const part = { type: 'message', role: 'assistant', content: 'x'.repeat(10_000) };
    const parts = digestOf('gemini', [part, { ...part, content: `${'y'.repeat(10_000)}end` }]);
    assert.equal(parts.text?.length, 16 * 1024);
    assert.ok(parts.text?.endsWith('end'));
  });

  it('parses no line that cannot match', () => {
    const rules = descriptors.get('codex')?.events as EventRules;
    const output = JSON.stringify({
      type: 'item.completed',
      item: { type: 'command_execution', aggregated_output: 'agent message '.repeat(1000) },
    });
    const parse = JSON.parse;
    let parsed = 0;
    JSON.parse = (...args: Parameters<typeof JSON.parse>) => {
      parsed++;
      return parse(...args) as unknown;
    };
    try {
      let digest: EventDigest = emptyDigest;
      for (let count = 0; count < 100; count++) digest = readEvent(rules, digest, output);
      assert.equal(digest, emptyDigest);
      assert.equal(parsed, 0);
      readEvent(rules, digest, '{"type":"turn.completed"}');
      assert.equal(parsed, 1);
    } finally {
      JSON.parse = parse;
    }
  });
});
