import * as vscode from 'vscode';
import type { App } from '../app.ts';
import { COMMANDS } from '../contributions.ts';
import { report } from '../report.ts';
import { opens } from '../text/job.ts';

/** Opens what fits the job as it is now; a row may be a moment older than that. */
export async function openJob(app: App, id: string): Promise<void> {
  try {
    const job = await (await app.home.factory()).job(id);
    if (job === undefined) return;
    switch (opens(job)) {
      case 'file':
        await vscode.commands.executeCommand('vscode.open', vscode.Uri.file(job.file));
        break;
      case 'log':
        await vscode.commands.executeCommand(COMMANDS.jobLog, id);
        break;
      case 'changes':
        await vscode.commands.executeCommand(COMMANDS.jobChanges, id);
        break;
    }
  } catch (error) {
    report(app, error);
  }
}
