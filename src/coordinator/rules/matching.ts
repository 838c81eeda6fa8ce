/**
 * What a job asks of a factory (fleet-protocol.md, "Matching": its `requires`, and what its front matter implies,
 * must all be among the factory's capabilities). Pure.
 */

/** What is required and not offered; empty when the factory can do the job. */
export function missing(requires: readonly string[], offered: ReadonlySet<string>): string[] {
  return requires.filter((capability) => !offered.has(capability));
}

/** Capabilities in their one spelling, as a set to look things up in. */
export function offers(capabilities: readonly string[]): ReadonlySet<string> {
  return new Set(capabilities.map(inOneSpelling));
}

/** Every requirement once, in one spelling and sorted: equal sets are equal texts. */
export function requirements(...lists: readonly (readonly string[])[]): string[] {
  return [...new Set(lists.flat().map(inOneSpelling))].sort();
}

/** A repository has many addresses, and which of them somebody wrote must not decide who gets a job. */
function inOneSpelling(capability: string): string {
  return capability.startsWith('repo:')
    ? `repo:${repositoryName(capability.slice('repo:'.length))}`
    : capability;
}

/** `github.com/acme/app` of any spelling: https, ssh, `git@host:path`, with or without `.git`. */
export function repositoryName(address: string): string {
  const bare = address.replace(/^[a-z+]+:\/\//i, '').replace(/^[^/@]*@/, '');
  const [, host = bare, path = ''] = /^([^/:]+)(?::\d+(?=\/))?[:/]\/?(.*)$/.exec(bare) ?? [];
  const name = path.replace(/\/+$/, '').replace(/\.git$/i, '');
  return name === '' ? host.toLowerCase() : `${host.toLowerCase()}/${name}`;
}
