import type { Page } from 'playwright-core';
import { MINUTE } from '../../src/platform/clock.ts';
import type { Server } from './server.ts';

export interface WorkbenchOptions {
  /** Absolute path of the folder or `.code-workspace` file to open; default: an empty window. */
  readonly folder?: string;
  /** VS Code's own start-up parameters for a page, e.g. `['extensionTestsPath', uri]`. */
  readonly payload?: readonly (readonly [name: string, value: string])[];
}

/** The address that opens a workbench in any browser. */
export function workbenchUrl(server: Server, { folder, payload }: WorkbenchOptions = {}): string {
  const url = new URL('/', server.origin);
  if (folder !== undefined) {
    url.searchParams.set(folder.endsWith('.code-workspace') ? 'workspace' : 'folder', folder);
  }
  if (payload !== undefined) url.searchParams.set('payload', JSON.stringify(payload));
  return url.toString();
}

/** The URI under which the page knows a file on the server's machine. */
export function remoteUri(server: Server, file: string): string {
  return `vscode-remote://${new URL(server.origin).host}${encodeURI(file)}`;
}

/** Opens a workbench, and returns once it is on the screen and its status bar is filled. */
export async function openWorkbench(
  page: Page,
  server: Server,
  options: WorkbenchOptions = {},
): Promise<void> {
  await page.goto(workbenchUrl(server, options));
  await page
    .locator('.monaco-workbench .part.statusbar .statusbar-item')
    .first()
    .waitFor({ timeout: MINUTE });
}
