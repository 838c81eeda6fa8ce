import * as vscode from 'vscode';
import { SCHEMES } from '../contributions.ts';

export interface FileAtCommit {
  readonly repository: string;
  readonly commit: string;
  readonly path: string;
}

/** A file as a commit has it. The path stands in the address as it is, so that the editor knows language and kind by it. */
export function gitUri(repository: string, commit: string, path: string): vscode.Uri {
  return vscode.Uri.from({
    scheme: SCHEMES.git,
    path: `/${path}`,
    query: JSON.stringify({ repository, commit }),
  });
}

/** Undefined for an address that gitUri has not made. */
export function fileOfUri(uri: vscode.Uri): FileAtCommit | undefined {
  try {
    const { repository, commit } = JSON.parse(uri.query) as Record<string, unknown>;
    if (typeof repository !== 'string' || typeof commit !== 'string') return undefined;
    return { repository, commit, path: uri.path.slice(1) };
  } catch {
    return undefined;
  }
}
