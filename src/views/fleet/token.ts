/** Tokens in the editor's secret storage, each under the address that it was given for: it is never sent to another. */
import type * as vscode from 'vscode';

export function tokenFor(secrets: vscode.SecretStorage, api: string): Thenable<string | undefined> {
  return secrets.get(keyOf(api));
}

/** @param token undefined: forgets it */
export function keepToken(
  secrets: vscode.SecretStorage,
  api: string,
  token: string | undefined,
): Thenable<void> {
  return token === undefined ? secrets.delete(keyOf(api)) : secrets.store(keyOf(api), token);
}

function keyOf(api: string): string {
  return `fleet.token ${api}`;
}
