/** The settings of the extension, as the runner wants them. */
import os from 'node:os';
import path from 'node:path';
import * as vscode from 'vscode';
import { defaultHome } from '../runner/home/layout.ts';
import type { ExplicitSettings } from '../runner/settings.ts';
import { SETTINGS, SETTINGS_SECTION } from './contributions.ts';

/** The home in force: the setting, else AQ_HOME, else `~/.agent-queue`. */
export function homeInForce(env: NodeJS.ProcessEnv): string {
  const chosen = text(explicit(SETTINGS.home)) ?? text(env['AQ_HOME']);
  return chosen === undefined ? defaultHome() : path.resolve(expandHome(chosen));
}

/** What a person has set, and nothing else: what is absent, or of another type, falls to the environment, then to the default. */
export function explicitSettings(): ExplicitSettings {
  const maxParallel = explicit(SETTINGS.maxParallel);
  const engine = text(explicit(SETTINGS.engine));
  const engines = explicit(SETTINGS.engines);
  const repositories = explicit(SETTINGS.repositories);
  return {
    ...(Number.isInteger(maxParallel) && Number(maxParallel) > 0 && { maxParallel: Number(maxParallel) }),
    ...(engine !== undefined && { engine }),
    ...(engines !== undefined && { engines }),
    ...(Array.isArray(repositories) && {
      repositories: repositories
        .map(text)
        .filter((folder) => folder !== undefined)
        .map(expandHome),
    }),
  };
}

/** All settings are of machine scope, so that no workspace can set them: only the person's own value counts. */
function explicit(key: string): unknown {
  return vscode.workspace.getConfiguration(SETTINGS_SECTION).inspect(key)?.globalValue;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}

function expandHome(folder: string): string {
  return folder === '~' || folder.startsWith('~/') ? path.join(os.homedir(), folder.slice(1)) : folder;
}
