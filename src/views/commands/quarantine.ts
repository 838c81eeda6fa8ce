/** What a person does with a result in quarantine. */
import path from 'node:path';
import * as vscode from 'vscode';
import type { JobVerb } from '../../runner/board.ts';
import type { QuarantineEntry } from '../../runner/quarantine/entries.ts';
import type { App } from '../app.ts';
import { gitUri } from '../changes/uri.ts';
import { mention } from '../report.ts';
import { changedText, entryRow, fileRow } from '../text/quarantine.ts';
import { request } from './carry-out.ts';
import type { Handler } from './handler.ts';

/** Listed for a choice: the newest. */
const MOST_LISTED = 500;

type Comparison = Awaited<ReturnType<Awaited<ReturnType<App['home']['factory']>>['quarantine']['compare']>>;

/** The verdict in one line, and both sides as diffs. */
export const compareQuarantined: Handler = async (app, args) => {
  const entry = await choose(app, args, { ask: app.t('Which result is compared?') });
  if (entry === undefined) return;
  const factory = await app.home.factory();
  const comparison = await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Window, title: app.t('Comparing…') },
    () => factory.quarantine.compare(entry.id),
  );
  if (comparison.closed) {
    void vscode.window.showInformationMessage(app.t('{0} It was closed by that.', comparison.text));
    return;
  }
  await showSides(app, comparison, 'winner');
  void offerOtherSides(app, comparison);
};

/** Its files, all of them picked; the result becomes a new job in review. */
export const adoptQuarantined: Handler = async (app, args) => {
  const { t } = app;
  const entry = await choose(app, args, { ask: t('Which result is adopted?') });
  if (entry === undefined) return;
  const files = entry.work?.files ?? [];
  const isWhole = files.length <= 1 || files.length < (entry.work?.fileCount ?? 0);
  if (isWhole) return ask(app, 'adopt', entry);
  const items = files.map((file) => {
    const { label, description, icon } = fileRow(file, t);
    return { label, description, iconPath: new vscode.ThemeIcon(icon), picked: true, path: file.path };
  });
  const picked = await vscode.window.showQuickPick(items, {
    title: t('Adopt “{0}”', entry.title),
    placeHolder: t('Enter makes a new job in review of these files.'),
    canPickMany: true,
    ignoreFocusOut: true,
  });
  if (picked === undefined || picked.length === 0) return;
  const chosen = picked.map((item) => item.path);
  await ask(app, 'adopt', entry, chosen.length === files.length ? {} : { files: chosen });
};

export const requeueQuarantined: Handler = async (app, args) => {
  const entry = await choose(app, args, { ask: app.t('Which prompt goes back to the inbox?') });
  if (entry !== undefined) await ask(app, 'requeue', entry);
};

export const exportQuarantined: Handler = async (app, args) => {
  const { t } = app;
  const entry = await choose(app, args, { ask: t('Which result is exported?') });
  if (entry === undefined) return;
  const patch = await (await app.home.factory()).quarantine.patch(entry.id);
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri ?? vscode.Uri.file(app.home.folder);
  const target = await vscode.window.showSaveDialog({
    title: t('Export “{0}” as a patch for `git am`', entry.title),
    defaultUri: vscode.Uri.joinPath(folder, `${entry.id}.patch`),
    filters: { [t('Patches')]: ['patch', 'diff'] },
  });
  if (target === undefined) return;
  await vscode.workspace.fs.writeFile(target, patch);
  mention(t('{0} was written.', path.posix.basename(target.path)));
};

export const discardQuarantined: Handler = async (app, args) => {
  const { t } = app;
  const entry = await choose(app, args, { ask: t('Which result is discarded?') });
  if (entry === undefined) return;
  const verb = t('Discard');
  const files = entry.work === undefined ? '' : `${changedText(entry.work.fileCount, t)}. `;
  const detail = t('{0}It is kept for a while, and “Quarantine: Restore” brings it back.', files);
  const question = t('Discard “{0}”?', entry.title);
  if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, verb)) === verb)
    await ask(app, 'discard', entry);
};

