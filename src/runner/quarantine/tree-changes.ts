/** What differs between two trees, path by path: what a merge of chosen files and a comparison are made of. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { UserError } from '../../platform/errors.ts';
import type { Git } from '../../platform/git/git.ts';
import type { ChangedFile } from '../workspace/changes.ts';

/** One path of a tree: git's mode and object id; undefined: it is not there. */
export interface PathChange {
  readonly path: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
}

const NOTHING = '000000';

/** Every path that differs, renames as two: the old one gone, the new one there. By path, as git sorts them. */
export async function pathChanges(
  git: Git,
  { cwd, base, commit }: { readonly cwd: string; readonly base: string; readonly commit: string },
): Promise<PathChange[]> {
  const args = [
    'diff-tree',
    '-r',
    '-z',
    '--no-renames',
    '--raw',
    '--no-relative',
    '--ignore-submodules=none',
  ];
  const { stdout } = await git.run([...args, base, commit, '--'], { cwd });
  return parsePathChanges(stdout);
}

/** Reads `git diff-tree -r -z --no-renames --raw`: `:mode mode id id letter`, path. */
export function parsePathChanges(output: string): PathChange[] {
  const fields = output.split('\0');
  const changes: PathChange[] = [];
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const [oldMode = '', newMode = '', oldId = '', newId = ''] = (fields[at] ?? '').slice(1).split(' ');
    changes.push({
      path: fields[at + 1] ?? '',
      before: oldMode === NOTHING ? undefined : `${oldMode} ${oldId}`,
      after: newMode === NOTHING ? undefined : `${newMode} ${newId}`,
    });
  }
  return changes;
}

/**
 * The tree of `base` with only the chosen files as they are in `commit`. A renamed file is chosen by either name, and
 * is taken as a whole.
 * @throws UserError `no-such-file`, `needs-others`
 */
export async function treeOfChosen(
  git: Git,
  request: {
    readonly cwd: string;
    readonly base: string;
    readonly commit: string;
    readonly changed: readonly ChangedFile[];
    readonly files: readonly string[];
  },
): Promise<string> {
  const { cwd, base, commit, changed, files } = request;
  const wanted = chosenPaths(changed, files);
  const changes = (await pathChanges(git, { cwd, base, commit })).filter(({ path }) => wanted.has(path));
  const folder = await mkdtemp(path.join(tmpdir(), 'agent-queue-index-'));
  const indexFile = path.join(folder, 'index');
  try {
    await git.run(['read-tree', base], { cwd, indexFile });
    // What goes first: a file may make room for a folder of its name.
    const sorted = [...changes].sort((a, b) => Number(a.after !== undefined) - Number(b.after !== undefined));
    const input = sorted.map(({ path, after }) =>
      after === undefined ? `0 ${'0'.repeat(40)}\t${path}\0` : `${after}\t${path}\0`,
    );
    await git.run(['update-index', '-z', '--index-info'], { cwd, indexFile, input: input.join('') });
    const tree = (await git.run(['write-tree'], { cwd, indexFile })).stdout.trim();
    // A file that takes the place of a folder, or the other way round, would take others with it.
    const also = (await pathChanges(git, { cwd, base, commit: tree })).find((each) => !wanted.has(each.path));
    if (also === undefined) return tree;
    throw new UserError(
      'needs-others',
      `The chosen files cannot be had without what becomes of ${also.path}. Nothing was done.`,
      'Choose that as well, or adopt the whole result.',
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Every path that belongs to the chosen files. @throws UserError `no-such-file` */
export function chosenPaths(changed: readonly ChangedFile[], files: readonly string[]): ReadonlySet<string> {
  const paths = new Set<string>();
  for (const name of files) {
    const file = changed.find((each) => each.path === name || each.oldPath === name);
    if (file === undefined) {
      throw new UserError(
        'no-such-file',
        `The result does not change ${name}. Nothing was done.`,
        `Choose among ${changed
          .slice(0, 20)
          .map((each) => each.path)
          .join(', ')}.`,
      );
    }
    paths.add(file.path);
    if (file.oldPath !== undefined) paths.add(file.oldPath);
  }
  return paths;
}
