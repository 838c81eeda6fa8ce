import * as vscode from 'vscode';
import { SCHEMES } from '../contributions.ts';

/** Lines from the end that still count as being there. */
const NEAR = 2;

/** Scrolls a log on as it grows, where its end was in sight; who has scrolled up to read is left alone. */
export function stayAtEnd({ document, contentChanges }: vscode.TextDocumentChangeEvent): void {
  if (document.uri.scheme !== SCHEMES.log || contentChanges.length === 0) return;
  const grown = contentChanges.reduce(
    (lines, { text, range }) => lines + text.split('\n').length - 1 - (range.end.line - range.start.line),
    0,
  );
  const lastBefore = document.lineCount - grown - 1;
  for (const editor of vscode.window.visibleTextEditors) {
    const seen = editor.visibleRanges.at(-1)?.end.line;
    if (editor.document !== document || seen === undefined || seen < lastBefore - NEAR) continue;
    editor.revealRange(document.lineAt(document.lineCount - 1).range);
  }
}
