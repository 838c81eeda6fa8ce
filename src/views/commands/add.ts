import path from 'node:path';
import * as vscode from 'vscode';
import { UserError } from '../../platform/errors.ts';
import type { App } from '../app.ts';
import { addDrafts, readFiles } from './drafts.ts';
import type { Handler } from './handler.ts';

/** Copies files into the inbox: those it is called on, else the Markdown in the active editor, else those chosen in a dialog. */
export const addToInbox: Handler = async (app, args) => {
  const uris = urisOf(args) ?? activeMarkdown() ?? (await askForFiles(app));
  await addUris(app, uris);
};

/** Adds documents and closes those that were drafts: they live on as jobs. Returns the jobs' ids. */
export async function addUris(app: App, uris: readonly vscode.Uri[]): Promise<string[]> {
  for (const uri of uris) {
    if (jobInInbox(app, uri) === undefined) continue;
    const message = app.t('“{0}” is in the inbox already.', path.basename(uri.fsPath));
    throw new UserError('in-inbox', message, app.t('Run it from the Inbox.'));
  }
  const ids = await addDrafts(app, await readFiles(uris, app.t));
  for (const uri of uris) if (uri.scheme === 'untitled') await closeDraft(uri);
  return ids;
}

/** The id of the queued job whose file this is. */
export function jobInInbox(app: App, uri: vscode.Uri): string | undefined {
  if (uri.scheme !== 'file' || path.dirname(uri.fsPath) !== app.home.layout.stage('queued')) return undefined;
  return uri.fsPath.endsWith('.md') ? path.basename(uri.fsPath, '.md') : undefined;
}

/** The files that a menu or a lens calls a command on: the one under the pointer, then all that are selected. */
export function urisOf([first, all]: readonly unknown[]): vscode.Uri[] | undefined {
  if (Array.isArray(all) && all.length > 0 && all.every((each) => each instanceof vscode.Uri)) return all;
  return first instanceof vscode.Uri ? [first] : undefined;
}

/** The document in the active editor, when a job can be made of it. */
export function activeMarkdown(): vscode.Uri[] | undefined {
  const document = vscode.window.activeTextEditor?.document;
  if (
    document?.languageId !== 'markdown' ||
    !['file', 'untitled', 'vscode-remote'].includes(document.uri.scheme)
  )
    return undefined;
  return [document.uri];
}

async function askForFiles({ t }: App): Promise<readonly vscode.Uri[]> {
  const chosen = await vscode.window.showOpenDialog({
    title: t('Add to Inbox'),
    openLabel: t('Add'),
    canSelectMany: true,
    filters: { [t('Markdown')]: ['md', 'markdown', 'txt'] },
  });
  return chosen ?? [];
}

/** Closes an untitled document without asking whether to save it: its text has just been added. */
async function closeDraft(uri: vscode.Uri): Promise<void> {
  const document = vscode.workspace.textDocuments.find((each) => each.uri.toString() === uri.toString());
  if (document === undefined) return;
  await vscode.window.showTextDocument(document);
  await vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor');
}
