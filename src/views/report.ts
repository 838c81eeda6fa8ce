/** How failures reach a person: a sentence with its next action as it is; anything else as a fault of ours, with the log. */
import * as vscode from 'vscode';
import { messageOf, UserError } from '../platform/errors.ts';
import type { App } from './app.ts';
import { COMMANDS } from './contributions.ts';
import { sentence } from './text/messages.ts';

/** Never waits for the person: a message is open until it is dismissed. */
export function report(app: Pick<App, 'log' | 't'>, error: unknown): void {
  const { log, t } = app;
  if (error instanceof UserError) {
    log.warn(`${error.code}: ${error.message}`);
    if (error.code === 'untrusted')
      offer('warning', sentence(error), t('Manage Trust…'), 'workbench.trust.manage');
    else void vscode.window.showWarningMessage(sentence(error));
    return;
  }
  log.error(error instanceof Error ? error : String(error));
  const text = t('Agent Queue could not do that: {0}', messageOf(error));
  offer('error', text, t('Show Output'), COMMANDS.outputShow);
}

/** A message with one button that runs a command. Returns when the person has answered or dismissed it. */
async function askToRun(kind: Kind, text: string, label: string, command: string): Promise<void> {
  const { showInformationMessage, showWarningMessage, showErrorMessage } = vscode.window;
  const show = { info: showInformationMessage, warning: showWarningMessage, error: showErrorMessage }[kind];
  if ((await show(text, label)) === label) await vscode.commands.executeCommand(command);
}

type Kind = 'info' | 'warning' | 'error';

/** The same, without waiting for the person: a message is open until it is dismissed. */
export function offer(kind: Kind, text: string, label: string, command: string): void {
  void askToRun(kind, text, label, command);
}

/** What went as asked is said in passing, in the status bar. */
export function mention(text: string): void {
  vscode.window.setStatusBarMessage(text, 6000);
}
