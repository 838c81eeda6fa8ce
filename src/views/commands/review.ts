/** What a person says to a result. */
import * as vscode from 'vscode';
import type { JobRow } from '../../runner/board.ts';
import type { App } from '../app.ts';
import { quoted } from '../text/messages.ts';
import { carryOut } from './carry-out.ts';
import type { Handler } from './handler.ts';

export const approveJob: Handler = async (app, args) => {
  await carryOut(app, 'approve', args);
};

export const sendJobBack: Handler = async (app, args) => {
  const { t } = app;
  await carryOut(app, 'sendBack', args, async (jobs) => {
    const text = await vscode.window.showInputBox({
      title: t('Send Back {0}', nameOf(jobs, app)),
      prompt: t('The engine goes on with its session and this comment.'),
      placeHolder: t('What should be different?'),
      ignoreFocusOut: true,
      validateInput: (value) =>
        value.trim() === ''
          ? t('Say what should be different: the engine is given nothing else.')
          : undefined,
    });
    return text === undefined ? undefined : { text };
  });
};

/** The reason is optional; Escape leaves the job in review, so that no further question is needed. */
export const rejectJob: Handler = async (app, args) => {
  const { t } = app;
  await carryOut(app, 'reject', args, async (jobs) => {
    const text = await vscode.window.showInputBox({
      title: t('Reject {0}', nameOf(jobs, app)),
      prompt: t('Enter rejects it; the work is kept, and it can be retried. Escape leaves it where it is.'),
      placeHolder: t('Why? (optional)'),
      ignoreFocusOut: true,
    });
    return text === undefined ? undefined : { text };
  });
};

function nameOf(jobs: readonly JobRow[], { t }: App): string {
  const [only] = jobs;
  return only !== undefined && jobs.length === 1 ? quoted(only) : t('{0} jobs', jobs.length);
}
