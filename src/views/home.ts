/** The home of this window's jobs. Its code and its files are touched when something first needs them. */
import { access } from 'node:fs/promises';
import * as vscode from 'vscode';
import type { Fleet } from '../fleet/fleet.ts';
import { type FleetMode, fleetMode } from '../fleet/mode.ts';
import type { Factory, FactoryOptions } from '../runner/factory.ts';
import type { FactoryApi } from '../runner/factory-api.ts';
import { Layout } from '../runner/home/layout.ts';
import { SETTINGS_SECTION } from './contributions.ts';
import type { Feature } from './feature.ts';
import { fleetEnabled, homeInForce } from './settings.ts';
import type { Translate } from './text/translate.ts';
import { untrusted } from './text/untrusted.ts';

export class Home implements Feature {
  readonly #load: (options: FactoryOptions) => Promise<Factory>;
  readonly #log: vscode.LogOutputChannel;
  readonly #t: Translate;
  readonly #opened = new vscode.EventEmitter<FactoryApi | undefined>();
  #supervisorScript = '';
  #factory: Promise<FactoryApi> | undefined;
  #fleet: Fleet | undefined;
  #fleetProblem: string | undefined;
  #context: vscode.ExtensionContext | undefined;

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
    this.#context = context;
    context.subscriptions.push(
      this.#opened,
      vscode.workspace.onDidGrantWorkspaceTrust(() => void this.#resume()),
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration(SETTINGS_SECTION)) void this.reopen();
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
    await this.#fleet?.close();
    this.#fleet = undefined;
  }

  /** This window's place in the fleet, as soon as the home is open and fleet mode is on. */
  get fleet(): Fleet | undefined {
    return this.#fleet;
  }

  /** The editor's secret storage. */
  get secrets(): vscode.SecretStorage {
    return this.#registered.secrets;
  }

  get #registered(): vscode.ExtensionContext {
    if (this.#context === undefined) throw new Error('The home is not registered.');
    return this.#context;
  }

  /** The bundle of `aq`. */
  get cli(): string {
    return this.#registered.asAbsolutePath('dist/cli.js');
  }

  /** What was chosen, whether or not the home has been opened yet. */
  get fleetMode(): FleetMode {
    return fleetMode(process.env, fleetEnabled());
  }

  /** What keeps this laptop from joining although fleet mode is on, in words. */
  get fleetProblem(): string | undefined {
    return this.#fleetProblem;
  }

  async #open(): Promise<FactoryApi> {
    const workspaceFolder = vscode.workspace.workspaceFolders?.find(({ uri }) => uri.scheme === 'file')?.uri
      .fsPath;
    try {
      const [{ explicitSettings }, { openHooks }] = await Promise.all([
        import('./explicit-settings.ts'),
        import('./open-hooks.ts'),
      ]);
      const settings = explicitSettings();
      const joined: { factory?: Factory } = {};
      const { hooks, fleet, problem } = await openHooks(
        { log: this.#log, t: this.#t },
        {
          mode: this.fleetMode,
          home: this.folder,
          settings: settings.fleet,
          capabilities: async () => (await joined.factory?.capabilities()) ?? [],
          context: this.#registered,
        },
      );
      this.#fleetProblem = problem;
      const factory = await this.#load({
        home: this.folder,
        hooks,
        supervisorScript: this.#supervisorScript,
        settings,
        log: this.#log,
        what: vscode.env.appName,
        env: process.env,
        ...(workspaceFolder !== undefined && { workspaceFolder }),
      });
      joined.factory = factory;
      this.#fleet = fleet;
      this.#opened.fire(factory);
      return factory;
    } catch (error) {
      this.#factory = undefined;
      throw error;
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

  /** Takes changed settings, or another token, into force. */
  async reopen(): Promise<void> {
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
