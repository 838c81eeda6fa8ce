/** Which addresses a token may travel to (fleet-protocol.md, rule 2). */
import { UserError } from '../platform/errors.ts';

/**
 * The address without a slash at its end.
 * @param allowPlain the person has allowed plain http to another machine
 * @throws UserError `bad-address` for one that is no http(s) address, holds a password or a query, or is plain and not on this machine
 */
export function checkedAddress(api: string, { allowPlain = false } = {}): string {
  const url = URL.canParse(api) ? new URL(api) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol))
    // Not repeated: what was meant as name and password may stand in it.
    throw refused('AQ_FLEET_API is not an http or https address', 'it begins with neither');
  if (url.username !== '' || url.password !== '')
    throw refused('AQ_FLEET_API has a user name or password in it, which would reach logs', url.host);
  if (url.search !== '' || url.hash !== '')
    throw refused('AQ_FLEET_API has a query or a fragment, and calls add their path to its end', url.host);
  if (url.protocol === 'http:' && !allowPlain && !isLoopback(url.hostname))
    throw refused(
      'AQ_FLEET_API is plain http to another machine, which would show the token to the network',
      api,
    );
  return url.href.replace(/\/+$/, '');
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(host);
}

function refused(what: string, address: string): UserError {
  return new UserError(
    'bad-address',
    `${what} (${address}). The fleet is not joined; local jobs run as ever.`,
    'Set it to the https address of the coordinator, or to one on this machine.',
  );
}
