/** The Inbox: draws the tree, and again what has changed of it. What is drawn is decided in tree.ts. */
import * as vscode from 'vscode';
import { MINUTE, SECOND } from '../../platform/clock.ts';
import { messageOf } from '../../platform/errors.ts';
import type { Board, JobRow } from '../../runner/board.ts';
import type { Stage } from '../../runner/stages.ts';
import type { App } from '../app.ts';
import { COMMANDS, CONTEXT_KEYS, OPEN_JOB, SHOW_MORE } from '../contributions.ts';
import { jobTooltip } from '../text/job-tooltip.ts';
import { holdSentence } from '../text/today.ts';
import { treeItem } from './item.ts';
import { openJob } from './open-job.ts';
import { EMPTY_TALLY, pagedStage, type Section, type Tally, tallyOf } from './sections.ts';
import { buildTree, changedRows, EMPTY_TREE, PAGE, type Tree } from './tree.ts';

/** Stands for a row in the editor's hands: the same object for the same row, whatever it says today. */
export interface Element {
  readonly id: string;
}

export class InboxView implements vscode.TreeDataProvider<Element> {
  readonly #app: App;
  readonly #view: vscode.TreeView<Element>;
  readonly #drawAgain: (elements: Element[] | undefined) => void;
  /** Never forgotten: the editor refuses a second object under an id while it still holds the first. */
  readonly #elements = new Map<string, Element>();
  readonly #limit = new Map<Section, number>();
  readonly #more = new Map<Stage, readonly JobRow[]>();
  #tree: Tree = EMPTY_TREE;
  #tally: Tally = EMPTY_TALLY;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    app: App,
    view: vscode.TreeView<Element>,
    drawAgain: (elements: Element[] | undefined) => void,
  ) {
    this.#app = app;
    this.#view = view;
    this.#drawAgain = drawAgain;
  }

  register(context: vscode.ExtensionContext): void {
    context.subscriptions.push(
      this.#app.board.onDidChange((board) => void this.#show(board)),
      this.#view.onDidChangeVisibility(() => this.#tick()),
      vscode.commands.registerCommand(SHOW_MORE, (section: Section) => this.#showMore(section)),
      vscode.commands.registerCommand(OPEN_JOB, (id: string) => openJob(this.#app, id)),
      { dispose: () => clearTimeout(this.#timer) },
    );
    if (this.#app.board.current !== undefined) void this.#show(this.#app.board.current);
  }

  jobOf(element: Element | undefined): JobRow | undefined {
    return element === undefined ? undefined : this.#tree.rows.get(element.id)?.job;
  }

  async getChildren(element?: Element): Promise<Element[]> {
    if (element !== undefined) return this.#elementsOf(this.#tree.rows.get(element.id)?.children ?? []);
    if (!vscode.workspace.isTrusted) return [];
    if (this.#app.board.current === undefined) {
      try {
        await this.#show(await this.#app.board.read());
      } catch (error) {
        this.#failed(error);
      }
    }
    return this.#elementsOf(this.#tree.roots);
  }

  getTreeItem(element: Element): vscode.TreeItem {
    const row = this.#tree.rows.get(element.id);
    // A row that went while the editor was asking for it; the editor is already being told to draw without it.
    return row === undefined ? new vscode.TreeItem('') : treeItem(row);
  }

  getParent(element: Element): Element | undefined {
    const row = this.#tree.rows.get(element.id);
    return row === undefined || row.children !== undefined ? undefined : this.#elementOf(row.section);
  }

  resolveTreeItem(item: vscode.TreeItem, element: Element): vscode.TreeItem {
    const job = this.jobOf(element);
    if (job === undefined) return item;
    const tooltip = new vscode.MarkdownString(jobTooltip(job, Date.now(), this.#app.t));
    tooltip.isTrusted = { enabledCommands: Object.values(COMMANDS) };
    item.tooltip = tooltip;
    return item;
  }

  async #show(board: Board | undefined): Promise<void> {
    this.#tally = board === undefined ? EMPTY_TALLY : tallyOf(board);
    await this.#readPages();
    this.#draw(board);
    this.#tick();
    this.#decorate(board);
  }

  /** Stages of which a person has asked for more than the board holds. A page that cannot be read is shown as it was. */
  async #readPages(): Promise<void> {
    for (const [section, limit] of this.#limit) {
      const stage = pagedStage(section);
      if (stage === undefined) continue;
      try {
        this.#more.set(stage, await (await this.#app.home.factory()).page(stage, 0, limit));
      } catch (error) {
        this.#app.log.warn(`Further jobs of ${stage} could not be read: ${messageOf(error)}`);
      }
    }
  }

  #draw(board: Board | undefined): void {
    const before = this.#tree;
    const shown = { limit: this.#limit, more: this.#more };
    this.#tree = board === undefined ? EMPTY_TREE : buildTree(board, shown, Date.now(), this.#app.t);
    const changed = changedRows(before, this.#tree);
    if (changed === 'root') this.#drawAgain(undefined);
    else if (changed.length > 0) this.#drawAgain(this.#elementsOf(changed));
  }

  /** Elapsed times move each second while something runs, ages each minute; nothing moves while nobody looks. */
  #tick(): void {
    clearTimeout(this.#timer);
    if (!this.#view.visible) return;
    this.#timer = setTimeout(
      () => {
        this.#draw(this.#app.board.current);
        this.#tick();
      },
      this.#tally.running > 0 ? SECOND : MINUTE,
    );
  }

  #decorate(board: Board | undefined): void {
    const view = this.#view;
    const { t } = this.#app;
    const { running, queued, total } = this.#tally;
    const waiting = this.#tally.waiting - this.#tally.quarantined;
    view.badge =
      waiting === 0
        ? undefined
        : {
            value: waiting,
            tooltip: waiting === 1 ? t('1 job waits for you') : t('{0} jobs wait for you', waiting),
          };
    const stalled = board?.runner.kind === 'stopped' && running + queued > 0;
    const hold = board !== undefined && queued > 0 ? holdSentence(board.today, t) : undefined;
    view.message = stalled ? t('The runner is stopped; jobs wait for it.') : (hold ?? '');
    void setContext(CONTEXT_KEYS.runner, board?.runner.kind);
    void setContext(CONTEXT_KEYS.inbox, board === undefined ? undefined : total === 0 ? 'empty' : 'filled');
  }

  #failed(error: unknown): void {
    this.#app.log.error(error instanceof Error ? error : String(error));
    this.#view.message = messageOf(error);
    void setContext(CONTEXT_KEYS.inbox, 'failed');
  }

  async #showMore(section: Section): Promise<void> {
    this.#limit.set(section, (this.#limit.get(section) ?? PAGE) + PAGE);
    await this.#readPages();
    this.#draw(this.#app.board.current);
  }

  #elementsOf(ids: readonly string[]): Element[] {
    return ids.map((id) => this.#elementOf(id));
  }

  #elementOf(id: string): Element {
    const known = this.#elements.get(id);
    if (known !== undefined) return known;
    const element = { id };
    this.#elements.set(id, element);
    return element;
  }
}

function setContext(key: string, value: unknown): Thenable<unknown> {
  return vscode.commands.executeCommand('setContext', key, value);
}
