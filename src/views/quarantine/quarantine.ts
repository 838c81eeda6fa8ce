/** Puts the Quarantine view into the editor. What it shows is read when it is first looked at. */
import * as vscode from 'vscode';
import type { App } from '../app.ts';
import { VIEWS } from '../contributions.ts';
import type { Feature } from '../feature.ts';
import type { Element, QuarantineTree } from './tree.ts';

export class QuarantineView implements Feature, vscode.TreeDataProvider<Element> {
  readonly #app: App;
  readonly #changed = new vscode.EventEmitter<Element | undefined>();
  #load: () => Promise<QuarantineTree> = () =>
    Promise.reject(new Error('The Quarantine view is not registered.'));

  #view: vscode.TreeView<Element> | undefined;

  readonly onDidChangeTreeData = this.#changed.event;

  constructor(app: App) {
    this.#app = app;
  }

  register(context: vscode.ExtensionContext): void {
    const view = vscode.window.createTreeView(VIEWS.quarantine, { treeDataProvider: this });
    this.#view = view;
    let loading: Promise<QuarantineTree> | undefined;
    this.#load = () => {
      loading ??= this.#open(context, view);
      return loading;
    };
    context.subscriptions.push(
      view,
      this.#changed,
      this.#app.home.onDidOpen((factory) => {
        if (factory === undefined) this.#changed.fire(undefined);
        else void this.#load();
      }),
      vscode.workspace.onDidGrantWorkspaceTrust(() => this.#changed.fire(undefined)),
    );
  }

  get visible(): boolean {
    return this.#view?.visible === true;
  }

  async getChildren(element?: Element): Promise<Element[]> {
    if (!vscode.workspace.isTrusted) return [];
    return (await this.#load()).children(element);
  }

  async getTreeItem(element: Element): Promise<vscode.TreeItem> {
    return (await this.#load()).item(element);
  }

  async #open(context: vscode.ExtensionContext, view: vscode.TreeView<Element>): Promise<QuarantineTree> {
    const { QuarantineTree } = await import('./tree.ts');
    const tree = new QuarantineTree(this.#app, view, () => this.#changed.fire(undefined));
    tree.register(context);
    return tree;
  }
}
