/** One request of a machine and what was answered, in the words of the protocol. */
import type { IncomingMessage } from 'node:http';

export interface Message {
  readonly call: 'heartbeat' | 'claim' | 'report' | 'renew' | 'release' | 'look';
  readonly method: string;
  readonly path: string;
  /** Its Idempotency-Key. */
  readonly key: string | undefined;
  readonly job: string | undefined;
  readonly epoch: number | undefined;
  readonly stage: string | undefined;
  /** The names of what its body holds. */
  readonly names: readonly string[];
  readonly isCopy: boolean;
  /** As the coordinator answered it; undefined: no answer has come. */
  status: number | undefined;
  /** The answer's text. */
  answer: string | undefined;
  /** What became of the answer. */
  fate: 'under way' | 'delivered' | 'answer lost' | 'broken off' | 'a copy';
}

export function describe(request: IncomingMessage, body: Buffer): Message {
  const { method = '', url = '' } = request;
  const path = url.replace(/^\/api/, '');
  const said = (body.length === 0 ? {} : JSON.parse(body.toString('utf8'))) as Record<string, unknown>;
  const { stage, leaseEpoch } = said;
  const key = request.headers['idempotency-key'];
  const [, job] = /^\/fleet\/jobs\/([^/?]+)/.exec(path) ?? [];
  return {
    call: callOf(method, path),
    method,
    path,
    key: typeof key === 'string' ? key : undefined,
    job,
    epoch: typeof leaseEpoch === 'number' ? leaseEpoch : undefined,
    stage: typeof stage === 'string' ? stage : undefined,
    names: Object.keys(said),
    isCopy: false,
    status: undefined,
    answer: undefined,
    fate: 'under way',
  };
}

function callOf(method: string, path: string): Message['call'] {
  if (path === '/fleet/factories/heartbeat') return 'heartbeat';
  if (path === '/fleet/claim') return 'claim';
  if (method === 'PATCH') return 'report';
  if (path.endsWith('/lease/renew')) return 'renew';
  return path.endsWith('/lease/release') ? 'release' : 'look';
}

export function isAccepted({ status }: Message): boolean {
  return status !== undefined && status >= 200 && status < 300;
}

/** The job and epoch that a claim was answered with; undefined: none, or no answer. */
export function givenBy(message: Message): { readonly job: string; readonly epoch: number } | undefined {
  if (message.call !== 'claim' || !isAccepted(message) || !message.answer) return undefined;
  const { job, leaseEpoch } = JSON.parse(message.answer) as { job?: { id: string }; leaseEpoch?: number };
  return job === undefined || leaseEpoch === undefined ? undefined : { job: job.id, epoch: leaseEpoch };
}

/** At which moment of a job it is (plan.ts): the stage of a report, else the call; an empty claim is none. */
export function momentOf(message: Message): string | undefined {
  if (!isAccepted(message)) return undefined;
  if (message.call === 'claim') return givenBy(message) === undefined ? undefined : 'claim';
  return message.stage ?? message.call;
}

/** For the timeline; undefined: nothing that anybody wants to read. */
export function inWords(message: Message): string | undefined {
  const { call, job, epoch, stage, status, fate } = message;
  const given = givenBy(message);
  const isDull =
    fate === 'delivered' && isAccepted(message) && (call === 'heartbeat' || (call === 'claim' && !given));
  if (fate === 'under way' || isDull) return undefined;
  const what = [
    call,
    given?.job ?? job,
    stage,
    given === undefined && epoch === undefined ? '' : `epoch ${given?.epoch ?? epoch}`,
  ];
  const code = /"code":\s*"(\w+)"/.exec(message.answer ?? '')?.[1];
  return `${what.filter(Boolean).join(' ')}: ${status ?? 'no answer'}${code === undefined ? '' : ` ${code}`}${fate === 'delivered' ? '' : ` (${fate})`}`;
}
