/** Rules about keys that stand beside each other. */
import type { Fields, Problem } from './fields.ts';

export function checkTogether(fields: Fields): Problem[] {
  return [cwdBesideRepo(fields), baseInPlace(fields)].filter((problem) => problem !== undefined);
}

/** With `repo` the clone's place differs from machine to machine: `cwd` is a path inside it (runner.md). */
function cwdBesideRepo(fields: Fields): Problem | undefined {
  const cwd = fields.one('cwd');
  const span = fields.spanOf('cwd');
  if (cwd === undefined || span === undefined || fields.one('repo') === undefined) return undefined;
  const leaves = cwd.split(/[\\/]/).includes('..');
  if (!leaves && !/^(?:[\\/~]|[A-Za-z]:)/.test(cwd)) return undefined;
  const message = 'cwd: expected a folder inside the repository, such as packages/web, because repo is given';
  return { severity: 'error', code: 'conflict', key: 'cwd', message, span };
}

function baseInPlace(fields: Fields): Problem | undefined {
  const span = fields.spanOf('base');
  if (span === undefined || fields.one('worktree')) return undefined;
  const message =
    'base: has no effect beside worktree: false, where the work starts from the files as they are';
  return { severity: 'warning', code: 'no-effect', key: 'base', message, span };
}
