/** Ids for new jobs: names of files, of run directories and of git refs on every platform. */
import { createHash } from 'node:crypto';

const LONGEST = 128;
const HASH_LENGTH = 8;

/** Names that Windows keeps for devices, with any ending behind a dot. */
const RESERVED = /^(?:con|prn|aux|nul|com\d|lpt\d)(?=\.|$)/;

/**
 * The id for a job made from a file name (with or without `.md` or `.job.md`) or a title: lower-case letters,
 * digits, `.`, `_` and `-`, at most 128; legal as a component of a git ref (git-check-ref-format) and as a file
 * name on Windows. The same name always gives the same id; a name without any usable character, or one that had to
 * be cut, gets a hash of itself so that two of them rarely meet. An id is its own id.
 */
export function jobIdFor(name: string): string {
  const slug = slugOf(name);
  if (slug === '') return `job-${hashOf(name)}`;
  if (slug.length <= LONGEST) return slug;
  return `${trimmed(slug.slice(0, LONGEST - HASH_LENGTH - 1))}-${hashOf(name)}`;
}

function slugOf(name: string): string {
  const plain = name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/ß/g, 'ss')
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/-{2,}/g, '-')
    .replace(/[.-]*\.[.-]*/g, (run) => (run.includes('-') ? '-' : '.'));
  const bare = trimmed(trimmed(plain).replace(/(?:(?:\.job)?\.md)+$/, ''));
  const legal = bare.replace(/\.lock$/, '-lock');
  return RESERVED.test(legal) ? `job-${legal}` : legal;
}

/** Without the marks that may not stand at either end. */
function trimmed(slug: string): string {
  return slug.replace(/^[._-]+|[._-]+$/g, '');
}

function hashOf(name: string): string {
  return createHash('sha256').update(name).digest('hex').slice(0, HASH_LENGTH);
}
