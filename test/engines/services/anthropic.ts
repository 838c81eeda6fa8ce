/** Anthropic's Messages API, streamed or whole. */
import { randomUUID } from 'node:crypto';
import {
  CACHED_TOKENS,
  type Dialect,
  INPUT_TOKENS,
  names,
  OUTPUT_TOKENS,
  objects,
  secondsUntil,
  sse,
  type Turn,
  textsOf,
  wordsFor,
} from './dialect.ts';

const ERROR_TYPES: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  429: 'rate_limit_error',
};

/** What came from the cache, or went into it, is counted apart. */
const INPUT = {
  input_tokens: INPUT_TOKENS - 2 * CACHED_TOKENS,
  cache_creation_input_tokens: CACHED_TOKENS,
  cache_read_input_tokens: CACHED_TOKENS,
};

export const anthropic: Dialect = {
  asks: (path) => path.endsWith('/messages'),

  read(url, body) {
    const messages = objects(body['messages']);
    return {
      url,
      body,
      toolResults: messages
        .flatMap(({ content }) => objects(content))
        .filter(({ type }) => type === 'tool_result').length,
      tools: names(objects(body['tools'])),
      said: messages.filter(({ role }) => role === 'user').flatMap(({ content }) => textsOf(content)),
    };
  },

  write(turn, { body }) {
    const message = {
      id: `msg_${randomUUID().replaceAll('-', '')}`,
      type: 'message',
      role: 'assistant',
      model: body['model'],
      stop_sequence: null,
    };
    const { block, opening, delta } = blockOf(turn);
    const stop_reason = turn.kind === 'call' ? 'tool_use' : 'end_turn';
    if (body['stream'] !== true) {
      const usage = { ...INPUT, output_tokens: OUTPUT_TOKENS };
      return [JSON.stringify({ ...message, content: [block], stop_reason, usage })];
    }
    const usage = { ...INPUT, output_tokens: 1 };
    return [
      sse('message_start', {
        type: 'message_start',
        message: { ...message, content: [], stop_reason: null, usage },
      }),
      sse('content_block_start', { type: 'content_block_start', index: 0, content_block: opening }),
      sse('content_block_delta', { type: 'content_block_delta', index: 0, delta }),
      sse('content_block_stop', { type: 'content_block_stop', index: 0 }),
      sse('message_delta', {
        type: 'message_delta',
        delta: { stop_reason, stop_sequence: null },
        usage: { output_tokens: OUTPUT_TOKENS },
      }),
      sse('message_stop', { type: 'message_stop' }),
    ];
  },

  contentType: ({ body }) => (body['stream'] === true ? 'text/event-stream' : 'application/json'),

  // The headers are those of a subscription, https://docs.claude.com/en/api/rate-limits, as its own program reads them.
  refusal: (status, until) => ({
    body: { type: 'error', error: { type: ERROR_TYPES[status] ?? 'api_error', message: wordsFor(status) } },
    ...(until !== undefined && {
      headers: {
        'retry-after': String(secondsUntil(until)),
        'anthropic-ratelimit-unified-status': 'rejected',
        'anthropic-ratelimit-unified-representative-claim': 'five_hour',
        'anthropic-ratelimit-unified-reset': String(until),
        'anthropic-ratelimit-unified-5h-status': 'rejected',
        'anthropic-ratelimit-unified-5h-reset': String(until),
      },
    }),
  }),
};

function blockOf(turn: Extract<Turn, { kind: 'answer' | 'call' }>) {
  if (turn.kind === 'answer') {
    return {
      block: { type: 'text', text: turn.text },
      opening: { type: 'text', text: '' },
      delta: { type: 'text_delta', text: turn.text },
    };
  }
  const use = { type: 'tool_use', id: `toolu_${randomUUID().replaceAll('-', '')}`, name: turn.tool };
  return {
    block: { ...use, input: turn.input },
    opening: { ...use, input: {} },
    delta: { type: 'input_json_delta', partial_json: JSON.stringify(turn.input) },
  };
}
