/** The paths of links to other repositories (submodules) in the output of `git ls-files --stage -z`. */
export function linksIn(listing: string): string[] {
  const entries = listing.split('\0').filter((entry) => entry.startsWith('160000 '));
  return entries.map((entry) => entry.slice(entry.indexOf('\t') + 1));
}
