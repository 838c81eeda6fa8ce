/** The settings that are needed before anything is opened; all others are in explicit-settings.ts. */
import os from 'node:os';
import path from 'node:path';
import * as vscode from 'vscode';
import { defaultHome } from '../runner/home/layout.ts';
import { SETTINGS, SETTINGS_SECTION } from './contributions.ts';

/** The home in force: the setting, else AQ_HOME, else `~/.agent-queue`. */
export function homeInForce(env: NodeJS.ProcessEnv): string {
  const chosen = text(explicit(SETTINGS.home)) ?? text(env['AQ_HOME']);
  return chosen === undefined ? defaultHome() : path.resolve(expandHome(chosen));
}

/** Whether fleet mode was turned on or off in the settings; undefined: neither. */
export function fleetEnabled(): boolean | undefined {
  const enabled = explicit(SETTINGS.fleetEnabled);
  return typeof enabled === 'boolean' ? enabled : undefined;
}

/** All settings are of machine scope, so that no workspace can set them: only the person's own value counts. */
export function explicit(key: string): unknown {
  return vscode.workspace.getConfiguration(SETTINGS_SECTION).inspect(key)?.globalValue;
}

/** A text that says something, else undefined. */
export function text(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}

/** `~` at its beginning stands for the person's home directory. */
export function expandHome(folder: string): string {
  return folder === '~' || folder.startsWith('~/') ? path.join(os.homedir(), folder.slice(1)) : folder;
}
