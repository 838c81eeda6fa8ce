/** What the status bar says, from what the window knows. */
import * as vscode from 'vscode';
import type { App } from './app.ts';
import { EMPTY_TALLY, tallyOf } from './inbox/sections.ts';
import { fleetText } from './text/fleet-words.ts';
import { type StatusText, statusBar } from './text/status-bar.ts';

export function statusOf({ board, home, t }: App): StatusText {
  const facts = {
    trusted: vscode.workspace.isTrusted,
    tally: board.current === undefined ? EMPTY_TALLY : tallyOf(board.current),
    runner: board.current?.runner,
    today: board.current?.today,
    home: home.folder,
    ...(home.fleetMode !== 'off' && { fleet: fleetText(home.fleet?.facts(), t) }),
  };
  return statusBar(facts, t);
}
