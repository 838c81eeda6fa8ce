/** The home of this window's jobs. Its code and its files are touched when something first needs them. */
import { access } from 'node:fs/promises';
import * as vscode from 'vscode';
import type { Fleet } from '../fleet/fleet.ts';
import { fleetMode } from '../fleet/mode.ts';
import type { Factory, FactoryOptions } from '../runner/factory.ts';
import type { FactoryApi } from '../runner/factory-api.ts';
import { Layout } from '../runner/home/layout.ts';
import { SETTINGS_SECTION } from './contributions.ts';
import type { Feature } from './feature.ts';
import { explicitSettings, homeInForce } from './settings.ts';
import type { Translate } from './text/translate.ts';
import { untrusted } from './text/untrusted.ts';

export class Home implements Feature {
  readonly #load: (options: FactoryOptions) => Promise<Factory>;
  readonly #log: vscode.LogOutputChannel;
  readonly #t: Translate;
  readonly #opened = new vscode.EventEmitter<FactoryApi | undefined>();
  #supervisorScript = '';
  #factory: Promise<FactoryApi> | undefined;

  /** Fired with the factory each time one has been opened, and with undefined when it has been closed. */
  readonly onDidOpen = this.#opened.event;

  constructor(
    load: (options: FactoryOptions) => Promise<Factory>,
    log: vscode.LogOutputChannel,
    t: Translate,
  ) {
    this.#load = load;
    this.#log = log;
    this.#t = t;
  }

  register(context: vscode.ExtensionContext): void {
    this.#supervisorScript = context.asAbsolutePath('dist/supervisor.js');
    context.subscriptions.push(
      this.#opened,
      vscode.workspace.onDidGrantWorkspaceTrust(() => void this.#resume()),
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration(SETTINGS_SECTION)) void this.#reopen();
      }),
    );
    void this.#resume();
  }

  /** Where the home is, or will be. */
  get folder(): string {
    return homeInForce(process.env);
  }

  get layout(): Layout {
    return new Layout(this.folder);
  }

  /** Opens the home, once. Throws a UserError in an untrusted workspace, or what keeps it from being opened. */
  async factory(): Promise<FactoryApi> {
    if (!vscode.workspace.isTrusted) throw untrusted(this.#t);
    this.#factory ??= this.#open();
    return this.#factory;
  }

  async close(): Promise<void> {
    const closing = this.#factory;
    this.#factory = undefined;
    const factory = await closing?.catch(() => undefined);
    await factory?.dispose();
  }

  async #open(): Promise<FactoryApi> {
    const workspaceFolder = vscode.workspace.workspaceFolders?.find(({ uri }) => uri.scheme === 'file')?.uri
      .fsPath;
    try {
      const joined: { factory?: Factory } = {};
      const fleet = await this.#joinFleet(() => joined.factory?.capabilities() ?? []);
      const factory = await this.#load({
        home: this.folder,
        ...(fleet !== undefined && { hooks: fleet }),
        supervisorScript: this.#supervisorScript,
        settings: explicitSettings(),
        log: this.#log,
        what: vscode.env.appName,
        env: process.env,
        ...(workspaceFolder !== undefined && { workspaceFolder }),
      });
      joined.factory = factory;
      this.#opened.fire(factory);
      return factory;
    } catch (error) {
      this.#factory = undefined;
      throw error;
    }
  }

  /** With AQ_FLEET off nothing of the fleet is read from disk; what keeps it from being joined keeps no local job from running. */
  async #joinFleet(capabilities: () => readonly string[]): Promise<Fleet | undefined> {
    const mode = fleetMode(process.env);
    if (mode === 'off') return undefined;
    try {
      const { openFleet } = await import('../fleet/open.ts');
      const shadow = mode === 'shadow';
      return await openFleet({ home: this.folder, env: process.env, capabilities, shadow, log: this.#log });
    } catch (error) {
      this.#log.error(error instanceof Error ? error : String(error));
      return undefined;
    }
  }

  /** Starts the runner when it was left on: the one thing looked at after activation is its marker. */
  async #resume(): Promise<void> {
    if (!vscode.workspace.isTrusted) return;
    try {
      await access(this.layout.runnerMarker);
    } catch {
      return;
    }
    try {
      await (await this.factory()).startRunner();
    } catch (error) {
      this.#log.error(error instanceof Error ? error : String(error));
    }
  }

  /** Takes changed settings into force. */
  async #reopen(): Promise<void> {
    const wasOpen = this.#factory !== undefined;
    try {
      await this.close();
      this.#opened.fire(undefined);
      await this.#resume();
      if (wasOpen) await this.factory();
    } catch (error) {
      this.#log.error(error instanceof Error ? error : String(error));
    }
  }
}
