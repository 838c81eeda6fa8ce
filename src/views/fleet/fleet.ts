/** Puts the Fleet view into the editor. What it shows is read when it is first looked at. */
import * as vscode from 'vscode';
import type { App } from '../app.ts';
import { CONTEXT_KEYS, VIEWS } from '../contributions.ts';
import type { Feature } from '../feature.ts';
import type { Element, FleetTree } from './tree.ts';

export class FleetView implements Feature, vscode.TreeDataProvider<Element> {
  readonly #app: App;
  readonly #changed = new vscode.EventEmitter<Element | undefined>();
  #isAttended = false;
  #load: () => Promise<FleetTree> = () => Promise.reject(new Error('The Fleet view is not registered.'));

  readonly onDidChangeTreeData = this.#changed.event;

  constructor(app: App) {
    this.#app = app;
  }

  register(context: vscode.ExtensionContext): void {
    const { home } = this.#app;
    const view = vscode.window.createTreeView(VIEWS.fleet, { treeDataProvider: this });
    let loading: Promise<FleetTree> | undefined;
    this.#load = () => {
      loading ??= this.#open(context, view);
      return loading;
    };
    const tellMode = (): void =>
      void vscode.commands.executeCommand('setContext', CONTEXT_KEYS.fleet, home.fleetMode);
    context.subscriptions.push(
      view,
      this.#changed,
      home.onDidOpen(() => {
        tellMode();
        void this.#attend(context);
        this.#changed.fire(undefined);
      }),
      vscode.workspace.onDidGrantWorkspaceTrust(() => this.#changed.fire(undefined)),
    );
    tellMode();
  }

  /** From the first home on that is in a fleet, whether or not anybody looks at the view. */
  async #attend(context: vscode.ExtensionContext): Promise<void> {
    if (this.#app.home.fleet === undefined || this.#isAttended) return;
    this.#isAttended = true;
    const [{ leaveWhenSettled }, { tellOfTokenTurnedDown }] = await Promise.all([
      import('./leave.ts'),
      import('./token-notice.ts'),
    ]);
    context.subscriptions.push(leaveWhenSettled(this.#app), tellOfTokenTurnedDown(this.#app));
  }

  async getChildren(element?: Element): Promise<Element[]> {
    const isOff = this.#app.home.fleetMode === 'off';
    if (element !== undefined || isOff || !vscode.workspace.isTrusted) return [];
    return (await this.#load()).elements();
  }

  async getTreeItem(element: Element): Promise<vscode.TreeItem> {
    return (await this.#load()).item(element);
  }

  async #open(context: vscode.ExtensionContext, view: vscode.TreeView<Element>): Promise<FleetTree> {
    const { FleetTree } = await import('./tree.ts');
    const tree = new FleetTree(this.#app, view, (element) => this.#changed.fire(element));
    tree.register(context);
    return tree;
  }
}
