/** Tells a person, once, that the coordinator turns the token down: nothing is claimed until they act (rule 2). */
import * as vscode from 'vscode';
import type { App } from '../app.ts';
import { COMMANDS } from '../contributions.ts';
import { followFleet } from './follow.ts';

export function tellOfTokenTurnedDown(app: App): vscode.Disposable {
  const { home, t } = app;
  let isTold = false;
  return followFleet(app, () => {
    const { connection, api } = home.fleet?.facts() ?? {};
    if (connection?.phase === 'reachable') isTold = false;
    if (connection?.phase !== 'unauthorized' || api === undefined || isTold) return;
    isTold = true;
    void tell(api);
  });

  async function tell(api: string): Promise<void> {
    const setToken = t('Set Token…');
    const message = t(
      'The coordinator at {0} turns the token down. Nothing is claimed; jobs in work go on, and nothing of them is lost.',
      api,
    );
    if ((await vscode.window.showWarningMessage(message, setToken)) === setToken)
      await vscode.commands.executeCommand(COMMANDS.fleetSetToken);
  }
}
