/** Dragging queued jobs into another order, and dropping files or text to make jobs of. */
import * as vscode from 'vscode';
import type { JobRow } from '../../runner/board.ts';
import type { App } from '../app.ts';
import { addDrafts, readFiles, textDraft } from '../commands/drafts.ts';
import { DRAGGED } from '../contributions.ts';
import { report } from '../report.ts';
import { dropBefore, uriList } from '../text/drop.ts';

/** Dragged into an editor, a job opens its file; within the view it moves. */
export function drag(jobs: readonly JobRow[], data: vscode.DataTransfer): void {
  const files = jobs.map((job) => vscode.Uri.file(job.file).toString());
  data.set('text/uri-list', new vscode.DataTransferItem(files.join('\r\n')));
  const queued = jobs.filter((job) => job.stage === 'queued').map((job) => job.id);
  data.set(DRAGGED, new vscode.DataTransferItem(queued));
}

/** What fails is told to the person. */
export async function drop(app: App, target: JobRow | undefined, data: vscode.DataTransfer): Promise<void> {
  try {
    const dragged: unknown = data.get(DRAGGED)?.value;
    if (Array.isArray(dragged)) await reorder(app, dragged as string[], target);
    else await add(app, data);
  } catch (error) {
    report(app, error);
  }
}

async function reorder(app: App, dragged: readonly string[], target: JobRow | undefined): Promise<void> {
  if (dragged.length === 0) return;
  const factory = await app.home.factory();
  const board = await app.board.read();
  const queue = board.stages.find(({ stage }) => stage === 'queued')?.rows.map((job) => job.id) ?? [];
  await factory.reorder(dragged, dropBefore(queue, dragged, target?.id));
}

async function add(app: App, data: vscode.DataTransfer): Promise<void> {
  const list = await data.get('text/uri-list')?.asString();
  if (list) {
    await addDrafts(
      app,
      await readFiles(
        uriList(list).map((line) => vscode.Uri.parse(line, true)),
        app.t,
      ),
    );
    return;
  }
  const files = [...data].map(([, item]) => item.asFile()).filter((file) => file !== undefined);
  if (files.length > 0) {
    const decoder = new TextDecoder();
    const drafts = files.map(async (file) => ({ name: file.name, text: decoder.decode(await file.data()) }));
    await addDrafts(app, await Promise.all(drafts));
    return;
  }
  const text = await data.get('text/plain')?.asString();
  if (text?.trim()) await addDrafts(app, [textDraft(text)]);
}
