import * as vscode from 'vscode';
import type { App } from './views/app.ts';
import { BoardWatch } from './views/board-watch.ts';
import { Commands } from './views/commands/register.ts';
import { SCHEMES } from './views/contributions.ts';
import type { Feature } from './views/feature.ts';
import { FleetView } from './views/fleet/fleet.ts';
import { Home } from './views/home.ts';
import { Inbox } from './views/inbox/inbox.ts';
import { JobFiles } from './views/job-files.ts';
import { QuarantineView } from './views/quarantine/quarantine.ts';
import { ReadOnlyFiles } from './views/read-only-files.ts';
import { StatusBar } from './views/status-bar.ts';

let home: Home | undefined;

/** Called once, when VS Code first needs the extension. Awaits nothing: files and the runner's code are read when first needed. */
export function activate(context: vscode.ExtensionContext): void {
  const t = vscode.l10n.t as App['t'];
  const log = vscode.window.createOutputChannel('Agent Queue', { log: true });
  context.subscriptions.push(log);

  home = new Home(async (options) => (await import('./runner/factory.ts')).openFactory(options), log, t);
  const board = new BoardWatch(home, log);
  const shown: App['shown'] = () => ({ inbox: inbox.visible, quarantine: quarantine.visible });
  const app: App = { log, home, board, t, selection: () => inbox.selection, shown };
  const inbox = new Inbox(app);
  const quarantine = new QuarantineView(app);
  const features: Feature[] = [
    board,
    inbox,
    new StatusBar(app),
    new Commands(app),
    new ReadOnlyFiles(
      SCHEMES.log,
      async () => new (await import('./views/log/log-files.ts')).LogFiles(app, context),
    ),
    new ReadOnlyFiles(SCHEMES.git, async () => (await import('./views/changes/git-files.ts')).gitFiles(app)),
    new FleetView(app),
    quarantine,
    new ReadOnlyFiles(SCHEMES.fleet, async () => new (await import('./views/fleet/page.ts')).FleetPage(app)),
    new JobFiles(app),
    home,
  ];
  for (const feature of features) feature.register(context);
}

/** Called when the window closes or the extension is switched off; may never run. Engines go on. */
export function deactivate(): Promise<void> | undefined {
  return home?.close();
}
