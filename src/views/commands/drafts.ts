/** Texts on their way into the inbox. */
import path from 'node:path';
import * as vscode from 'vscode';
import { UserError } from '../../platform/errors.ts';
import { titleOf } from '../../runner/manifest/title.ts';
import type { App } from '../app.ts';
import { COMMANDS } from '../contributions.ts';
import { mention, offer } from '../report.ts';
import type { Translate } from '../text/translate.ts';

export interface Draft {
  /** A file name or a title; the id is made of it. */
  readonly name: string;
  readonly text: string;
}

/** Prompts reach 1 MiB (runner.md); a file far beyond that is not read at all. */
const LARGEST_FILE = 4 * 1024 * 1024;

/** Reads files to make jobs of; a file that is open in the editor as it is there. Throws a UserError for what cannot be one. */
export async function readFiles(uris: readonly vscode.Uri[], t: Translate): Promise<Draft[]> {
  return Promise.all(uris.map((uri) => readFile(uri, t)));
}

async function readFile(uri: vscode.Uri, t: Translate): Promise<Draft> {
  const name = path.posix.basename(uri.path);
  const open = vscode.workspace.textDocuments.find((document) => document.uri.toString() === uri.toString());
  if (open !== undefined) return open.isUntitled ? textDraft(open.getText()) : { name, text: open.getText() };
  if (!/\.(?:md|markdown|txt)$/i.test(name)) {
    throw new UserError(
      'not-markdown',
      t('“{0}” is not a Markdown file, so no job was made of it.', name),
      t('Choose a file that ends in .md.'),
    );
  }
  const { size } = await vscode.workspace.fs.stat(uri);
  if (size > LARGEST_FILE) {
    throw new UserError(
      'too-large',
      t('“{0}” is too large for a job; it was not read.', name),
      t('Shorten the prompt to 1 MiB.'),
    );
  }
  return { name, text: new TextDecoder().decode(await vscode.workspace.fs.readFile(uri)) };
}

/** A text without a file, named by its title. */
export function textDraft(text: string): Draft {
  const body = text.replace(/^---\r?\n[\s\S]*?\n---[ \t]*(?:\r?\n|$)/, '');
  return { name: titleOf(body), text };
}

/** Adds them all and says so; returns their ids. When no runner is on, offers to start one. */
export async function addDrafts(app: App, drafts: readonly Draft[]): Promise<string[]> {
  const { t } = app;
  const factory = await app.home.factory();
  const ids: string[] = [];
  for (const { text, name } of drafts) ids.push(await factory.add(text, name));
  if (ids.length === 0) return ids;
  const said =
    ids.length === 1
      ? t('Added “{0}” to the inbox.', ids[0] ?? '')
      : t('Added {0} jobs to the inbox.', ids.length);
  const { runner } = await app.board.read();
  if (runner.kind === 'stopped')
    offer('info', t('{0} The runner is stopped.', said), t('Start Runner'), COMMANDS.runnerStart);
  else mention(said);
  return ids;
}
