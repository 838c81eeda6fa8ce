/** The newest board of the home, for everything that shows a part of it. Read once per change, however many look. */
import * as vscode from 'vscode';
import type { Board } from '../runner/board.ts';
import type { FactoryApi } from '../runner/factory-api.ts';
import type { Feature } from './feature.ts';
import type { Home } from './home.ts';

export class BoardWatch implements Feature {
  readonly #home: Home;
  readonly #log: vscode.LogOutputChannel;
  readonly #changed = new vscode.EventEmitter<Board | undefined>();
  #unsubscribe: (() => void) | undefined;
  #reading: Promise<Board> | undefined;
  #again = false;
  #current: Board | undefined;

  /** Fired with each new board; with undefined when the home was closed, and what was known no longer holds. */
  readonly onDidChange = this.#changed.event;

  constructor(home: Home, log: vscode.LogOutputChannel) {
    this.#home = home;
    this.#log = log;
  }

  register(context: vscode.ExtensionContext): void {
    context.subscriptions.push(
      this.#changed,
      this.#home.onDidOpen((factory) => this.#follow(factory)),
      { dispose: () => this.#unsubscribe?.() },
    );
  }

  /** The newest board that has been read, if any has. */
  get current(): Board | undefined {
    return this.#current;
  }

  /** The board as it is; opens the home when it isn't. Throws what keeps it from being read. */
  async read(): Promise<Board> {
    const factory = await this.#home.factory();
    this.#reading ??= this.#readOnce(factory);
    return this.#reading;
  }

  #follow(factory: FactoryApi | undefined): void {
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    this.#current = undefined;
    if (factory === undefined) {
      this.#changed.fire(undefined);
      return;
    }
    this.#unsubscribe = factory.onDidChange(() => this.#refresh(factory));
    this.#refresh(factory);
  }

  #refresh(factory: FactoryApi): void {
    if (this.#reading !== undefined) {
      this.#again = true;
      return;
    }
    this.#reading = this.#readOnce(factory);
    this.#reading.catch((error: unknown) => this.#log.error(error instanceof Error ? error : String(error)));
  }

  /** A change while the disk is being read may have been missed by the reading, so it is followed by another. */
  async #readOnce(factory: FactoryApi): Promise<Board> {
    try {
      let board: Board;
      do {
        this.#again = false;
        board = await factory.board({ atOnce: true });
      } while (this.#again);
      this.#current = board;
      this.#changed.fire(board);
      return board;
    } finally {
      this.#reading = undefined;
    }
  }
}
