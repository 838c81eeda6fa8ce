/** What hears of this window's jobs beside the views: a fleet, where this laptop is in one, and the issues that jobs name. */
import type * as vscode from 'vscode';
import type { Fleet } from '../fleet/fleet.ts';
import type { FleetMode } from '../fleet/mode.ts';
import { type Hooks, offline } from '../runner/hooks.ts';
import type { FleetSettings } from '../runner/settings.ts';
import { EchoingHooks } from '../trackers/hooks.ts';
import type { App } from './app.ts';
import { joinFleet } from './fleet/join.ts';
import { tokenFor } from './fleet/token.ts';
import { TrackerTokens } from './tracker-token.ts';

export interface OpenedHooks {
  readonly hooks: Hooks;
  readonly fleet: Fleet | undefined;
  /** What keeps this laptop from joining although fleet mode is on, in words. */
  readonly problem: string | undefined;
}

export async function openHooks(
  app: Pick<App, 't' | 'log'>,
  options: {
    readonly mode: FleetMode;
    readonly home: string;
    readonly settings: FleetSettings | undefined;
    readonly capabilities: () => Promise<readonly string[]>;
    readonly context: Pick<vscode.ExtensionContext, 'secrets' | 'globalState'>;
  },
): Promise<OpenedHooks> {
  const { context, ...rest } = options;
  const { log } = app;
  const { fleet, problem } = await joinFleet({
    ...rest,
    tokenFor: async (api) => tokenFor(context.secrets, api),
    log,
  });
  const tokens = new TrackerTokens(app, context.globalState, () => void hooks.tokensChanged());
  const hooks = new EchoingHooks(fleet ?? offline, {
    home: options.home,
    env: process.env,
    log,
    tokenFor: (host) => tokens.tokenFor(host),
  });
  return { hooks, fleet, problem };
}
