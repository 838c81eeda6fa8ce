/** A stub of a model service on loopback, which answers as a scenario says. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { anthropic } from './anthropic.ts';
import { chat } from './chat.ts';
import { type Dialect, isObject, type ModelRequest, type Protocol, type Turn } from './dialect.ts';
import { gemini } from './gemini.ts';
import { responses } from './responses.ts';

const DIALECTS: Readonly<Record<Protocol, Dialect>> = { anthropic, responses, chat, gemini };

export interface ModelService {
  /** E.g. `http://127.0.0.1:40123`, without a path. */
  readonly url: string;
  /** Every question that has come, side requests too, oldest first. */
  readonly asked: readonly ModelRequest[];
  /** Paths that were asked for and are no questions (lists of models, telemetry); they were answered with 404. */
  readonly strayed: readonly string[];
  close(): Promise<void>;
}

/**
 * @param turn what to do with a question
 * @param pages what else the service has, by path (without query): JSON
 */
export async function modelService(
  protocol: Protocol,
  turn: (request: ModelRequest) => Turn,
  pages: Readonly<Record<string, unknown>> = {},
): Promise<ModelService> {
  const dialect = DIALECTS[protocol];
  const asked: ModelRequest[] = [];
  const strayed: string[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      const url = request.url ?? '/';
      const path = url.replace(/\?.*$/, '');
      const body = await bodyOf(request);
      if (request.method !== 'POST' || !dialect.asks(path) || body === undefined) {
        const page = pages[path];
        if (page === undefined) strayed.push(`${request.method} ${path}`);
        response.writeHead(page === undefined ? 404 : 200, { 'content-type': 'application/json' });
        response.end(JSON.stringify(page ?? { error: { message: 'not found' } }));
        return;
      }
      const question = dialect.read(url, body);
      asked.push(question);
      answer(dialect, turn(question), question, response);
    })().catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    strayed,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function answer(dialect: Dialect, turn: Turn, request: ModelRequest, response: ServerResponse): void {
  switch (turn.kind) {
    case 'silence':
      return;
    case 'refuse': {
      const { body, headers } = dialect.refusal(turn.status, turn.until);
      response.writeHead(turn.status, { 'content-type': 'application/json', ...headers });
      response.end(JSON.stringify(body));
      return;
    }
    case 'garbage':
      response.writeHead(200, { 'content-type': dialect.contentType(request) });
      response.end('<html>\u0000 This is no answer of a model. </html>\n\n');
      return;
    case 'cut': {
      const pieces = dialect.write({ kind: 'answer', text: 'This answer will never be whole.' }, request);
      const text = pieces.slice(0, Math.floor(pieces.length / 2)).join('');
      response.writeHead(200, { 'content-type': dialect.contentType(request) });
      response.write(pieces.length > 1 ? text : text.slice(0, text.length / 2), () => response.destroy());
      return;
    }
    case 'answer':
    case 'call': {
      const send = () => {
        response.writeHead(200, { 'content-type': dialect.contentType(request) });
        response.end(dialect.write(turn, request).join(''));
      };
      if (turn.kind === 'answer' && turn.afterMs !== undefined) setTimeout(send, turn.afterMs);
      else send();
    }
  }
}

async function bodyOf(request: IncomingMessage): Promise<Readonly<Record<string, unknown>> | undefined> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  try {
    const body: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    return isObject(body) ? body : undefined;
  } catch {
    return undefined;
  }
}
