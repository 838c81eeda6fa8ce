import type { Git } from '../../platform/git/git.ts';

export interface ChangedFile {
  /** Relative to the top of the repository, with `/`. */
  readonly path: string;
  readonly status: 'added' | 'modified' | 'deleted' | 'renamed' | 'type-changed';
  /** Only for `renamed`. */
  readonly oldPath?: string;
  readonly binary: boolean;
  /** The entry is (or was) a submodule: there is no text to show, only a commit id. */
  readonly submodule: boolean;
}

export interface ChangesRequest {
  /** Any folder of the repository. */
  readonly cwd: string;
  readonly base: string;
  readonly commit: string;
  readonly signal?: AbortSignal;
}

/** What a commit has different from a base, whole repository, sorted by path as git does. */
export async function changedFiles(git: Git, request: ChangesRequest): Promise<ChangedFile[]> {
  const { cwd, base, commit, signal } = request;
  const plain = ['--no-ext-diff', '--no-textconv', '--no-relative', '--ignore-submodules=none'];
  const { stdout } = await git.run(
    ['diff-tree', '-r', '-z', '-M', '--raw', '--numstat', ...plain, base, commit, '--'],
    { cwd, ...(signal === undefined ? {} : { signal }) },
  );
  return parseChanges(stdout);
}

const STATUSES: Readonly<Record<string, ChangedFile['status']>> = {
  A: 'added',
  D: 'deleted',
  R: 'renamed',
  T: 'type-changed',
};

/**
 * Reads `git diff-tree -r -z -M --raw --numstat` (git-diff-tree(1), "Raw output format" and "Other diff formats"):
 * first a record for each file with modes and status, then one with the counted lines, `-` for binary files.
 */
export function parseChanges(output: string): ChangedFile[] {
  const fields = output.split('\0');
  const files: ChangedFile[] = [];
  const binary = new Set<string>();
  for (let at = 0; at < fields.length; ) {
    const head = fields[at++] ?? '';
    if (head.startsWith(':')) {
      const [oldMode = '', newMode = '', , , letter = ''] = head.split(' ');
      const first = fields[at++] ?? '';
      const renamed = letter.startsWith('R');
      files.push({
        path: renamed ? (fields[at++] ?? '') : first,
        status: STATUSES[letter[0] ?? ''] ?? 'modified',
        ...(renamed ? { oldPath: first } : {}),
        binary: false,
        submodule: oldMode === ':160000' || newMode === '160000',
      });
    } else if (head !== '') {
      const path = head.slice(head.indexOf('\t', head.indexOf('\t') + 1) + 1);
      if (path === '') at += 1; // a rename: the old name, then the new one
      const name = path === '' ? fields[at++] : path;
      if (head.startsWith('-\t-\t') && name !== undefined) binary.add(name);
    }
  }
  return files.map((file) => (binary.has(file.path) ? { ...file, binary: true } : file));
}
