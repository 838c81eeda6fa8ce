/** What the built-in engines print when asked for events, one JSON object a line: which of it says what. */
import type { EventRules } from './descriptor.ts';

const RESULT = { type: 'result' };

/** Claude Code's stream-json, which amp, qwen and cursor-agent speak as well. What came from a cache it counts apart. */
export const CLAUDE_EVENTS: EventRules = {
  final: [RESULT],
  failed: [
    { type: 'result', subtype: 'error_during_execution' },
    { type: 'result', subtype: 'error_max_turns' },
  ],
  errorFlag: 'is_error',
  error: [
    { path: 'error.message', when: { type: 'result', is_error: true } },
    { path: 'error', when: { type: 'result', is_error: true } },
    { path: 'result', when: { type: 'result', is_error: true } },
    { path: 'errors.0', when: { type: 'result', is_error: true } },
  ],
  session: [
    { path: 'session_id', when: { type: 'system', subtype: 'init' } },
    { path: 'session_id', when: RESULT },
  ],
  text: [{ path: 'result', when: RESULT }],
  costUsd: [{ path: 'total_cost_usd', when: RESULT }],
  inputTokens: [
    {
      path: 'usage.input_tokens',
      plus: ['usage.cache_creation_input_tokens', 'usage.cache_read_input_tokens'],
      when: RESULT,
    },
  ],
  outputTokens: [{ path: 'usage.output_tokens', when: RESULT }],
  status: [{ path: 'api_error_status', when: RESULT }],
  denied: [{ path: 'permission_denials.0.tool_name', when: RESULT }],
  limitedUntil: [
    {
      path: 'rate_limit_info.resetsAt',
      when: { type: 'rate_limit_event', 'rate_limit_info.status': 'rejected' },
    },
  ],
};

/** Qwen's are the service's own numbers: what came from a cache is among the input. */
export const QWEN_EVENTS: EventRules = {
  ...CLAUDE_EVENTS,
  inputTokens: [{ path: 'usage.input_tokens', when: RESULT }],
};

const AGENT_MESSAGE = { type: 'item.completed', 'item.type': 'agent_message' };
const TURN_COMPLETED = { type: 'turn.completed' };
const TURN_FAILED = { type: 'turn.failed' };

/** A codex `error` event may be passing ("Reconnecting... 2/5"), so that only `turn.failed` counts as failed. */
export const CODEX_EVENTS: EventRules = {
  final: [TURN_COMPLETED, TURN_FAILED],
  failed: [TURN_FAILED],
  error: [
    { path: 'error.message', when: TURN_FAILED },
    { path: 'message', when: { type: 'error' } },
  ],
  session: [{ path: 'thread_id', when: { type: 'thread.started' } }],
  text: [{ path: 'item.text', when: AGENT_MESSAGE }],
  inputTokens: [{ path: 'usage.input_tokens', when: TURN_COMPLETED }],
  outputTokens: [{ path: 'usage.output_tokens', when: TURN_COMPLETED }],
  // A resumed thread goes on counting where it was (https://github.com/openai/codex/issues/17539).
  usage: 'session',
};

/** Gemini repeats the prompt as a message of role `user`, and gives its answer in parts. */
export const GEMINI_EVENTS: EventRules = {
  final: [RESULT],
  failed: [{ type: 'result', status: 'error' }],
  error: [
    { path: 'error.message', when: { type: 'result', status: 'error' } },
    { path: 'message', when: { type: 'error', severity: 'error' } },
  ],
  session: [{ path: 'session_id', when: { type: 'init' } }],
  text: [{ path: 'content', when: { type: 'message', role: 'assistant' }, accumulate: true }],
  inputTokens: [{ path: 'stats.input_tokens', when: RESULT }],
  // Its own `output_tokens` leave out what it has thought.
  outputTokens: [{ path: 'stats.total_tokens', minus: ['stats.input_tokens'], when: RESULT }],
};

/** A `result` with another exit code is no final event: the process then ends with that code as well. */
export const COPILOT_EVENTS: EventRules = {
  final: [{ type: 'result', exitCode: 0 }],
  error: [{ path: 'data.message', when: { type: 'session.error' } }],
  session: [{ path: 'sessionId', when: RESULT }],
  text: [{ path: 'data.content', when: { type: 'assistant.message' } }],
  status: [{ path: 'data.statusCode', when: { type: 'session.error' } }],
  denied: [
    {
      path: 'data.toolTelemetry.properties.command',
      when: { type: 'tool.execution_complete', 'data.error.code': 'denied' },
    },
  ],
};

const STEP_FINISH = { type: 'step_finish' };

/** OpenCode ends each step with an event; the last one says why it stopped. Cost and tokens are those of the step. */
export const OPENCODE_EVENTS: EventRules = {
  final: [
    { type: 'step_finish', 'part.reason': 'stop' },
    { type: 'step_finish', 'part.reason': 'length' },
    { type: 'step_finish', 'part.reason': 'content-filter' },
  ],
  failed: [
    { type: 'error' },
    { type: 'step_finish', 'part.reason': 'length' },
    { type: 'step_finish', 'part.reason': 'content-filter' },
  ],
  error: [
    { path: 'error.data.message', when: { type: 'error' } },
    { path: 'error.name', when: { type: 'error' } },
  ],
  status: [{ path: 'error.data.statusCode', when: { type: 'error' } }],
  session: [
    { path: 'sessionID', when: { type: 'step_start' } },
    { path: 'sessionID', when: { type: 'error' } },
  ],
  text: [{ path: 'part.text', when: { type: 'text' } }],
  costUsd: [{ path: 'part.cost', when: STEP_FINISH, accumulate: true }],
  inputTokens: [
    {
      path: 'part.tokens.input',
      plus: ['part.tokens.cache.read', 'part.tokens.cache.write'],
      when: STEP_FINISH,
      accumulate: true,
    },
  ],
  outputTokens: [
    { path: 'part.tokens.output', plus: ['part.tokens.reasoning'], when: STEP_FINISH, accumulate: true },
  ],
};

const RUN_RESULT = { type: 'run_result' };

export const CLINE_EVENTS: EventRules = {
  final: [
    { type: 'run_result', finishReason: 'completed' },
    { type: 'run_result', finishReason: 'error' },
  ],
  failed: [{ type: 'error' }, { type: 'run_aborted' }, { type: 'run_result', finishReason: 'error' }],
  // Its `error` event goes to standard error, where only people read it.
  error: [
    { path: 'text', when: { type: 'run_result', finishReason: 'error' } },
    { path: 'message', when: { type: 'error' } },
    { path: 'event.error.message', when: { type: 'agent_event', 'event.type': 'error' } },
  ],
  text: [{ path: 'text', when: RUN_RESULT }],
  inputTokens: [{ path: 'usage.inputTokens', when: RUN_RESULT }],
  outputTokens: [{ path: 'usage.outputTokens', when: RUN_RESULT }],
  costUsd: [{ path: 'usage.totalCost', when: RUN_RESULT }],
};

export const GOOSE_EVENTS: EventRules = {
  final: [{ type: 'complete' }],
  failed: [{ type: 'error' }],
  error: [{ path: 'error', when: { type: 'error' } }],
  text: [{ path: 'message.content.0.text', when: { type: 'message', 'message.role': 'assistant' } }],
};