export const restoreQuarantined: Handler = async (app, args) => {
  const entry = await choose(app, args, { ask: app.t('Which result is brought back?'), settled: true });
  if (entry !== undefined) await ask(app, 'restore', entry);
};

async function ask(
  app: App,
  verb: JobVerb,
  { id }: QuarantineEntry,
  asked: { readonly files?: readonly string[] } = {},
): Promise<void> {
  await request(app, verb, [id], asked);
}

/** The one that the row or the caller names, else what the person picks from a list. */
async function choose(
  app: App,
  [first]: readonly unknown[],
  { ask: placeHolder, settled = false }: { readonly ask: string; readonly settled?: boolean },
): Promise<QuarantineEntry | undefined> {
  const { t } = app;
  const { quarantine } = await app.home.factory();
  const named = typeof first === 'string' ? first : (first as { job?: unknown } | undefined)?.job;
  if (typeof named === 'string') return quarantine.entry(named);
  const { entries } = await quarantine.page({ offset: 0, limit: MOST_LISTED, all: settled });
  const fitting = entries.filter((entry) => (entry.settled !== undefined) === settled);
  if (fitting.length === 0) {
    void vscode.window.showInformationMessage(
      settled ? t('Nothing that was discarded is kept.') : t('Nothing is in quarantine.'),
    );
    return undefined;
  }
  const items = fitting.map((entry) => {
    const { label, description, icon } = entryRow(entry, Date.now(), t);
    return { label, description, detail: entry.id, iconPath: new vscode.ThemeIcon(icon), entry };
  });
  return (
    await vscode.window.showQuickPick(items, { placeHolder, matchOnDescription: true, matchOnDetail: true })
  )?.entry;
}

type Sides = 'winner' | 'ours' | 'theirs';

async function showSides(app: App, comparison: Comparison, sides: Sides): Promise<void> {
  const { repository, base, ours, theirs, files, text } = comparison;
  const [from, to] = {
    winner: [theirs ?? base, ours],
    ours: [base, ours],
    theirs: [base, theirs ?? base],
  }[sides] as [string, string];
  const title = {
    winner: theirs === undefined ? text : app.t('{0} Left: theirs, right: ours.', text),
    ours: app.t('Ours, since the base'),
    theirs: app.t('Theirs, since the base'),
  }[sides];
  const resources = files.map((file) => [
    vscode.Uri.file(path.join(repository, file.path)),
    isThere(file, sides === 'winner' && theirs !== undefined ? 'theirs' : 'base')
      ? gitUri(repository, from, file.path)
      : undefined,
    isThere(file, sides === 'theirs' ? 'theirs' : 'ours') ? gitUri(repository, to, file.path) : undefined,
  ]);
  await vscode.commands.executeCommand('vscode.changes', title, resources);
}

/** A side that a file does not have is left out, so that the editor says added or deleted. */
function isThere({ ours, theirs }: Comparison['files'][number], side: 'base' | 'ours' | 'theirs'): boolean {
  const change = side === 'base' ? undefined : { ours, theirs }[side];
  return change === undefined ? ours !== 'added' && theirs !== 'added' : change !== 'deleted';
}

/** Not waited for: the message stays until it is answered or dismissed. */
async function offerOtherSides(app: App, comparison: Comparison): Promise<void> {
  const { t } = app;
  const [ours, theirs] = [t('Ours Since Base'), t('Theirs Since Base')];
  const choices = comparison.theirs === undefined ? [ours] : [ours, theirs];
  const answer = await vscode.window.showInformationMessage(comparison.text, ...choices);
  if (answer === ours) await showSides(app, comparison, 'ours');
  if (answer === theirs) await showSides(app, comparison, 'theirs');
}
