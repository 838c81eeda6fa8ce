/** Says once a day that its ceiling holds jobs, in the window that runs them, and offers the two ways on. */
import * as vscode from 'vscode';
import { messageOf } from '../platform/errors.ts';
import type { Board } from '../runner/board.ts';
import type { App } from './app.ts';
import { SETTINGS, SETTINGS_SECTION } from './contributions.ts';
import { tallyOf } from './inbox/sections.ts';
import { holdSentence } from './text/today.ts';

/** The day and ceiling of which it was said last; kept for all windows, and nothing of the queue hangs on it. */
const TOLD = 'agentQueue.budget.told';

export class BudgetNotice {
  readonly #app: App;
  #memory: vscode.Memento | undefined;

  constructor(app: App) {
    this.#app = app;
  }

  register(context: vscode.ExtensionContext): void {
    this.#memory = context.globalState;
    context.subscriptions.push(this.#app.board.onDidChange((board) => void this.#look(board)));
    void this.#look(this.#app.board.current);
  }

  async #look(board: Board | undefined): Promise<void> {
    if (board?.today.hold === undefined || board.runner.kind !== 'here' || tallyOf(board).queued === 0)
      return;
    const { t, log, home } = this.#app;
    const { day, ceilings, hold } = board.today;
    const told = `${day} ${hold.unit} ${hold.unit === 'usd' ? ceilings.costUsd : ceilings.tokens}`;
    const sentence = holdSentence(board.today, t);
    if (sentence === undefined || this.#memory?.get(TOLD) === told) return;
    await this.#memory?.update(TOLD, told);
    const settings = t('Open Settings');
    const anyway = t('Run Anyway Today');
    const answer = await vscode.window.showWarningMessage(sentence, settings, anyway);
    try {
      if (answer === anyway) await (await home.factory()).runAnywayToday();
      if (answer === settings) {
        const key = hold.unit === 'usd' ? SETTINGS.budgetPerDayUsd : SETTINGS.budgetPerDayTokens;
        await vscode.commands.executeCommand('workbench.action.openSettings', `${SETTINGS_SECTION}.${key}`);
      }
    } catch (error) {
      log.error(`The day’s ceiling still holds: ${messageOf(error)}`);
    }
  }
}
