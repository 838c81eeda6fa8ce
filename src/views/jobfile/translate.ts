/** `vscode.l10n.t`: a message with `{0}` placeholders, in the language of the editor. */
export type Translate = (message: string, ...args: string[]) => string;
