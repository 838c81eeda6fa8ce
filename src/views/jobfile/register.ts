/** Job files in the editor. This file only hands over: what is said and offered is made by the pure ones beside it. */
import path from 'node:path';
import * as vscode from 'vscode';
import type { Diagnostic } from '../../runner/manifest/diagnostic.ts';
import { parseJob } from '../../runner/manifest/parse.ts';
import { Lines, type Range, type Span } from '../../runner/manifest/text.ts';
import { type CompletionEntry, completionsAt, type Known } from './completions.ts';
import { Debounce } from './debounce.ts';
import { isJobDocument, stageOfFile } from './document.ts';
import { fixesFor } from './fixes.ts';
import { hoverAt } from './hover.ts';
import { lensesFor } from './lenses.ts';

/** How long (ms) typing has to pause before a file is checked again. */
const PAUSE = 200;
const SOURCE = 'Agent Queue';
const MARKDOWN: vscode.DocumentSelector = [
  { language: 'markdown', scheme: 'file' },
  { language: 'markdown', scheme: 'untitled' },
];

export interface JobFileDeps extends Known {
  /** Absolute path of the home. */
  home(): string;
}

/** Everything that can be registered with: an ExtensionContext, or a part of one. */
export interface Registry {
  readonly subscriptions: { dispose(): unknown }[];
}

/** Gives job files diagnostics, completion, hover, quick fixes and the `Run · Queue` lenses. `refresh` checks all open files again, for when the known engines have changed. */
export function registerJobFiles(context: Registry, deps: JobFileDeps): { refresh(): void } {
  const isJob = (document: vscode.TextDocument) =>
    document.languageId === 'markdown' &&
    vscode.languages.match(MARKDOWN, document) > 0 &&
    isJobDocument(document.uri.fsPath, document.getText(), deps.home());
  const refresh = registerDiagnostics(context, deps, isJob);
  context.subscriptions.push(
    vscode.languages.registerCompletionItemProvider(
      MARKDOWN,
      {
        async provideCompletionItems(document, position) {
          if (!isJob(document)) return [];
          const text = document.getText();
          const entries = await completionsAt(text, document.offsetAt(position), deps, vscode.l10n.t);
          const lines = new Lines(text);
          return entries.map((entry, index) => completionItem(entry, index, lines));
        },
      },
      ':',
      ' ',
      '[',
      ',',
    ),
    vscode.languages.registerHoverProvider(MARKDOWN, {
      provideHover(document, position) {
        if (!isJob(document)) return undefined;
        const text = document.getText();
        const hover = hoverAt(text, document.offsetAt(position), vscode.l10n.t);
        if (hover === undefined) return undefined;
        return new vscode.Hover(
          new vscode.MarkdownString(hover.markdown),
          rangeOf(new Lines(text), hover.span),
        );
      },
    }),
    vscode.languages.registerCodeLensProvider(MARKDOWN, {
      provideCodeLenses(document) {
        if (!isJob(document)) return [];
        const top = new vscode.Range(0, 0, 0, 0);
        return lensesFor(stageOfFile(document.uri.fsPath, deps.home()), vscode.l10n.t).map(
          (lens) => new vscode.CodeLens(top, { ...lens, arguments: [document.uri] }),
        );
      },
    }),
    vscode.languages.registerCodeActionsProvider(
      MARKDOWN,
      {
        provideCodeActions: (document, range) => (isJob(document) ? codeActions(document, range, deps) : []),
      },
      { providedCodeActionKinds: [vscode.CodeActionKind.QuickFix] },
    ),
  );
  return { refresh };
}

function registerDiagnostics(
  context: Registry,
  deps: JobFileDeps,
  isJob: (document: vscode.TextDocument) => boolean,
): () => void {
  const collection = vscode.languages.createDiagnosticCollection('agentQueue');
  const debounce = new Debounce<string>(PAUSE);
  const check = (document: vscode.TextDocument) => {
    if (document.isClosed) return;
    if (isJob(document)) collection.set(document.uri, diagnose(document, deps).map(editorDiagnostic));
    else collection.delete(document.uri);
  };
  const refresh = () => vscode.workspace.textDocuments.forEach(check);
  context.subscriptions.push(
    collection,
    debounce,
    vscode.workspace.onDidOpenTextDocument(check),
    vscode.workspace.onDidChangeTextDocument(({ document }) => {
      if (document.languageId === 'markdown') debounce.run(document.uri.toString(), () => check(document));
    }),
    vscode.workspace.onDidCloseTextDocument(({ uri }) => {
      debounce.cancel(uri.toString());
      collection.delete(uri);
    }),
  );
  refresh();
  return refresh;
}

function diagnose(document: vscode.TextDocument, deps: JobFileDeps): readonly Diagnostic[] {
  const engines = deps.engines().map(({ name }) => name);
  // Before the engines are known every name will do.
  const options = {
    fileName: path.basename(document.uri.fsPath),
    ...(engines.length > 0 ? { engines } : {}),
  };
  return parseJob(document.getText(), options).diagnostics;
}

function codeActions(
  document: vscode.TextDocument,
  range: vscode.Range,
  deps: JobFileDeps,
): vscode.CodeAction[] {
  return fixesFor(diagnose(document, deps), range, vscode.l10n.t).map((fix) => {
    const action = new vscode.CodeAction(fix.title, vscode.CodeActionKind.QuickFix);
    action.edit = new vscode.WorkspaceEdit();
    action.edit.replace(document.uri, editorRange(fix.range), fix.replacement);
    action.diagnostics = [editorDiagnostic(fix.diagnostic)];
    action.isPreferred = true;
    return action;
  });
}

function editorDiagnostic(diagnostic: Diagnostic): vscode.Diagnostic {
  const severity =
    diagnostic.severity === 'error' ? vscode.DiagnosticSeverity.Error : vscode.DiagnosticSeverity.Warning;
  const shown = new vscode.Diagnostic(editorRange(diagnostic.range), diagnostic.message, severity);
  shown.code = diagnostic.code;
  shown.source = SOURCE;
  return shown;
}

function completionItem(entry: CompletionEntry, index: number, lines: Lines): vscode.CompletionItem {
  const kind = entry.kind === 'key' ? vscode.CompletionItemKind.Property : vscode.CompletionItemKind.Value;
  const item = new vscode.CompletionItem(entry.label, kind);
  item.insertText = entry.insert;
  item.range = rangeOf(lines, entry.span);
  item.sortText = String(index).padStart(5, '0');
  if (entry.detail !== undefined) item.detail = entry.detail;
  if (entry.documentation !== undefined) item.documentation = new vscode.MarkdownString(entry.documentation);
  if (entry.again) item.command = { command: 'editor.action.triggerSuggest', title: '' };
  return item;
}

function rangeOf(lines: Lines, span: Span): vscode.Range {
  return editorRange(lines.range(span));
}

function editorRange({ start, end }: Range): vscode.Range {
  return new vscode.Range(start.line, start.character, end.line, end.character);
}
