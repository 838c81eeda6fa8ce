/** Says that a person must act, once, in one window, and only when no view shows it already. */
import * as vscode from 'vscode';
import type { Board, JobRow } from '../runner/board.ts';
import type { App } from './app.ts';
import { COMMANDS, VIEWS } from './contributions.ts';
import { opens } from './text/job.ts';
import { newlyWaiting, noticeText, notShown, viewFor, waitingKeys } from './text/notice.ts';

/** Kept with the person's settings for all workspaces: nothing of the queue hangs on it. */
const QUIET = 'agentQueue.quiet';

export class Notices {
  readonly #app: App;
  #quiet: vscode.Memento | undefined;
  #known: ReadonlyMap<string, JobRow> | undefined;
  #unsaid: JobRow[] = [];
  #saying = false;

  constructor(app: App) {
    this.#app = app;
  }

  register(context: vscode.ExtensionContext): void {
    this.#quiet = context.globalState;
    context.subscriptions.push(this.#app.board.onDidChange((board) => this.#look(board)));
    this.#look(this.#app.board.current);
  }

  /** What waits when the home is opened is on the badge; only what comes to wait later is said. The window that runs the jobs says it. */
  #look(board: Board | undefined): void {
    const waiting = board === undefined ? undefined : waitingKeys(board);
    const fresh =
      waiting === undefined || this.#known === undefined ? [] : newlyWaiting(this.#known, waiting);
    this.#known = waiting;
    if (board?.runner.kind !== 'here' || this.#quiet?.get(QUIET) === true) return;
    this.#unsaid.push(...notShown(fresh, this.#app.shown()));
    if (this.#unsaid.length > 0 && !this.#saying) void this.#say();
  }

  /** One message at a time: what comes while it is open is said together afterwards. */
  async #say(): Promise<void> {
    const { t } = this.#app;
    const jobs = this.#unsaid.splice(0);
    const [only] = jobs;
    const single = only !== undefined && jobs.length === 1 && opens(only) === 'changes' ? only : undefined;
    const view = viewFor(jobs);
    const look =
      single !== undefined
        ? t('Show Changes')
        : view === 'quarantine'
          ? t('Show Quarantine')
          : t('Show Inbox');
    const never = t('Don’t Show Again');
    this.#saying = true;
    const answer = await vscode.window.showInformationMessage(noticeText(jobs, t), look, never);
    this.#saying = false;
    if (answer === never) {
      this.#unsaid = [];
      await this.#quiet?.update(QUIET, true);
    } else if (answer === look) {
      if (single === undefined) await vscode.commands.executeCommand(`${VIEWS[view]}.focus`);
      else await vscode.commands.executeCommand(COMMANDS.jobChanges, single.id);
    }
    const still = new Set([...(this.#known?.values() ?? [])].map((job) => job.id));
    this.#unsaid = notShown(this.#unsaid, this.#app.shown()).filter((job) => still.has(job.id));
    if (this.#unsaid.length > 0) await this.#say();
  }
}
