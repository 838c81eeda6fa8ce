import type { Git } from '../../platform/git/git.ts';

/** What `git status` sees in one worktree. Paths are relative to its top, with `/`; folders end in `/`. */
export interface WorktreeStatus {
  /** Undefined while there is no commit. */
  readonly head: string | undefined;
  /** The full ref of the branch, undefined when detached. */
  readonly branch: string | undefined;
  /** Tracked files whose content in the worktree is not what the index has. */
  readonly unstaged: readonly string[];
  /** Tracked files where the index is not what HEAD has. */
  readonly staged: readonly string[];
  readonly untracked: readonly string[];
  readonly ignored: readonly string[];
}

export interface StatusOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly indexFile?: string;
  readonly signal?: AbortSignal;
  /** Lists every untracked file instead of the folders that hold nothing else. */
  readonly everyFile?: boolean;
}

/** Looks at a worktree without writing anything. */
export async function readStatus(git: Git, options: StatusOptions): Promise<WorktreeStatus> {
  const args = ['status', '--porcelain=v2', '--branch', '-z', '--no-renames', '--ignored=traditional'];
  const untracked = options.everyFile === true ? 'all' : 'normal';
  const { stdout } = await git.run(
    [...args, `--untracked-files=${untracked}`, '--ignore-submodules=none', '--no-ahead-behind'],
    options,
  );
  return parseStatus(stdout);
}

/** Reads `git status --porcelain=v2 --branch -z --no-renames` (git-status(1), "Porcelain Format Version 2"). */
export function parseStatus(output: string): WorktreeStatus {
  const status = {
    head: undefined as string | undefined,
    branch: undefined as string | undefined,
    unstaged: [] as string[],
    staged: [] as string[],
    untracked: [] as string[],
    ignored: [] as string[],
  };
  for (const record of output.split('\0')) {
    const kind = record[0];
    if (kind === '#') readHeader(record, status);
    else if (kind === '?') status.untracked.push(record.slice(2));
    else if (kind === '!') status.ignored.push(record.slice(2));
    else if (kind === '1') {
      const path = afterFields(record, 8);
      if (record[2] !== '.') status.staged.push(path);
      if (record[3] !== '.') status.unstaged.push(path);
    } else if (kind === 'u') {
      const path = afterFields(record, 10);
      status.staged.push(path);
      status.unstaged.push(path);
    }
  }
  return status;
}

function readHeader(record: string, status: { head: string | undefined; branch: string | undefined }): void {
  const [, name, ...value] = record.split(' ');
  const text = value.join(' ');
  if (name === 'branch.oid' && text !== '(initial)') status.head = text;
  if (name === 'branch.head' && text !== '(detached)') status.branch = `refs/heads/${text}`;
}

/** The rest of a record after `count` fields that hold no space. */
function afterFields(record: string, count: number): string {
  let at = 0;
  for (let n = 0; n < count; n++) at = record.indexOf(' ', at) + 1;
  return record.slice(at);
}
