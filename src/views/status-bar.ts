import * as vscode from 'vscode';
import type { App } from './app.ts';
import { COMMANDS, VIEWS } from './contributions.ts';
import type { Feature } from './feature.ts';
import { followFleet } from './fleet/follow.ts';

/** The one item in the status bar. What it says is made in status-facts.ts, which is read once activation is over. */
export class StatusBar implements Feature {
  readonly #app: App;

  constructor(app: App) {
    this.#app = app;
  }

  register(context: vscode.ExtensionContext): void {
    const { t, board } = this.#app;
    const item = vscode.window.createStatusBarItem('agentQueue.status', vscode.StatusBarAlignment.Left, 0);
    item.name = t('Agent Queue');
    item.text = `$(inbox) ${t('Agent Queue')}`;
    const show = (): void => void this.#show(item);
    const soon = setImmediate(show);
    context.subscriptions.push(
      item,
      { dispose: () => clearImmediate(soon) },
      followFleet(this.#app, show),
      board.onDidChange(show),
      vscode.workspace.onDidGrantWorkspaceTrust(show),
    );
    item.show();
  }

  async #show(item: vscode.StatusBarItem): Promise<void> {
    const { statusOf } = await import('./status-facts.ts');
    const { text, tooltip, spoken, needsPerson } = statusOf(this.#app);
    item.text = text;
    item.command = this.#app.home.fleetMode === 'off' ? `${VIEWS.inbox}.focus` : COMMANDS.fleetStatus;
    item.accessibilityInformation = { label: spoken, role: 'button' };
    item.backgroundColor = needsPerson ? new vscode.ThemeColor('statusBarItem.errorBackground') : undefined;
    const panel = new vscode.MarkdownString(tooltip);
    panel.isTrusted = { enabledCommands: Object.values(COMMANDS) };
    item.tooltip = panel;
  }
}
