import os from 'node:os';
import path from 'node:path';
import * as vscode from 'vscode';
import { newJobTemplate } from '../../runner/manifest/template.ts';
import { effectiveSettings } from '../../runner/settings.ts';
import { explicitSettings } from '../explicit-settings.ts';
import { snippetOf } from '../text/template.ts';
import type { Handler } from './handler.ts';

/** Needs no account and nothing installed: the engine for who has chosen none. */
const FIRST_ENGINE = 'shell';

/** A draft to fill in; it becomes a job by Run or Queue above its first line, or by Add to Inbox. */
export const newJob: Handler = async () => {
  const { engine } = effectiveSettings(explicitSettings(), process.env);
  const template = newJobTemplate({ engine: engine ?? FIRST_ENGINE, cwd: workingFolder() });
  const document = await vscode.workspace.openTextDocument({ language: 'markdown' });
  const editor = await vscode.window.showTextDocument(document);
  await editor.insertSnippet(new vscode.SnippetString(snippetOf(template)));
};

/** The folder at hand, written out: a relative one would mean another folder to another window that runs the job. */
function workingFolder(): string {
  const active = vscode.window.activeTextEditor?.document.uri;
  const folder =
    (active && vscode.workspace.getWorkspaceFolder(active)) ?? vscode.workspace.workspaceFolders?.[0];
  const at = folder?.uri.scheme === 'file' ? folder.uri.fsPath : os.homedir();
  const below = path.relative(os.homedir(), at);
  if (below === '') return '~';
  return below.startsWith('..') || path.isAbsolute(below) ? at : `~/${below.split(path.sep).join('/')}`;
}
