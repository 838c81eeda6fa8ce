import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Fleet } from '../fleet/fleet.ts';
import { fleetMode } from '../fleet/mode.ts';
import type { Log } from '../platform/log.ts';
import { type Factory, openFactory } from '../runner/factory.ts';
import { defaultHome, Layout } from '../runner/home/layout.ts';
import { offline } from '../runner/hooks.ts';
import { readSharedSettings } from '../runner/settings.ts';
import { EchoingHooks } from '../trackers/hooks.ts';

/** The home that is meant: --home, AQ_HOME, or the usual one. */
export function homeOf(options: { readonly home?: string }): string {
  return options.home ?? (process.env['AQ_HOME'] || defaultHome());
}

/** Opens the home that is meant, in its fleet if it is in one, does the work, and closes it again. */
export async function withFactory(
  options: { readonly home?: string },
  work: (factory: Factory, fleet: Fleet | undefined) => Promise<number>,
): Promise<number> {
  const home = homeOf(options);
  let factory: Factory | undefined;
  const fleet = await joinFleet(home, async () => (await factory?.capabilities()) ?? []);
  factory = await openFactory({
    home,
    supervisorScript: supervisorScript(),
    workspaceFolder: process.cwd(),
    log: standardError,
    what: 'aq',
    env: process.env,
    hooks: new EchoingHooks(fleet ?? offline, { home, env: process.env, log: standardError }),
  });
  try {
    return await work(factory, fleet);
  } finally {
    await factory.dispose();
    await fleet?.close();
  }
}

/** With AQ_FLEET off nothing of the fleet is read from disk (fleet-protocol.md, rule 1). */
async function joinFleet(
  home: string,
  capabilities: () => Promise<readonly string[]>,
): Promise<Fleet | undefined> {
  const { fleet: settings } = await readSharedSettings(new Layout(home));
  const mode = fleetMode(process.env, settings?.enabled);
  if (mode === 'off') return undefined;
  const { openFleet } = await import('../fleet/open.ts');
  const shadow = mode === 'shadow';
  return openFleet({ home, env: process.env, settings, capabilities, shadow, log: standardError });
}

/** Beside the bundle; in the source tree the source itself. */
function supervisorScript(): string {
  const bundle = fileURLToPath(new URL('./supervisor.js', import.meta.url));
  return existsSync(bundle)
    ? bundle
    : fileURLToPath(new URL('../runner/supervisor/main.ts', import.meta.url));
}

/** Diagnostics go to standard error: warnings and errors always, the rest with AQ_DEBUG. */
export const standardError: Log = {
  debug: (message) => {
    if (process.env['AQ_DEBUG']) console.error(message);
  },
  info: (message) => {
    if (process.env['AQ_DEBUG']) console.error(message);
  },
  warn: (message) => console.error(message),
  error: (message) => console.error(message instanceof Error ? (message.stack ?? message.message) : message),
};
