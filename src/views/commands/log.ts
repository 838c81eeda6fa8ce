import * as vscode from 'vscode';
import { UserError } from '../../platform/errors.ts';
import { logUri } from '../log/uri.ts';
import { pickText, quoted } from '../text/messages.ts';
import { chooseJobs } from './choose.ts';
import type { Handler } from './handler.ts';

export const showLog: Handler = async (app, args) => {
  const { t } = app;
  const jobs = await chooseJobs(app, args, {
    fits: (job) => job.log !== undefined || job.activity !== undefined,
    ...pickText('log', t),
  });
  for (const job of jobs) {
    // One that is just being prepared will have a log in a moment, and the document follows it.
    if (job.log === undefined && job.activity === undefined) {
      throw new UserError(
        'no-log',
        t('{0} has no log yet: nothing has been run for it.', quoted(job)),
        t('Run it, then look again.'),
      );
    }
    const document = await vscode.workspace.openTextDocument(logUri(job.id));
    const editor = await vscode.window.showTextDocument(document, { preview: jobs.length === 1 });
    const end = document.lineAt(document.lineCount - 1).range;
    editor.revealRange(end);
  }
};
