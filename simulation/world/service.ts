/** What listens at the other end of the network. */
import type { Process } from './process.ts';

export interface WireRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

export interface WireAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Service {
  /** Whose process it is now; undefined: nobody listens. */
  readonly process: Process | undefined;
  /** Called in that process. @param gone aborted when the other side has hung up */
  answer(request: WireRequest, gone: AbortSignal): Promise<WireAnswer>;
  /** Everything that is sent passes here first. */
  onSent(from: Process, request: WireRequest): void;
  /** An answer has come to whoever asked. */
  onAnswered(from: Process, request: WireRequest, answer: WireAnswer): void;
}
