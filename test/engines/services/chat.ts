/** OpenAI's Chat Completions API, streamed or whole. */
import { randomUUID } from 'node:crypto';
import {
  CACHED_TOKENS,
  type Dialect,
  INPUT_TOKENS,
  isObject,
  names,
  OUTPUT_TOKENS,
  objects,
  secondsUntil,
  sse,
  THOUGHT_TOKENS,
  type Turn,
  textsOf,
  wordsFor,
} from './dialect.ts';

const USAGE = {
  prompt_tokens: INPUT_TOKENS,
  completion_tokens: OUTPUT_TOKENS,
  total_tokens: INPUT_TOKENS + OUTPUT_TOKENS,
  prompt_tokens_details: { cached_tokens: CACHED_TOKENS },
  completion_tokens_details: { reasoning_tokens: THOUGHT_TOKENS },
};

const CODES: Readonly<Record<number, string>> = { 401: 'invalid_api_key', 429: 'rate_limit_exceeded' };

export const chat: Dialect = {
  asks: (path) => path.endsWith('/chat/completions'),

  read(url, body) {
    const messages = objects(body['messages']);
    return {
      url,
      body,
      toolResults: messages.filter(({ role }) => role === 'tool').length,
      tools: names(
        objects(body['tools']).flatMap((tool) => (isObject(tool['function']) ? [tool['function']] : [])),
      ),
      said: messages.filter(({ role }) => role === 'user').flatMap(({ content }) => textsOf(content)),
    };
  },

  write(turn, { body }) {
    const id = `chatcmpl-${randomUUID()}`;
    const finish_reason = turn.kind === 'call' ? 'tool_calls' : 'stop';
    const said = saidBy(turn);
    const head = { id, created: 1, model: body['model'] };
    if (body['stream'] !== true) {
      const choice = { index: 0, message: said, finish_reason };
      return [JSON.stringify({ ...head, object: 'chat.completion', choices: [choice], usage: USAGE })];
    }
    const chunk = (delta: object, finish: string | null) =>
      sse(undefined, {
        ...head,
        object: 'chat.completion.chunk',
        choices: [{ index: 0, delta, finish_reason: finish }],
      });
    return [
      chunk({ role: 'assistant', content: '' }, null),
      chunk(said, null),
      chunk({}, finish_reason),
      sse(undefined, { ...head, object: 'chat.completion.chunk', choices: [], usage: USAGE }),
      sse(undefined, '[DONE]'),
    ];
  },

  contentType: ({ body }) => (body['stream'] === true ? 'text/event-stream' : 'application/json'),

  refusal: (status, until) => ({
    body: {
      error: { message: wordsFor(status), type: 'error', param: null, code: CODES[status] ?? 'server_error' },
    },
    ...(until !== undefined && { headers: { 'retry-after': String(secondsUntil(until)) } }),
  }),
};

function saidBy(turn: Extract<Turn, { kind: 'answer' | 'call' }>) {
  if (turn.kind === 'answer') return { role: 'assistant', content: turn.text };
  const call = { name: turn.tool, arguments: JSON.stringify(turn.input) };
  return {
    role: 'assistant',
    content: null,
    tool_calls: [{ index: 0, id: `call_${randomUUID().slice(0, 8)}`, type: 'function', function: call }],
  };
}
