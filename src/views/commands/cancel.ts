import * as vscode from 'vscode';
import { quoted } from '../text/messages.ts';
import { carryOut } from './carry-out.ts';
import type { Handler } from './handler.ts';

/** Asks before it ends an engine at work; a queued job loses nothing. */
export const cancelJob: Handler = async (app, args) => {
  const { t } = app;
  await carryOut(app, 'cancel', args, async (jobs) => {
    const [running, ...others] = jobs.filter((job) => job.stage !== 'queued');
    if (running === undefined) return {};
    const question =
      others.length === 0
        ? t('Cancel {0}?', quoted(running))
        : t('Cancel {0} running jobs?', others.length + 1);
    const verb = t('Cancel Job');
    const detail = t('What runs for it is ended. Its work so far and its log are kept.');
    const answer = await vscode.window.showWarningMessage(question, { modal: true, detail }, verb);
    return answer === verb ? {} : undefined;
  });
};
