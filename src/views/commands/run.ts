import * as vscode from 'vscode';
import type { App } from '../app.ts';
import { pickText } from '../text/messages.ts';
import { activeMarkdown, addUris, jobInInbox, urisOf } from './add.ts';
import { carryOut, request } from './carry-out.ts';
import type { Handler } from './handler.ts';

/** Runs a queued job ahead of the others; a document is added first. */
export const runNow: Handler = async (app, args) => {
  const [document] = urisOf(args) ?? (await pickDocument(app, args));
  if (document === undefined) {
    await carryOut(app, 'run', args);
    return;
  }
  const queued = jobInInbox(app, document);
  const ids = queued === undefined ? await addUris(app, [document]) : [queued];
  if (queued !== undefined) await vscode.workspace.save(document);
  await request(app, 'run', ids);
};

/** From the palette with Markdown in front: that document, or a job that is queued? */
async function pickDocument({ t }: App, args: readonly unknown[]): Promise<vscode.Uri[]> {
  const [active] = activeMarkdown() ?? [];
  if (args.length > 0 || active === undefined) return [];
  const name = vscode.workspace.asRelativePath(active);
  const here = { label: t('This Document'), description: name, iconPath: new vscode.ThemeIcon('markdown') };
  const other = { label: t('A Queued Job…'), iconPath: new vscode.ThemeIcon('inbox') };
  const picked = await vscode.window.showQuickPick([here, other], { placeHolder: pickText('run', t).ask });
  if (picked === undefined) throw new vscode.CancellationError();
  return picked === here ? [active] : [];
}
