import type { Git } from '../../platform/git/git.ts';
import { commitTree } from '../workspace/commit.ts';
import type { QuarantineRecord } from './record.ts';
import { authorOf, workAtHand } from './work.ts';

/** What a person may have set that `git am` could not read, or that would leave something out. */
const PLAIN = [
  '--no-attach',
  '--no-signature',
  '--no-cover-letter',
  '--no-thread',
  '--no-add-header',
  '--no-base',
  '--no-notes',
  '--no-ext-diff',
  '--no-textconv',
  '--no-relative',
  '--ignore-submodules=none',
  '--submodule=short',
  '--src-prefix=a/',
  '--dst-prefix=b/',
  '--unified=3',
  '--encode-email-headers',
  '--subject-prefix=PATCH',
  '--no-numbered',
];

/**
 * The whole work as one patch that `git am` takes, with its author and the job's title.
 * @throws UserError as `workAtHand` does
 */
export async function patchOf(git: Git, record: QuarantineRecord): Promise<Uint8Array> {
  const { repository: cwd, base, commit } = await workAtHand(git, record);
  const author = await authorOf(git, { cwd, commit });
  const whole = await commitTree(git, {
    cwd,
    tree: `${commit}^{tree}`,
    parents: [base],
    message: `${record.title}\n\nWork of ${record.id}, which was in quarantine.\n`,
    env: { ...author, GIT_COMMITTER_DATE: author['GIT_AUTHOR_DATE'] ?? '' },
  });
  const args = ['format-patch', '-1', '--stdout', '--binary', '--full-index', '-M', ...PLAIN, whole];
  return (await git.runBytes(args, { cwd })).stdout;
}
