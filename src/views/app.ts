import type * as vscode from 'vscode';
import type { JobRow } from '../runner/board.ts';
import type { BoardWatch } from './board-watch.ts';
import type { Home } from './home.ts';
import type { Translate } from './text/translate.ts';

/** Views that a person can see now. */
export interface Shown {
  readonly inbox: boolean;
  readonly quarantine: boolean;
}

/** What features share. */
export interface App {
  readonly log: vscode.LogOutputChannel;
  readonly home: Home;
  readonly board: BoardWatch;
  readonly t: Translate;
  /** The jobs selected in the Inbox. */
  selection(): readonly JobRow[];
  shown(): Shown;
}
