import * as vscode from 'vscode';
import { SCHEMES } from '../contributions.ts';

const ENDING = '.log';

/** The live log of a job, whichever run of it is the newest. */
export function logUri(id: string): vscode.Uri {
  return vscode.Uri.from({ scheme: SCHEMES.log, path: `/${id}${ENDING}` });
}

export function jobOfLog(uri: vscode.Uri): string {
  return uri.path.slice(1, -ENDING.length);
}
