/**
 * Where a job works: its `cwd`, `base` and `worktree` (runner.md, "A job is a Markdown file") held against what
 * is on the disk. Nothing is guessed and nothing is changed; what cannot work is refused with a reason.
 */
import { realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import { errnoOf, UserError } from '../../platform/errors.ts';
import { GitError } from '../../platform/git/error.ts';
import type { Git } from '../../platform/git/git.ts';

/** The reassurance of every refusal here: a workplace is only looked at. */
const UNCHANGED = 'Nothing has been changed.';

export interface Repository {
  /** Short name for people and folder names. */
  readonly name: string;
  /** The directory that all worktrees of the repository share (usually `.git`); its real path is the identity. */
  readonly commonDir: string;
  /** The person's checkout that the job was pointed at; in a bare repository the repository itself. */
  readonly root: string;
  readonly bare: boolean;
}

/** What the work starts from. */
export interface Base {
  /** As the person wrote it, or `HEAD`. */
  readonly name: string;
  readonly commit: string;
}

export type Workplace =
  /** A directory outside any repository: worked in place, without a diff or a branch. */
  | { readonly kind: 'plain'; readonly cwd: string }
  /** `worktree: false`: the person's own checkout. `base` is absent while there is no commit. */
  | {
      readonly kind: 'in-place';
      readonly cwd: string;
      readonly repository: Repository;
      readonly base?: Base;
      readonly uncommitted: number;
    }
  /** A worktree of its own. */
  | {
      readonly kind: 'worktree';
      readonly cwd: string;
      readonly repository: Repository;
      readonly base: Base;
      /**
       * The branch that `ship: merge` lands on, as a full ref: the one `base` names, or without `base` the one
       * that is checked out. Absent for a commit, a tag, a remote-tracking branch or a detached HEAD: which local
       * branch was meant would be a guess.
       */
      readonly target?: string;
      /** `cwd` relative to the top of the checkout; '' at the top. */
      readonly subdirectory: string;
      /** Files in the person's checkout with changes that are not committed, and so not part of the work. */
      readonly uncommitted: number;
    };

export interface WorkplaceRequest {
  readonly cwd: string;
  readonly base?: string;
  /** False: work in `cwd` itself. */
  readonly worktree: boolean;
}

/**
 * Finds out where a job works. All paths in the answer are real paths.
 * @throws {UserError} `cwd-missing`, `cwd-not-a-folder`, `cwd-unsupported`, `cwd-inside-git-folder`,
 *   `bare-repository`, `empty-repository`, `base-not-found`, `base-without-worktree`, `base-without-repository`,
 *   `git-too-old`, `repository-not-trusted`.
 */
export async function resolveWorkplace(git: Git, request: WorkplaceRequest): Promise<Workplace> {
  const cwd = await realFolder(request.cwd);
  await git.requireFloor();
  const found = await locate(git, cwd, request.base ?? 'HEAD');
  if (found === undefined) {
    if (request.base === undefined) return { kind: 'plain', cwd };
    throw new UserError(
      'base-without-repository',
      `The job starts from ${request.base}, but ${cwd} is not in a git repository. ${UNCHANGED}`,
      'Remove `base`, or point `cwd` at a repository.',
    );
  }
  const { repository, start } = found;
  if (!request.worktree) return inPlace(git, cwd, request.base, repository, start);
  if (start === undefined) throw await noSuchBase(git, cwd, request.base);
  return {
    kind: 'worktree',
    cwd,
    repository,
    base: { name: request.base ?? 'HEAD', commit: start.commit },
    ...(start.ref?.startsWith('refs/heads/') ? { target: start.ref } : {}),
    subdirectory: repository.bare ? '' : relative(repository.root, cwd),
    uncommitted: repository.bare ? 0 : await countUncommitted(git, repository.root),
  };
}

/**
 * The folder in `worktree` that stands for the workplace's `cwd`.
 * @throws {UserError} `cwd-not-in-base` when the commit has no such folder, or only a link that leads outside.
 */
export async function folderInWorktree(worktree: string, subdirectory: string): Promise<string> {
  const folder = join(worktree, subdirectory);
  try {
    const real = await realpath(folder);
    const top = await realpath(worktree);
    if ((real === top || real.startsWith(top + sep)) && (await stat(real)).isDirectory()) return folder;
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT' && errnoOf(error) !== 'ENOTDIR') throw error;
  }
  throw new UserError(
    'cwd-not-in-base',
    `The folder ${subdirectory} is not part of the commit that the job starts from. ${UNCHANGED}`,
    'Commit the folder first, choose another `base`, or set `worktree: false`.',
  );
}

async function realFolder(cwd: string): Promise<string> {
  try {
    const real = await realpath(cwd);
    if ((await stat(real)).isDirectory()) return real;
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT' && errnoOf(error) !== 'ENOTDIR') throw error;
    throw new UserError(
      'cwd-missing',
      `The folder ${cwd} does not exist. ${UNCHANGED}`,
      'Correct `cwd` in the job, or make the folder.',
      { cause: error },
    );
  }
  throw new UserError(
    'cwd-not-a-folder',
    `${cwd} is a file, not a folder. ${UNCHANGED}`,
    'Point `cwd` at the folder it is in.',
  );
}

interface Located {
  readonly repository: Repository;
  /** Absent when the base does not name a commit. */
  readonly start?: { readonly commit: string; readonly ref?: string };
}

/** Asks everything of one `rev-parse`; undefined outside any repository. */
async function locate(git: Git, cwd: string, base: string): Promise<Located | undefined> {
  // A leading dash would be read as an option.
  const revision = base.startsWith('-') ? 'refs/heads/-' : base;
  const where = ['--is-bare-repository', '--is-inside-work-tree', '--git-common-dir', '--show-cdup'];
  // The last two may fail, each after those before it have been answered.
  const what = [`${revision}^{commit}`, '--symbolic-full-name', revision];
  const args = ['rev-parse', '--path-format=absolute', ...where, ...what];
  const { stdout, stderr } = await git.run(args, { cwd, answers: [128] });
  const [bare, inside, commonDir, ...rest] = stdout.split('\n');
  if (commonDir === undefined || commonDir === '') {
    if (stderr.includes('not a git repository')) return undefined;
    throw new GitError(['rev-parse'], 128, stderr);
  }
  const isBare = bare === 'true';
  const cdup = isBare ? '' : (rest.shift() ?? ''); // a bare repository gives no answer at all
  const [commit, ref] = rest;
  if (inside !== 'true' && !isBare) throw insideGitFolder(cwd);
  if (!/^(\.\.\/)*$/.test(cdup)) throw lineBreak(cwd); // a line break in a path shifts the answers
  const root = await realpath(isBare ? commonDir : join(cwd, cdup));
  const repository = { name: nameOf(commonDir), commonDir: await realpath(commonDir), root, bare: isBare };
  // A range would answer with several commits.
  const isOne = /^[0-9a-f]{40,64}$/.test(commit ?? '') && !/^\^?[0-9a-f]{40}/.test(ref ?? '');
  if (!isOne) return { repository };
  if (ref === '' && stderr.includes('is ambiguous') && !base.startsWith('refs/')) {
    return locate(git, cwd, `refs/heads/${base}`); // a tag of the same name; a branch is what one starts from
  }
  return { repository, start: { commit: commit as string, ...(ref ? { ref } : {}) } };
}

async function inPlace(
  git: Git,
  cwd: string,
  base: string | undefined,
  repository: Repository,
  start: Located['start'],
): Promise<Workplace> {
  if (repository.bare) {
    throw new UserError(
      'bare-repository',
      `${cwd} is a bare repository: it has no files to work on in place. ${UNCHANGED}`,
      'Remove `worktree: false`.',
    );
  }
  if (base !== undefined && base !== 'HEAD') {
    throw new UserError(
      'base-without-worktree',
      `The job works in ${cwd} itself (\`worktree: false\`), so it cannot start from ${base}. ${UNCHANGED}`,
      'Remove `base` or `worktree: false`.',
    );
  }
  return {
    kind: 'in-place',
    cwd,
    repository,
    ...(start === undefined ? {} : { base: { name: 'HEAD', commit: start.commit } }),
    uncommitted: await countUncommitted(git, repository.root),
  };
}

async function countUncommitted(git: Git, root: string): Promise<number> {
  const { stdout } = await git.run(['status', '--porcelain', '-z', '--no-renames'], { cwd: root });
  return stdout.split('\0').length - 1;
}

async function noSuchBase(git: Git, cwd: string, base: string | undefined): Promise<UserError> {
  const { stdout: any } = await git.run(['rev-list', '--all', '--max-count=1'], { cwd });
  if (any === '') {
    return new UserError(
      'empty-repository',
      `The repository at ${cwd} has no commit yet, so there is nothing to start from. ${UNCHANGED}`,
      'Make a first commit, or set `worktree: false`.',
    );
  }
  return new UserError(
    'base-not-found',
    base === undefined
      ? `The branch checked out in ${cwd} has no commit yet. ${UNCHANGED}`
      : `There is no commit called ${base} in the repository at ${cwd}. ${UNCHANGED}`,
    base === undefined
      ? 'Commit to it, or name another branch with `base`.'
      : 'Correct `base`, or fetch it first.',
  );
}

function insideGitFolder(cwd: string): UserError {
  return new UserError(
    'cwd-inside-git-folder',
    `${cwd} lies inside a repository's own .git folder. ${UNCHANGED}`,
    'Point `cwd` at the checkout.',
  );
}

function lineBreak(cwd: string): UserError {
  return new UserError(
    'cwd-unsupported',
    `The path of the repository at ${JSON.stringify(cwd)} holds a line break, which git cannot tell us reliably. ${UNCHANGED}`,
    'Rename the folder.',
  );
}

/** `/code/app/.git` and `/code/app.git` are both called `app`. */
function nameOf(commonDir: string): string {
  const name = basename(commonDir);
  return name === '.git' ? basename(dirname(commonDir)) : name.replace(/\.git$/, '');
}
