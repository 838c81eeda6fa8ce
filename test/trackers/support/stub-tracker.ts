/** A tracker that a test writes the answers of: a real HTTP server on loopback that keeps comments as GitHub does. */
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: http.IncomingHttpHeaders;
  readonly raw: string;
}

export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Instead of `body`: the very bytes. */
  readonly raw?: string;
}

/** An answer, or something odd done to the connection; undefined: as GitHub would. */
export type Script = (
  request: Received,
  response: http.ServerResponse,
) => Answer | 'handled' | undefined | Promise<Answer | 'handled' | undefined>;

export class StubTracker {
  readonly requests: Received[] = [];
  /** In the order in which they were made, of all issues. */
  readonly comments: { readonly path: string; readonly body: string }[] = [];
  script: Script = () => undefined;
  readonly #sockets = new Set<Socket>();
  #server: http.Server | https.Server | undefined;
  #port = 0;

  readonly #pem: Buffer | undefined;

  /** @param pem key and certificate: it then speaks https */
  constructor(pem?: Buffer) {
    this.#pem = pem;
  }

  static async start(pem?: Buffer): Promise<StubTracker> {
    const stub = new StubTracker(pem);
    await stub.up();
    return stub;
  }

  get port(): number {
    return this.#port;
  }

  get api(): string {
    return `http://127.0.0.1:${this.#port}/api/v3`;
  }

  async up(): Promise<void> {
    const serve: http.RequestListener = (request, response) => void this.#serve(request, response);
    const pem = this.#pem;
    const server =
      pem === undefined ? http.createServer(serve) : https.createServer({ key: pem, cert: pem }, serve);
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  /** Nobody listens any more; connections are cut. */
  async down(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = once(server, 'close');
    server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** `POST 7`, `GET 7`: what was asked, and of which issue. */
  asked(): string[] {
    return this.requests.map(({ method, path }) => `${method} ${/issues\/(\d+)/.exec(path)?.[1]}`);
  }

  /** What people see of the comments on an issue, without the sentence at the end. */
  told(issue = 7): string[] {
    return this.comments
      .filter(({ path }) => path.endsWith(`/issues/${issue}/comments`))
      .map(({ body }) => /`: (.*?)\. /.exec(body)?.[1] ?? body);
  }

  /** Does what GitHub would, without answering. */
  make({ path, raw }: Received): void {
    this.comments.push({ path, body: (JSON.parse(raw) as { body: string }).body });
  }

  async #serve(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    let raw = '';
    for await (const chunk of request) raw += String(chunk);
    const { pathname, searchParams } = new URL(request.url ?? '', this.api);
    const received: Received = {
      method: request.method ?? '',
      path: pathname,
      query: searchParams,
      headers: request.headers,
      raw,
    };
    this.requests.push(received);
    const scripted = await this.script(received, response);
    if (scripted === 'handled') return;
    const { status = 200, headers, body, raw: bytes } = scripted ?? this.#own(received);
    response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers });
    response.end(bytes ?? JSON.stringify(body ?? {}));
  }

  #own(request: Received): Answer {
    if (!/^\/api\/v3\/repos\/[^/]+\/[^/]+\/issues\/\d+\/comments$/.test(request.path))
      return { status: 404, body: { message: 'Not Found' } };
    if (request.method === 'POST') {
      this.make(request);
      return { status: 201, body: { id: this.comments.length } };
    }
    const size = Number(request.query.get('per_page') ?? 30);
    const page = Number(request.query.get('page') ?? 1);
    const all = this.comments.filter(({ path }) => path === request.path);
    return { body: all.slice((page - 1) * size, page * size).map(({ body }) => ({ body })) };
  }
}
