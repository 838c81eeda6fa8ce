/** The rows of the Quarantine view: one a result, and below it the files that it changed. */
import * as vscode from 'vscode';
import type { Board } from '../../runner/board.ts';
import type { QuarantineEntry } from '../../runner/quarantine/entries.ts';
import type { App } from '../app.ts';
import { gitUri } from '../changes/uri.ts';
import { SHOW_MORE_QUARANTINE } from '../contributions.ts';
import { entryRow, fileRow, type QuarantinedFile, type QuarantineRow } from '../text/quarantine.ts';

/** Entries read and shown at once. */
const PAGE = 100;

/** Stands for a row: the same object for the same row, whatever it says today. */
export interface Element {
  readonly id: string;
  /** The job in quarantine; undefined for the row that shows more. */
  readonly job?: string;
  readonly file?: string;
}

export class QuarantineTree {
  readonly #app: App;
  readonly #view: vscode.TreeView<Element>;
  readonly #drawAgain: () => void;
  readonly #elements = new Map<string, Element>();
  #entries = new Map<string, QuarantineEntry>();
  #count = 0;
  #limit = PAGE;
  #ids = '';
  #key: string | undefined;

  constructor(app: App, view: vscode.TreeView<Element>, drawAgain: () => void) {
    this.#app = app;
    this.#view = view;
    this.#drawAgain = drawAgain;
  }

  register(context: vscode.ExtensionContext): void {
    context.subscriptions.push(
      this.#app.board.onDidChange((board) => void this.#lookIfChanged(board)),
      vscode.commands.registerCommand(SHOW_MORE_QUARANTINE, () => {
        this.#limit += PAGE;
        this.#drawAgain();
      }),
    );
    void this.#lookIfChanged(this.#app.board.current);
  }

  /** The board changes with every step of every job, and records are files: they are read when there are others than before. */
  async #lookIfChanged(board: Board | undefined): Promise<void> {
    const { count, rows } = board?.stages.find(({ stage }) => stage === 'quarantine') ?? {
      count: 0,
      rows: [],
    };
    const key = `${count} ${rows.map(({ id, changedAt }) => `${id} ${changedAt}`).join()}`;
    if (board === undefined || key === this.#key) return;
    this.#key = key;
    await this.#look();
  }

  async children(element?: Element): Promise<Element[]> {
    if (element === undefined) {
      await this.#read();
      const shown = [...this.#entries.keys()].map((job) => this.#elementOf({ id: `entry ${job}`, job }));
      return this.#count > shown.length ? [...shown, this.#elementOf({ id: 'more' })] : shown;
    }
    const { job } = element;
    const work = job === undefined ? undefined : this.#entries.get(job)?.work;
    if (job === undefined || work === undefined) return [];
    return work.files.map(({ path }) => this.#elementOf({ id: `file ${job} ${path}`, job, file: path }));
  }

  item({ id, job, file }: Element): vscode.TreeItem {
    const { t } = this.#app;
    const entry = job === undefined ? undefined : this.#entries.get(job);
    if (entry === undefined) return this.#moreItem(id);
    const changed = file === undefined ? undefined : entry.work?.files.find(({ path }) => path === file);
    if (changed !== undefined) return this.#fileItem(id, entry, changed);
    const row = entryRow(entry, Date.now(), t);
    const hasFiles = (entry.work?.files.length ?? 0) > 0;
    const { Collapsed, None } = vscode.TreeItemCollapsibleState;
    const item = itemOf(id, row, hasFiles ? Collapsed : None);
    item.contextValue = row.context;
    return item;
  }

  #fileItem(id: string, { work }: QuarantineEntry, file: QuarantinedFile): vscode.TreeItem {
    const item = itemOf(id, fileRow(file, this.#app.t), vscode.TreeItemCollapsibleState.None);
    if (work === undefined) return item;
    const { repository, base, commit } = work;
    const before = gitUri(repository, base, file.oldPath ?? file.path);
    const after = gitUri(repository, commit, file.path);
    const title = this.#app.t('Open Changes');
    if (file.status === 'added') item.command = { command: 'vscode.open', title, arguments: [after] };
    else if (file.status === 'deleted') item.command = { command: 'vscode.open', title, arguments: [before] };
    else item.command = { command: 'vscode.diff', title, arguments: [before, after, file.path] };
    item.resourceUri = after;
    return item;
  }

  #moreItem(id: string): vscode.TreeItem {
    const label = this.#app.t('{0} more…', this.#count - this.#entries.size);
    const item = new vscode.TreeItem(label);
    item.id = id;
    item.command = { command: SHOW_MORE_QUARANTINE, title: label };
    return item;
  }

  async #read(): Promise<void> {
    const factory = await this.#app.home.factory();
    const { count, entries } = await factory.quarantine.page({ offset: 0, limit: this.#limit });
    this.#entries = new Map(entries.map((entry) => [entry.id, entry]));
    this.#count = count;
    this.#ids = idsOf(entries);
    const { t } = this.#app;
    const tooltip = count === 1 ? t('1 result in quarantine') : t('{0} results in quarantine', count);
    this.#view.badge = count === 0 ? undefined : { value: count, tooltip };
  }

  /** Draws anew when there are others than before; the badge is true whether or not anybody looks. */
  async #look(): Promise<void> {
    try {
      const before = this.#ids;
      await this.#read();
      if (this.#ids !== before) this.#drawAgain();
    } catch (error) {
      this.#app.log.warn(`Quarantine could not be read: ${String(error)}`);
    }
  }

  #elementOf(element: Element): Element {
    const known = this.#elements.get(element.id) ?? element;
    this.#elements.set(element.id, known);
    return known;
  }
}

function idsOf(entries: readonly QuarantineEntry[]): string {
  return entries.map(({ id, settled }) => `${id} ${settled === undefined}`).join('\n');
}

function itemOf(
  id: string,
  row: Omit<QuarantineRow, 'context'>,
  state: vscode.TreeItemCollapsibleState,
): vscode.TreeItem {
  const item = new vscode.TreeItem(row.label, state);
  item.id = id;
  item.description = row.description;
  item.tooltip = row.tooltip;
  item.iconPath = new vscode.ThemeIcon(
    row.icon,
    row.color === undefined ? undefined : new vscode.ThemeColor(row.color),
  );
  item.accessibilityInformation = { label: row.spoken };
  return item;
}
