/** Brings the language features for job files in once there is Markdown to look at. */
import * as vscode from 'vscode';
import type { App } from './app.ts';
import type { Feature } from './feature.ts';

export class JobFiles implements Feature {
  readonly #app: App;
  #loaded = false;

  constructor(app: App) {
    this.#app = app;
  }

  register(context: vscode.ExtensionContext): void {
    const look = (document: vscode.TextDocument): void => {
      if (this.#loaded || document.languageId !== 'markdown') return;
      this.#loaded = true;
      void this.#load(context);
    };
    context.subscriptions.push(vscode.workspace.onDidOpenTextDocument(look));
    vscode.workspace.textDocuments.forEach(look);
  }

  async #load(context: vscode.ExtensionContext): Promise<void> {
    const { log, home, board } = this.#app;
    try {
      const [{ registerJobFiles }, { engineCatalog }, { InstalledEngines }, { explicitSettings }] =
        await Promise.all([
          import('./jobfile/register.ts'),
          import('../runner/engines/registry.ts'),
          import('./installed-engines.ts'),
          import('./explicit-settings.ts'),
        ]);
      const installed = new InstalledEngines(this.#app);
      const engines = () => [...engineCatalog(explicitSettings().engines).descriptors.values()];
      const jobIds = async () => (await board.read()).stages.flatMap(({ rows }) => rows.map((job) => job.id));
      const engineDetails = () => installed.details(engines());
      const jobFiles = registerJobFiles(context, { home: () => home.folder, engines, engineDetails, jobIds });
      context.subscriptions.push(home.onDidOpen(() => jobFiles.refresh()));
    } catch (error) {
      log.error(error instanceof Error ? error : String(error));
    }
  }
}
