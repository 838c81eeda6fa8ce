/**
 * What makes a message a person's own language. `{0}`, `{1}`, … stand for the arguments. The views pass
 * vscode.l10n.t; the functions in this folder take it as a parameter, so that they run without an editor.
 */
export type Translate = (message: string, ...args: (string | number)[]) => string;
