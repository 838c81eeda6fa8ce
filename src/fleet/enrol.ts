/** An enrolment token becomes this factory's own token (fleet-protocol.md, "Tokens"); our own coordinator offers it. */
import { UserError } from '../platform/errors.ts';
import { Http } from '../platform/http.ts';

export interface Enrolment {
  /** A checked address (address.ts). */
  readonly api: string;
  /** One use; it is spent when this resolves. */
  readonly enrolmentToken: string;
  readonly factoryId: string;
  readonly productId?: string | undefined;
}

/**
 * Resolves with the token that is good for this factory only. It is told this once: whoever loses it enrols again.
 * @throws UserError `unreachable`, `no-coordinator`, `unauthorized`; the enrolment token is then as good as before
 */
export async function enrol({ api, enrolmentToken, factoryId, productId }: Enrolment): Promise<string> {
  if (!/^[\x21-\x7e]+$/.test(enrolmentToken))
    throw unauthorized(api, 'It holds characters that no token has.');
  const answer = await callOnce({
    api,
    path: '/fleet/enrol',
    token: enrolmentToken,
    productId,
    body: { factoryId },
  });
  const { token, detail } = answer.body;
  if (answer.status < 300 && typeof token === 'string') return token;
  if (answer.status === 401 || answer.status === 403)
    throw unauthorized(api, typeof detail === 'string' ? detail : '');
  throw new UserError(
    'no-coordinator',
    `What answers at ${api} does not enrol factories (${answer.status}). Nothing was changed.`,
    'Check the address; with another coordinator than Agent Queue’s own, use “Fleet: Set Token…” instead.',
  );
}

/** Makes an enrolment token that only this factory can use, with the admin token of a coordinator. */
export async function enrolmentTokenFor(options: {
  readonly api: string;
  readonly adminToken: string;
  readonly factoryId: string;
  readonly productId?: string | undefined;
}): Promise<string> {
  const { api, adminToken, factoryId, productId } = options;
  const body = { kind: 'enrolment', factoryId, ttlSec: 60 };
  const answer = await callOnce({ api, path: '/fleet/tokens', token: adminToken, productId, body });
  const { token } = answer.body;
  if (answer.status < 300 && typeof token === 'string') return token;
  throw unauthorized(api, 'It does not take the admin token.');
}

async function callOnce(call: {
  readonly api: string;
  readonly path: string;
  readonly token: string;
  readonly productId: string | undefined;
  readonly body: object;
}): Promise<{ status: number; body: Record<string, unknown> }> {
  const { api, path, token, productId, body } = call;
  const http = new Http();
  try {
    const answer = await http.exchange({
      method: 'POST',
      url: `${api}${path}`,
      headers: {
        accept: 'application/json',
        authorization: `Bearer ${token}`,
        ...(productId !== undefined && { 'x-product-id': productId }),
      },
      body,
      signal: new AbortController().signal,
    });
    if (answer.status === undefined || answer.text === undefined)
      throw new UserError(
        'unreachable',
        `The coordinator at ${api} does not answer: ${answer.why ?? 'its answer broke off'}. Nothing was changed.`,
        'Check the address and whether it runs, then try again.',
      );
    return { status: answer.status, body: objectIn(answer.text) };
  } finally {
    await http.close();
  }
}

function objectIn(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function unauthorized(api: string, detail: string): UserError {
  return new UserError(
    'unauthorized',
    `The coordinator at ${api} does not take the token.${detail === '' ? '' : ` ${detail}`} Nothing was changed.`,
    'Ask its operator for a fresh enrolment token (`aq coordinator token`).',
  );
}
