/** Puts the Inbox into the editor. What it shows, and what dropping on it does, is read when it is first looked at or the home is opened. */
import * as vscode from 'vscode';
import type { JobRow } from '../../runner/board.ts';
import type { App } from '../app.ts';
import { DRAGGED, VIEWS } from '../contributions.ts';
import type { Feature } from '../feature.ts';
import type { Element, InboxView } from './view.ts';

export class Inbox
  implements Feature, vscode.TreeDataProvider<Element>, vscode.TreeDragAndDropController<Element>
{
  readonly #app: App;
  readonly #drawAgain = new vscode.EventEmitter<Element[] | undefined>();
  #load: () => Promise<InboxView> = () => Promise.reject(new Error('The Inbox is not registered.'));
  #tree: vscode.TreeView<Element> | undefined;
  #view: InboxView | undefined;

  readonly onDidChangeTreeData = this.#drawAgain.event;
  readonly dragMimeTypes: readonly string[] = ['text/uri-list'];
  readonly dropMimeTypes: readonly string[] = [DRAGGED, 'text/uri-list', 'files', 'text/plain'];

  constructor(app: App) {
    this.#app = app;
  }

  register(context: vscode.ExtensionContext): void {
    const tree = vscode.window.createTreeView<Element>(VIEWS.inbox, {
      treeDataProvider: this,
      dragAndDropController: this,
      canSelectMany: true,
    });
    this.#tree = tree;
    let loading: Promise<InboxView> | undefined;
    this.#load = () => {
      loading ??= this.#open(context, tree);
      return loading;
    };
    context.subscriptions.push(
      tree,
      this.#drawAgain,
      this.#app.home.onDidOpen(() => void this.#load()),
      vscode.workspace.onDidGrantWorkspaceTrust(() => this.#drawAgain.fire(undefined)),
    );
  }

  get visible(): boolean {
    return this.#tree?.visible === true;
  }

  /** The jobs selected in the view. */
  get selection(): readonly JobRow[] {
    const elements = this.#tree?.selection ?? [];
    return elements.map((element) => this.#view?.jobOf(element)).filter((job) => job !== undefined);
  }

  async getChildren(element?: Element): Promise<Element[]> {
    if (!vscode.workspace.isTrusted) return [];
    return (await this.#load()).getChildren(element);
  }

  async getTreeItem(element: Element): Promise<vscode.TreeItem> {
    return (await this.#load()).getTreeItem(element);
  }

  async getParent(element: Element): Promise<Element | undefined> {
    return (await this.#load()).getParent(element);
  }

  async resolveTreeItem(item: vscode.TreeItem, element: Element): Promise<vscode.TreeItem> {
    return (await this.#load()).resolveTreeItem(item, element);
  }

  async handleDrag(source: readonly Element[], data: vscode.DataTransfer): Promise<void> {
    const { drag } = await import('./drop.ts');
    drag(await this.#jobsOf(source), data);
  }

  async handleDrop(target: Element | undefined, data: vscode.DataTransfer): Promise<void> {
    const { drop } = await import('./drop.ts');
    const [onto] = target === undefined ? [] : await this.#jobsOf([target]);
    await drop(this.#app, onto, data);
  }

  async #jobsOf(elements: readonly Element[]): Promise<JobRow[]> {
    const view = await this.#load();
    return elements.map((element) => view.jobOf(element)).filter((job) => job !== undefined);
  }

  async #open(context: vscode.ExtensionContext, tree: vscode.TreeView<Element>): Promise<InboxView> {
    const [{ InboxView }, { Notices }, { BudgetNotice }] = await Promise.all([
      import('./view.ts'),
      import('../notices.ts'),
      import('../budget-notice.ts'),
    ]);
    const view = new InboxView(this.#app, tree, (elements) => this.#drawAgain.fire(elements));
    this.#view = view;
    view.register(context);
    new Notices(this.#app).register(context);
    new BudgetNotice(this.#app).register(context);
    return view;
  }
}
