/**
 * Which token the environment gives for a host. Pure. A token is somebody's key to one host: none is ever taken for
 * another's, whatever else is missing or misspelt.
 */

const GITHUB = 'github.com';

/**
 * `AQ_TRACKER_TOKEN` is `HOST=TOKEN[,HOST=TOKEN…]`, where a token without a host is github.com's. Where it has none,
 * the variables of GitHub's own command line: `GH_TOKEN` or `GITHUB_TOKEN` for github.com, `GH_ENTERPRISE_TOKEN` for
 * the host in `GH_HOST`.
 */
export function tokenOf(env: NodeJS.ProcessEnv, host: string): string | undefined {
  const wanted = host.toLowerCase();
  const own = (env['AQ_TRACKER_TOKEN'] ?? '').split(',').map(parse);
  const token = own.find((each) => each?.host === wanted)?.token;
  if (token !== undefined) return token;
  const variable = (name: string) => env[name]?.trim() || undefined;
  if (wanted === GITHUB) return variable('GH_TOKEN') ?? variable('GITHUB_TOKEN');
  return variable('GH_HOST')?.toLowerCase() === wanted ? variable('GH_ENTERPRISE_TOKEN') : undefined;
}

/** Undefined for what is neither: it could be a token of some other host, whose name was misspelt. */
function parse(part: string): { host: string; token: string } | undefined {
  const text = part.trim();
  if (/^[\w.-]+$/.test(text)) return { host: GITHUB, token: text };
  const [, host, token] = /^([\w.-]+(?::\d+)?)\s*=\s*(\S+)$/.exec(text) ?? [];
  return host === undefined || token === undefined ? undefined : { host: host.toLowerCase(), token };
}
