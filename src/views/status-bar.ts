import * as vscode from 'vscode';
import type { App } from './app.ts';
import { COMMANDS, VIEWS } from './contributions.ts';
import type { Feature } from './feature.ts';
import { EMPTY_TALLY, tallyOf } from './inbox/sections.ts';
import { statusBar } from './text/status-bar.ts';

/** The one item in the status bar. What it says is made in text/status-bar.ts. */
export class StatusBar implements Feature {
  readonly #app: App;

  constructor(app: App) {
    this.#app = app;
  }

  register(context: vscode.ExtensionContext): void {
    const { t, board } = this.#app;
    const item = vscode.window.createStatusBarItem('agentQueue.status', vscode.StatusBarAlignment.Left, 0);
    item.name = t('Agent Queue');
    item.command = `${VIEWS.inbox}.focus`;
    const show = (): void => this.#show(item);
    context.subscriptions.push(
      item,
      board.onDidChange(show),
      vscode.workspace.onDidGrantWorkspaceTrust(show),
    );
    show();
    item.show();
  }

  #show(item: vscode.StatusBarItem): void {
    const { board, home, t } = this.#app;
    const facts = {
      trusted: vscode.workspace.isTrusted,
      tally: board.current === undefined ? EMPTY_TALLY : tallyOf(board.current),
      runner: board.current?.runner,
      home: home.folder,
    };
    const { text, tooltip, spoken, needsPerson } = statusBar(facts, t);
    item.text = text;
    item.accessibilityInformation = { label: spoken, role: 'button' };
    item.backgroundColor = needsPerson ? new vscode.ThemeColor('statusBarItem.errorBackground') : undefined;
    const panel = new vscode.MarkdownString(tooltip);
    panel.isTrusted = { enabledCommands: Object.values(COMMANDS) };
    item.tooltip = panel;
  }
}
