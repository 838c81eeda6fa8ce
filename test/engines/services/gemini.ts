/** Google's Gemini API: `generateContent`, streamed or whole. */
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
  textsOf,
  wordsFor,
} from './dialect.ts';

const STATUSES: Readonly<Record<number, string>> = { 401: 'UNAUTHENTICATED', 429: 'RESOURCE_EXHAUSTED' };

export const gemini: Dialect = {
  asks: (path) => /:(stream)?generateContent$/i.test(path),

  read(url, body) {
    const contents = objects(body['contents']);
    return {
      url,
      body,
      toolResults: contents
        .flatMap(({ parts }) => objects(parts))
        .filter((part) => part['functionResponse'] !== undefined).length,
      tools: objects(body['tools']).flatMap((tool) => names(objects(tool['functionDeclarations']))),
      said: contents.filter(({ role }) => role === 'user').flatMap((content) => textsOf(content['parts'])),
    };
  },

  write(turn, request) {
    const part =
      turn.kind === 'answer'
        ? { text: turn.text }
        : { functionCall: { name: turn.tool, args: turn.input }, thoughtSignature: 'c3R1Yg==' };
    const answer = {
      candidates: [{ content: { role: 'model', parts: [part] }, finishReason: 'STOP', index: 0 }],
      usageMetadata: {
        promptTokenCount: INPUT_TOKENS,
        cachedContentTokenCount: CACHED_TOKENS,
        // Thoughts are counted apart.
        candidatesTokenCount: OUTPUT_TOKENS - THOUGHT_TOKENS,
        thoughtsTokenCount: THOUGHT_TOKENS,
        totalTokenCount: INPUT_TOKENS + OUTPUT_TOKENS,
      },
    };
    return [isStreamed(request.url) ? sse(undefined, answer) : JSON.stringify(answer)];
  },

  contentType: ({ url }) => (isStreamed(url) ? 'text/event-stream' : 'application/json'),

  refusal: (status, until) => ({
    body: {
      error: {
        code: status,
        message: wordsFor(status) + (until === undefined ? '' : ` Please retry in ${secondsUntil(until)}s.`),
        status: STATUSES[status] ?? 'INTERNAL',
        ...(until !== undefined && {
          details: [
            { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: `${secondsUntil(until)}s` },
          ],
        }),
      },
    },
  }),
};

function isStreamed(url: string): boolean {
  return /:streamGenerateContent/.test(url);
}
