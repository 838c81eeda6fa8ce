import { mkdir } from 'node:fs/promises';
import * as vscode from 'vscode';
import type { Handler } from './handler.ts';

/** In the file manager where there is one beside the editor; else, over a remote connection or in a browser, as a folder of the editor. */
export const openHome: Handler = async (app) => {
  const uri = vscode.Uri.file(app.home.folder);
  await mkdir(uri.fsPath, { recursive: true, mode: 0o700 });
  const local = vscode.env.uiKind === vscode.UIKind.Desktop && vscode.env.remoteName === undefined;
  if (local) await vscode.commands.executeCommand('revealFileInOS', uri);
  else await vscode.commands.executeCommand('vscode.openFolder', uri, { forceNewWindow: true });
};

export const showOutput: Handler = (app) => {
  app.log.show();
  return Promise.resolve();
};
