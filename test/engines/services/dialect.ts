/** How a model service is spoken to, for the stubs: what a request asks for, and how an answer is written. */

/** What the stub does with a request. */
export type Turn =
  /** `afterMs`: not at once. */
  | { readonly kind: 'answer'; readonly text: string; readonly afterMs?: number }
  | { readonly kind: 'call'; readonly tool: string; readonly input: Readonly<Record<string, unknown>> }
  /** Refused with an HTTP status; `until`, for 429: when the limit is lifted, in seconds since the epoch. */
  | { readonly kind: 'refuse'; readonly status: number; readonly until?: number }
  /** Taken, and never answered. */
  | { readonly kind: 'silence' }
  /** Status 200 and a body that is not of this protocol. */
  | { readonly kind: 'garbage' }
  /** An answer that is begun, and broken off with its connection. */
  | { readonly kind: 'cut' };

/** What the stub makes of a request's body. */
export interface ModelRequest {
  /** The path that was asked, with its query. */
  readonly url: string;
  /** The request as it came, parsed. */
  readonly body: Readonly<Record<string, unknown>>;
  /** How many results of tools the conversation holds. */
  readonly toolResults: number;
  /** Names of the tools that are offered; none for side requests, such as for a title. */
  readonly tools: readonly string[];
  /** All that a person has said, oldest first, tool results left out. */
  readonly said: readonly string[];
}

export type Protocol = 'anthropic' | 'responses' | 'chat' | 'gemini';

export interface Refusal {
  readonly body: object;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Dialect {
  /** Whether a request of this path (without query) asks the model something. */
  asks(path: string): boolean;
  read(url: string, body: Readonly<Record<string, unknown>>): ModelRequest;
  /** The whole answer in pieces, as they are sent; a `cut` sends only the first half of them. */
  write(turn: Extract<Turn, { kind: 'answer' | 'call' }>, request: ModelRequest): readonly string[];
  /** The content type of `write`. */
  contentType(request: ModelRequest): string;
  /** A refusal; `until` as the real service tells it. */
  refusal(status: number, until: number | undefined): Refusal;
}

/**
 * What each stub says that a question and its answer were in tokens, so that it can be looked for in the job. Of those
 * read some come from a cache and of those written some are thoughts; each protocol tells that in its own way.
 */
export const INPUT_TOKENS = 120;
export const CACHED_TOKENS = 40;
export const OUTPUT_TOKENS = 34;
export const THOUGHT_TOKENS = 10;

export function sse(event: string | undefined, data: unknown): string {
  const text = typeof data === 'string' ? data : JSON.stringify(data);
  return `${event === undefined ? '' : `event: ${event}\n`}data: ${text}\n\n`;
}

/** Seconds from now. */
export function secondsUntil(until: number): number {
  return Math.max(1, Math.round(until - Date.now() / 1000));
}

/** What a service says with a status, in words. */
export function wordsFor(status: number): string {
  switch (status) {
    case 401:
      return 'Invalid API key.';
    case 429:
      return 'Rate limit reached for requests.';
    default:
      return 'The server had an error while processing your request.';
  }
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The elements of a list that are objects; none when it is no list. */
export function objects(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** The texts in a message's content, which is a text or a list of parts. */
export function textsOf(content: unknown): string[] {
  if (typeof content === 'string') return [content];
  return objects(content).flatMap(({ text }) => (typeof text === 'string' ? [text] : []));
}

export function names(tools: readonly Readonly<Record<string, unknown>>[]): string[] {
  return tools.flatMap(({ name }) => (typeof name === 'string' ? [name] : []));
}
