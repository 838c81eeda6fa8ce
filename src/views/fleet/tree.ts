/** The rows of the Fleet view: the coordinator, this factory, its leases counting down, and what has not been told yet. */
import * as vscode from 'vscode';
import { SECOND } from '../../platform/clock.ts';
import type { App } from '../app.ts';
import { CONTEXT_KEYS } from '../contributions.ts';
import { type FleetRow, fleetRows } from '../text/fleet.ts';
import { followFleet } from './follow.ts';

/** Times that are shown roughly are drawn anew so often, ms. */
const SLOW_DRAW = 5 * SECOND;

/** Stands for a row: the same object for the same row, whatever it says today. */
export interface Element {
  readonly id: string;
}

export class FleetTree {
  readonly #app: App;
  readonly #view: vscode.TreeView<Element>;
  readonly #drawAgain: (element: Element | undefined) => void;
  readonly #elements = new Map<string, Element>();
  #rows = new Map<string, FleetRow>();
  #timer: NodeJS.Timeout | undefined;

  constructor(app: App, view: vscode.TreeView<Element>, drawAgain: (element: Element | undefined) => void) {
    this.#app = app;
    this.#view = view;
    this.#drawAgain = drawAgain;
  }

  register(context: vscode.ExtensionContext): void {
    context.subscriptions.push(
      this.#view.onDidChangeVisibility(() => this.#draw()),
      followFleet(this.#app, () => this.#draw()),
      { dispose: () => clearTimeout(this.#timer) },
    );
  }

  async elements(): Promise<Element[]> {
    // A person looks: the home is opened if nothing else has, and with it the fleet.
    await this.#app.home.factory();
    await this.#app.home.fleet?.lookElsewhere();
    this.#rows = this.#read();
    this.#tick();
    return [...this.#rows.keys()].map((id) => this.#elementOf(id));
  }

  item(element: Element): vscode.TreeItem {
    const row = this.#rows.get(element.id);
    // A row that went while the editor was asking for it; the editor is already being told to draw without it.
    if (row === undefined) return new vscode.TreeItem('');
    const item = new vscode.TreeItem(row.label);
    item.id = row.id;
    item.description = row.description;
    const color = row.color === undefined ? undefined : new vscode.ThemeColor(row.color);
    item.iconPath = new vscode.ThemeIcon(row.icon, color);
    item.tooltip = row.tooltip;
    item.accessibilityInformation = { label: row.spoken };
    if (row.context !== undefined) item.contextValue = row.context;
    return item;
  }

  #read(): Map<string, FleetRow> {
    const { home, t } = this.#app;
    const facts = home.fleet?.facts();
    this.#view.message = home.fleetProblem ?? '';
    void vscode.commands.executeCommand('setContext', CONTEXT_KEYS.draining, facts?.draining === true);
    const rows = facts === undefined ? [] : fleetRows(facts, t);
    return new Map(rows.map((row) => [row.id, row]));
  }

  /** Draws what has changed: a row by itself where the rows are the same ones, else all of them. */
  #draw(): void {
    if (!this.#view.visible) return clearTimeout(this.#timer);
    const before = this.#rows;
    this.#rows = this.#read();
    if ([...this.#rows.keys()].join('\n') !== [...before.keys()].join('\n')) this.#drawAgain(undefined);
    else {
      for (const [id, row] of this.#rows)
        if (JSON.stringify(before.get(id)) !== JSON.stringify(row)) this.#drawAgain(this.#elementOf(id));
    }
    this.#tick();
  }

  /** Leases count down each second; nothing moves while nobody looks. */
  #tick(): void {
    clearTimeout(this.#timer);
    if (this.#rows.size === 0 || !this.#view.visible) return;
    const isCounting = [...this.#rows.values()].some(({ counts }) => counts);
    const drawn = async (): Promise<void> => {
      await this.#app.home.fleet?.lookElsewhere();
      this.#draw();
    };
    this.#timer = setTimeout(() => void drawn(), isCounting ? SECOND : SLOW_DRAW);
  }

  #elementOf(id: string): Element {
    const known = this.#elements.get(id) ?? { id };
    this.#elements.set(id, known);
    return known;
  }
}
