import type { Git } from '../../platform/git/git.ts';

export interface ForgetRefsRequest {
  readonly cwd: string;
  /** Full refs of the job: its branch, its checkpoints. Those that do not exist are ignored. */
  readonly refs: readonly string[];
  /** The branch that has taken in the work, as its full ref, or a commit that has. */
  readonly target: string;
}

export interface ForgottenRefs {
  readonly deleted: readonly string[];
  /** Still hold something that the target has not, have just moved, or are checked out somewhere. */
  readonly kept: readonly string[];
}

/** Deletes a landed job's refs, each only if the target reaches it and it is still where it was looked at. */
export async function forgetRefs(git: Git, request: ForgetRefsRequest): Promise<ForgottenRefs> {
  const { cwd, refs, target } = request;
  if (refs.length === 0) return { deleted: [], kept: [] };
  const format = '--format=%(refname)%00%(objectname)%00%(worktreepath)';
  // The patterns also match what lies below a ref of that name.
  const list = async (filter: string) => {
    const { stdout } = await git.run(['for-each-ref', format, filter, ...refs], { cwd });
    const lines = stdout.split('\n').filter((line) => line !== '');
    return lines.map((line) => line.split('\0')).filter(([name = '']) => refs.includes(name));
  };
  const [merged, unmerged] = await Promise.all([list(`--merged=${target}`), list(`--no-merged=${target}`)]);
  const deleted: string[] = [];
  const kept = unmerged.map(([name = '']) => name);
  for (const [name = '', commit = '', checkedOut = ''] of merged) {
    const gone = checkedOut === '' && (await deleteIfUnmoved(git, cwd, name, commit));
    (gone ? deleted : kept).push(name);
  }
  return { deleted, kept };
}

async function deleteIfUnmoved(git: Git, cwd: string, ref: string, commit: string): Promise<boolean> {
  const args = ['update-ref', '-m', 'agent-queue: landed', '-d', ref, commit];
  return (await git.run(args, { cwd, answers: [1, 128] })).exitCode === 0;
}
