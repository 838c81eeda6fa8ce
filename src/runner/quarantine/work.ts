import { stat } from 'node:fs/promises';
import { UserError } from '../../platform/errors.ts';
import type { Git } from '../../platform/git/git.ts';
import type { QuarantineRecord } from './record.ts';

type QuarantinedWork = NonNullable<QuarantineRecord['work']>;

/** The work of a result, with its commits at hand. @throws UserError `no-work`, `repository-gone`, `work-gone` */
export async function workAtHand(git: Git, { id, work }: QuarantineRecord): Promise<QuarantinedWork> {
  if (work === undefined) {
    throw new UserError(
      'no-work',
      `${id} has changed no file in a repository, so there is nothing to take over.`,
      'Requeue it, or discard it.',
    );
  }
  const { repository, base, commit } = work;
  if (!(await stat(repository).catch(() => undefined))) {
    throw new UserError(
      'repository-gone',
      `The repository ${repository} is no longer there. Nothing was changed.`,
      'Bring it back to that place.',
    );
  }
  const input = `${base}^{commit}\n${commit}^{commit}\n`;
  const found = await git.run(['cat-file', '--batch-check=%(objecttype)'], { cwd: repository, input });
  if (found.stdout === 'commit\ncommit\n') return work;
  throw new UserError(
    'work-gone',
    `The commits of ${id} are no longer in ${repository}. Nothing was changed.`,
    'Look whether another clone has them.',
  );
}

/** Who wrote a commit, as git's own variables for the next one. */
export async function authorOf(
  git: Git,
  { cwd, commit }: { readonly cwd: string; readonly commit: string },
): Promise<Record<string, string>> {
  const { stdout } = await git.run(
    ['show', '-s', '--no-mailmap', '--format=%an%x00%ae%x00%ad%x00', '--date=raw', commit],
    {
      cwd,
    },
  );
  const [name = '', email = '', date = ''] = stdout.split('\0');
  return { GIT_AUTHOR_NAME: name, GIT_AUTHOR_EMAIL: email, GIT_AUTHOR_DATE: `@${date}` };
}
