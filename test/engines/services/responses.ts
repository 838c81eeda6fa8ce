/** OpenAI's Responses API, streamed. */
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
  THOUGHT_TOKENS,
  type Turn,
  textsOf,
  wordsFor,
} from './dialect.ts';

const TYPES: Readonly<Record<number, string>> = {
  401: 'invalid_request_error',
  429: 'rate_limit_exceeded',
};

export const responses: Dialect = {
  asks: (path) => path.endsWith('/responses'),

  read(url, body) {
    const input = objects(body['input']);
    return {
      url,
      body,
      toolResults: input.filter(({ type }) => String(type).endsWith('_call_output')).length,
      tools: names(objects(body['tools'])),
      said: input.filter(({ role }) => role === 'user').flatMap(({ content }) => textsOf(content)),
    };
  },

  write(turn) {
    const id = `resp_${randomUUID().replaceAll('-', '')}`;
    const item = itemOf(turn);
    const usage = {
      input_tokens: INPUT_TOKENS,
      input_tokens_details: { cached_tokens: CACHED_TOKENS },
      output_tokens: OUTPUT_TOKENS,
      output_tokens_details: { reasoning_tokens: THOUGHT_TOKENS },
      total_tokens: INPUT_TOKENS + OUTPUT_TOKENS,
    };
    return [
      sse('response.created', { type: 'response.created', response: { id } }),
      sse('response.output_item.added', {
        type: 'response.output_item.added',
        output_index: 0,
        item: { ...item, ...(turn.kind === 'answer' && { content: [] }) },
      }),
      sse('response.output_item.done', { type: 'response.output_item.done', output_index: 0, item }),
      sse('response.completed', {
        type: 'response.completed',
        response: { id, status: 'completed', output: [item], usage },
      }),
    ];
  },

  contentType: () => 'text/event-stream',

  refusal: (status, until) =>
    until === undefined
      ? { body: { error: { type: TYPES[status] ?? 'server_error', message: wordsFor(status) } } }
      : {
          body: {
            error: {
              type: 'usage_limit_reached',
              message: 'The usage limit has been reached',
              plan_type: 'plus',
              resets_at: until,
              resets_in_seconds: secondsUntil(until),
            },
          },
        },
};

function itemOf(turn: Extract<Turn, { kind: 'answer' | 'call' }>) {
  const id = randomUUID().replaceAll('-', '');
  if (turn.kind === 'answer') {
    const content = [{ type: 'output_text', text: turn.text, annotations: [] }];
    return { type: 'message', role: 'assistant', id: `msg_${id}`, status: 'completed', content };
  }
  return {
    type: 'function_call',
    id: `fc_${id}`,
    call_id: `call_${id}`,
    name: turn.tool,
    arguments: JSON.stringify(turn.input),
    status: 'completed',
  };
}
