/** `Fleet: Status` as one page: opens at once with what is known, and fills in. To be copied into a bug report as it is. */
import * as vscode from 'vscode';
import type { App } from '../app.ts';
import { SCHEMES } from '../contributions.ts';
import type { FileSource } from '../read-only-files.ts';
import { pageText } from '../text/fleet-page.ts';
import { followFleet } from './follow.ts';

export const PAGE_URI = vscode.Uri.from({ scheme: SCHEMES.fleet, path: '/Fleet Status.txt' });

export class FleetPage implements FileSource {
  readonly #app: App;

  constructor(app: App) {
    this.#app = app;
  }

  async read(uri: vscode.Uri): Promise<Uint8Array> {
    if (uri.path !== PAGE_URI.path) throw vscode.FileSystemError.FileNotFound(uri);
    const { home, board, t } = this.#app;
    const [{ provenanceOf }, { explicitSettings }] = await Promise.all([
      import('../../fleet/config.ts'),
      import('../explicit-settings.ts'),
    ]);
    const rows = board.current?.stages.flatMap((stage) => stage.rows) ?? [];
    const facts = {
      mode: home.fleetMode,
      problem: home.fleetProblem,
      lines: home.fleet?.status() ?? [],
      fleet: home.fleet?.facts(),
      settings: provenanceOf(explicitSettings().fleet ?? {}, process.env),
      home: home.folder,
      claimed: rows.filter(({ claim }) => claim !== undefined),
    };
    return new TextEncoder().encode(pageText(facts, t));
  }

  follow(_uri: vscode.Uri, changed: () => void): vscode.Disposable {
    const { board } = this.#app;
    return vscode.Disposable.from(followFleet(this.#app, changed), board.onDidChange(changed));
  }
}
