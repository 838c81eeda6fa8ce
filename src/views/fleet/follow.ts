/** The fleet of this window, for everything that shows a part of it: it comes and goes with the home. */
import * as vscode from 'vscode';
import type { App } from '../app.ts';

/** Calls `changed` whenever something of what the fleet tells may be different, and when the home is opened or closed. */
export function followFleet({ home }: Pick<App, 'home'>, changed: () => void): vscode.Disposable {
  let unsubscribe: (() => void) | undefined;
  const follow = (): void => {
    unsubscribe?.();
    unsubscribe = home.fleet?.onDidChange(changed);
  };
  const opened = home.onDidOpen(() => {
    follow();
    changed();
  });
  follow();
  return new vscode.Disposable(() => {
    opened.dispose();
    unsubscribe?.();
  });
}
