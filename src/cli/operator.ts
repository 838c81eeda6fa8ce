/**
 * Calls of an operator to a coordinator: enqueue, list, ask why, make tokens. They need an admin token; a factory's
 * own may look, but not enqueue.
 */
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { type RunningCoordinator, runningCoordinator } from '../coordinator/place.ts';
import { checkedAddress } from '../fleet/address.ts';
import { fleetConfig } from '../fleet/config.ts';
import { UserError } from '../platform/errors.ts';
import { readIfThere } from '../platform/files.ts';
import { Http } from '../platform/http.ts';
import { Layout } from '../runner/home/layout.ts';
import { readSharedSettings } from '../runner/settings.ts';

export interface OperatorOptions {
  readonly home: string;
  /** Default: AQ_FLEET_API or its setting, else the coordinator that runs in this home. */
  readonly api?: string | undefined;
  /** Default: AQ_FLEET_TOKEN, else the admin token of the coordinator in this home, if that is the one asked. */
  readonly tokenFile?: string | undefined;
}

export interface Operator extends AsyncDisposable {
  readonly api: string;
  /** The answer's JSON. @throws UserError `unreachable`, `no-such-job`, and the problem's own code */
  call(method: 'GET' | 'POST', path: string, body?: unknown): Promise<unknown>;
}

/** @throws UserError `bad-address`, `no-token` */
export async function openOperator(options: OperatorOptions): Promise<Operator> {
  const local = await runningCoordinator(options.home);
  const { fleet = {} } = await readSharedSettings(new Layout(options.home));
  const isNamed = (fleet.api ?? process.env['AQ_FLEET_API']?.trim() ?? '') !== '';
  const config = fleetConfig(fleet, process.env);
  const api = checkedAddress(options.api ?? (isNamed ? config.api : (local?.api ?? config.api)));
  const named = checkedAddress(isNamed ? config.api : api);
  const token = await tokenFor(api, options, { local, isNamed: api === named });
  const http = new Http();
  const { productId } = config;
  return {
    api,
    async call(method, to, body) {
      const answer = await http.exchange({
        method,
        url: `${api}${to}`,
        headers: {
          accept: 'application/json',
          authorization: `Bearer ${token}`,
          ...(productId !== undefined && { 'x-product-id': productId }),
          ...(method === 'POST' && { 'idempotency-key': randomUUID() }),
        },
        body,
        signal: new AbortController().signal,
      });
      if (answer.status === undefined) throw unreachable(api, answer.why);
      if (answer.status >= 300) throw refused(api, answer.status, parse(answer.text));
      const value = parse(answer.text);
      if (value === undefined)
        throw unreachable(api, answer.why ?? 'its answer is not that of a coordinator');
      return value;
    },
    [Symbol.asyncDispose]: () => http.close(),
  };
}

/** A token belongs to the address that it was given for: the environment's to AQ_FLEET_API, this home's to its own coordinator. */
async function tokenFor(
  api: string,
  { tokenFile }: OperatorOptions,
  { local, isNamed }: { readonly local: RunningCoordinator | undefined; readonly isNamed: boolean },
): Promise<string> {
  const file = tokenFile ?? (local?.api === api ? local.tokenFile : undefined);
  const fromFile = async () => (file === undefined ? undefined : (await readIfThere(file))?.trim());
  const fromEnvironment = (isNamed && process.env['AQ_FLEET_TOKEN']?.trim()) || undefined;
  const token = tokenFile === undefined ? (fromEnvironment ?? (await fromFile())) : await fromFile();
  if (token !== undefined && /^[\x21-\x7e]+$/.test(token)) return token;
  throw new UserError(
    'no-token',
    `There is no admin token for ${api}${file === undefined ? '' : ` in ${path.resolve(file)}`}. Nothing was asked.`,
    'Set AQ_FLEET_TOKEN, name the file with --token-file, or start a coordinator here with `aq coordinator`.',
  );
}

function unreachable(api: string, why: string): UserError {
  return new UserError(
    'unreachable',
    `The coordinator at ${api} does not answer: ${why}. Nothing was changed.`,
    'Start it with `aq coordinator`, or name another with --api.',
  );
}

function refused(api: string, status: number, problem: unknown): UserError {
  const { code, detail } = (problem ?? {}) as { code?: unknown; detail?: unknown };
  const said = typeof detail === 'string' ? detail : `it answers ${status}`;
  if (status >= 500) return unreachable(api, said);
  if (code === 'job_not_found') return new UserError('no-such-job', said, 'Look at `aq jobs`.');
  if (code === 'unauthorized')
    return new UserError(
      'unauthorized',
      `The coordinator at ${api} turns the token down: ${said} Nothing was changed.`,
      'Use its admin token (--token-file, or AQ_FLEET_TOKEN).',
    );
  return new UserError(
    typeof code === 'string' ? code : 'refused',
    `The coordinator at ${api} refused it: ${said} Nothing was changed.`,
    'Correct it, then ask again.',
  );
}

function parse(text: string | undefined): unknown {
  try {
    return text === undefined || text === '' ? {} : (JSON.parse(text) as unknown);
  } catch {
    return undefined;
  }
}
