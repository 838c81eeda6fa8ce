/** Commands, each with an answer in every state. Their code is read when the first of them is called. */
import * as vscode from 'vscode';
import type { App } from '../app.ts';
import { COMMANDS } from '../contributions.ts';
import type { Feature } from '../feature.ts';

export class Commands implements Feature {
  readonly #app: App;

  constructor(app: App) {
    this.#app = app;
  }

  register(context: vscode.ExtensionContext): void {
    for (const id of Object.values(COMMANDS)) {
      const command = vscode.commands.registerCommand(id, async (...args: unknown[]) => {
        try {
          const { HANDLERS } = await import('./handlers.ts');
          await HANDLERS[id](this.#app, args);
        } catch (error) {
          const { report } = await import('../report.ts');
          report(this.#app, error);
        }
      });
      context.subscriptions.push(command);
    }
  }
}
