import type { Readable } from 'node:stream';
import type { RunOrder } from './contract.ts';

/**
 * The first line of the stream; undefined when the stream ends before it is whole, because whoever was to give the
 * order has gone. Leaves the stream open and paused: its end means nothing from then on.
 */
export function readLine(stream: Readable): Promise<string | undefined> {
  stream.setEncoding('utf8');
  const pieces: string[] = [];
  return new Promise((resolve) => {
    const finish = (line: string | undefined): void => {
      stream.off('data', onData).off('end', onEnd).pause();
      resolve(line);
    };
    const onEnd = (): void => finish(undefined);
    const onData = (piece: string): void => {
      const end = piece.indexOf('\n');
      pieces.push(end === -1 ? piece : piece.slice(0, end));
      if (end !== -1) finish(pieces.join(''));
    };
    stream.on('data', onData).on('end', onEnd).on('error', onEnd);
  });
}

/** Reads an order. Throws an Error that names the first key that is wrong, but no value: the order holds secrets. */
export function parseOrder(line: string): RunOrder {
  let order: Partial<Record<keyof RunOrder, unknown>>;
  try {
    order = JSON.parse(line) as typeof order;
  } catch {
    throw new Error('The order is not JSON.');
  }
  const wrong = Object.entries(CHECKS).find(([key, check]) => !check(order?.[key as keyof RunOrder]));
  if (wrong !== undefined) throw new Error(`The order's ${wrong[0]} is missing or of the wrong kind.`);
  return order as RunOrder;
}

type Check = (value: unknown) => boolean;

const isString: Check = (value) => typeof value === 'string' && value !== '';
const isStrings: Check = (value) => Array.isArray(value) && value.every((item) => typeof item === 'string');
const isDuration: Check = (value) => typeof value === 'number' && Number.isFinite(value) && value >= 0;
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const CHECKS: Readonly<Record<keyof RunOrder, Check>> = {
  dir: isString,
  command: isString,
  args: isStrings,
  cwd: isString,
  env: (value) => isObject(value) && isStrings(Object.values(value)),
  stdin: (value) => value === null || isString(value),
  timeoutMs: (value) => value === null || isDuration(value),
  mark: isString,
  secrets: isStrings,
  events: (value) => value === null || (isObject(value) && Array.isArray(value['final'])),
  lingerMs: isDuration,
  grace: (value) => isObject(value) && isDuration(value['interruptMs']) && isDuration(value['terminateMs']),
};
