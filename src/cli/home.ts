import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Log } from '../platform/log.ts';
import { type Factory, openFactory } from '../runner/factory.ts';
import { defaultHome } from '../runner/home/layout.ts';

/** Opens the home that is meant, does the work, and closes it again. */
export async function withFactory(
  options: { readonly home?: string },
  work: (factory: Factory) => Promise<number>,
): Promise<number> {
  const factory = await openFactory({
    home: options.home ?? (process.env['AQ_HOME'] || defaultHome()),
    supervisorScript: supervisorScript(),
    workspaceFolder: process.cwd(),
    log: standardError,
    what: 'aq',
    env: process.env,
  });
  try {
    return await work(factory);
  } finally {
    await factory.dispose();
  }
}

/** Beside the bundle; in the source tree the source itself. */
function supervisorScript(): string {
  const bundle = fileURLToPath(new URL('./supervisor.js', import.meta.url));
  return existsSync(bundle)
    ? bundle
    : fileURLToPath(new URL('../runner/supervisor/main.ts', import.meta.url));
}

/** Diagnostics go to standard error: warnings and errors always, the rest with AQ_DEBUG. */
const standardError: Log = {
  debug: (message) => {
    if (process.env['AQ_DEBUG']) console.error(message);
  },
  info: (message) => {
    if (process.env['AQ_DEBUG']) console.error(message);
  },
  warn: (message) => console.error(message),
  error: (message) => console.error(message instanceof Error ? (message.stack ?? message.message) : message),
};
