import type * as vscode from 'vscode';

/** One thing that the extension adds to the editor. Registers everything at once and awaits nothing. */
export interface Feature {
  register(context: vscode.ExtensionContext): void;
}
