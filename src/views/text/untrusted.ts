import { UserError } from '../../platform/errors.ts';
import type { Translate } from './translate.ts';

/** Why nothing is done in a workspace that the person has not said to trust. */
export function untrusted(t: Translate): UserError {
  return new UserError(
    'untrusted',
    t('This workspace is not trusted, so Agent Queue runs nothing in it. Your jobs are safe in their home.'),
    t('Trust the workspace to go on.'),
  );
}
