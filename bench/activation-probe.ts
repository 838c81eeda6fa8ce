/**
 * Runs inside the extension host: waits until the extensions of interest are active, then reads VS Code's own table
 * of activation times (“Developer: Startup Performance”) into the file that AQ_PROBE_RESULTS names.
 */
import { writeFileSync } from 'node:fs';
import * as vscode from 'vscode';

const WANTED = ['agent-queue.agent-queue', 'vscode.merge-conflict', 'vscode.git'];
const LIMIT_MS = 30_000;

export async function run(): Promise<void> {
  const end = Date.now() + LIMIT_MS;
  while (Date.now() < end && !WANTED.every((id) => vscode.extensions.getExtension(id)?.isActive === true)) {
    await pause();
  }
  await vscode.commands.executeCommand('perfview.show');
  let table: string | undefined;
  while (Date.now() < end && table === undefined) {
    await pause();
    table = vscode.workspace.textDocuments
      .find((document) => document.uri.scheme === 'perf')
      ?.getText()
      .match(/## Extension Activation Stats[\s\S]*?(?=\n## |$)/)?.[0];
  }
  const rows = (table ?? '').split('\n').map((line) => line.split('|').map((cell) => cell.trim()));
  const found = rows.flatMap(([, id = '', , load, call, finish]) =>
    WANTED.includes(id) ? [{ id, load: Number(load), call: Number(call), finish: Number(finish) }] : [],
  );
  writeFileSync(process.env['AQ_PROBE_RESULTS'] as string, JSON.stringify(found));
}

function pause(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 100);
  });
}
