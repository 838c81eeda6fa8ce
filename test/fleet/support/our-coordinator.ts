/** Our own coordinator in the stub's place: scripts still come first, and all else is answered by the real one. */
import type http from 'node:http';
import { MemoryStore } from '../../../src/coordinator/memory/store.ts';
import { type CoordinatorServer, startServer } from '../../../src/coordinator/server/server.ts';
import { type CoordinatorSettings, DEFAULT_SETTINGS } from '../../../src/coordinator/settings.ts';
import type { ResultOf } from '../../../src/coordinator/store.ts';
import { hashOf } from '../../../src/coordinator/tokens.ts';
import { SECOND, systemClock } from '../../../src/platform/clock.ts';
import { silentLog } from '../../../src/platform/log.ts';
import { type Answer, type Received, StubCoordinator } from './stub-coordinator.ts';

/** What the tests' factories offer, and what their jobs ask for. */
const CAPABILITIES = ['engine:shell'];
const PASSED_ON = ['authorization', 'x-product-id', 'idempotency-key', 'content-type'];

export class OurCoordinator extends StubCoordinator {
  readonly #settings: { -readonly [K in keyof CoordinatorSettings]: CoordinatorSettings[K] } = {
    ...DEFAULT_SETTINGS,
  };
  readonly #store = new MemoryStore(systemClock, this.#settings);
  readonly #product: string;
  #server: CoordinatorServer | undefined;

  /** @param admitted a token that may do everything in the product */
  static async begin(admitted: {
    readonly token: string;
    readonly product: string;
  }): Promise<OurCoordinator> {
    const coordinator = new OurCoordinator(admitted.product);
    coordinator.#store.runNow([{ do: 'issue', token: { kind: 'admin', hash: hashOf(admitted.token) } }]);
    const settings = coordinator.#settings;
    coordinator.#server = await startServer({ store: coordinator.#store, settings, log: silentLog, port: 0 });
    await coordinator.up();
    return coordinator;
  }

  constructor(product: string) {
    super();
    this.#product = product;
  }

  override readonly jobs = {
    get: (id: string) => {
      const found = this.#ask({ do: 'job', productId: this.#product, jobId: id }) as ResultOf<'job'>;
      return 'job' in found ? found.job : undefined;
    },
  };

  override get leaseTtlSec(): number {
    return this.#settings.leaseMs / SECOND;
  }

  override set leaseTtlSec(seconds: number) {
    this.#settings.leaseMs = seconds * SECOND;
  }

  override offer(id: string, bodyMd: string): void {
    const job = { productId: this.#product, id, bodyMd };
    const offered = this.#ask({ do: 'enqueue', job }) as object;
    if (!('job' in offered)) throw new Error(`${id} was refused: ${JSON.stringify(offered)}`);
  }

  override take(id: string): void {
    this.#ask({ do: 'requeue', productId: this.#product, jobId: id });
    this.#claimElsewhere();
  }

  override passOn(id: string): void {
    this.#claimElsewhere();
    const epoch = this.jobs.get(id)?.epoch ?? 0;
    this.#ask({
      do: 'fenced',
      productId: this.#product,
      jobId: id,
      caller: null,
      call: { what: 'release', epoch },
    });
  }

  override async end(): Promise<void> {
    await super.end();
    await this.#server?.stop();
  }

  protected override async own(request: Received, response: http.ServerResponse): Promise<Answer> {
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const headers = PASSED_ON.flatMap((name) => {
      const value = request.headers[name];
      return typeof value === 'string' ? [[name, value] as const] : [];
    });
    const to = `${this.#server?.api.replace(/\/api$/, '')}${request.path}`;
    const body = request.raw === '' ? null : request.raw;
    const init = { method: request.method, headers: Object.fromEntries(headers), body, signal: gone.signal };
    const answer = await fetch(to, init).catch(() => undefined);
    if (answer === undefined) return { status: 502 };
    const raw = await answer.text();
    const type = answer.headers.get('content-type') ?? 'application/json';
    return { status: answer.status, headers: { 'content-type': type }, raw: this.#adapted(request, raw) };
  }

  /** Long polling only where a test asks for it, as with the stub. */
  #adapted({ path }: Received, raw: string): string {
    if (!path.endsWith('/heartbeat') || this.longPollSec !== undefined || !raw.startsWith('{')) return raw;
    const { longPollSec: _offered, ...rest } = JSON.parse(raw) as Record<string, unknown>;
    return JSON.stringify(rest);
  }

  #claimElsewhere(): void {
    const factory = { productId: this.#product, factoryId: 'somebody-else', capabilities: CAPABILITIES };
    this.#ask({ do: 'heartbeat', ...factory, health: 'ok', load: 0 });
    const claimed = this.#ask({ do: 'claim', ...factory }) as object | 'empty';
    if (claimed === 'empty' || !('job' in claimed))
      throw new Error(`nobody else could claim it: ${JSON.stringify(claimed)}`);
  }

  #ask(operation: Parameters<MemoryStore['runNow']>[0][number]): unknown {
    return this.#store.runNow([operation])[0];
  }
}
