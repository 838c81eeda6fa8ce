import path from 'node:path';
import * as vscode from 'vscode';
import type { Changes } from '../../runner/factory-api.ts';
import { gitUri } from '../changes/uri.ts';
import { pickText, quoted } from '../text/messages.ts';
import { chooseJobs } from './choose.ts';
import type { Handler } from './handler.ts';

/** The whole change of a job in one editor. A side that a file does not have is left out, so that the editor says added or deleted. */
export const showChanges: Handler = async (app, args) => {
  const { t } = app;
  const jobs = await chooseJobs(app, args, {
    fits: (job) => (job.files ?? 0) > 0,
    ...pickText('changes', t),
  });
  const factory = await app.home.factory();
  for (const job of jobs) {
    const changes = await factory.changes(job.id);
    if (changes.files.length === 0) {
      void vscode.window.showInformationMessage(t('{0} has changed no files.', quoted(job)));
    } else {
      await vscode.commands.executeCommand(
        'vscode.changes',
        t('Changes of {0}', quoted(job)),
        resources(changes),
      );
    }
  }
};

type Resource = readonly [
  label: vscode.Uri,
  original: vscode.Uri | undefined,
  modified: vscode.Uri | undefined,
];

function resources({ repository, base, commit, files }: Changes): Resource[] {
  return files.map(({ path: file, oldPath, status }) => [
    vscode.Uri.file(path.join(repository, file)),
    status === 'added' ? undefined : gitUri(repository, base, oldPath ?? file),
    status === 'deleted' ? undefined : gitUri(repository, commit, file),
  ]);
}
