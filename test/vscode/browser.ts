import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { type Browser, chromium, type LaunchOptions } from 'playwright-core';
import { ensureChromium } from './chromium.ts';

/** The names that Chromium and its kin go by on a search path. */
const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'microsoft-edge'];

/** Where installers put them on the systems that do not use the search path. */
const PLACES: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = {
  darwin: [
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    '/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge',
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
  ],
  win32: ['ProgramFiles', 'ProgramFiles(x86)', 'LocalAppData'].flatMap((variable) => {
    const folder = process.env[variable];
    if (folder === undefined) return [];
    return [
      path.join(folder, 'Google/Chrome/Application/chrome.exe'),
      path.join(folder, 'Microsoft/Edge/Application/msedge.exe'),
    ];
  }),
};

/** A page on loopback needs neither a sandbox nor any of what a browser fetches for itself. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];

/**
 * Starts a headless browser: the one that CHROMIUM names, else one found on the machine, else the registry's.
 * @throws when CHROMIUM names nothing that can be run, or when there is no browser for this platform
 */
export async function launchBrowser(): Promise<Browser> {
  return chromium.launch({ headless: true, args: FLAGS, ...(await chooseBrowser()) });
}

async function chooseBrowser(): Promise<Pick<LaunchOptions, 'executablePath' | 'env'>> {
  const named = process.env['CHROMIUM'];
  if (named !== undefined && named !== '') {
    if (!runnable(named)) throw new Error(`CHROMIUM is ${named}, which cannot be run. Correct or unset it.`);
    return { executablePath: named };
  }
  const found = candidates().find(runnable);
  if (found !== undefined) return { executablePath: found };
  const { executable, env } = await ensureChromium();
  return { executablePath: executable, env: { ...definedOf(process.env), ...env } };
}

function candidates(): string[] {
  const folders = (process.env['PATH'] ?? '')
    .split(path.delimiter)
    .filter((folder) => path.isAbsolute(folder));
  const onPath = NAMES.flatMap((name) => folders.map((folder) => path.join(folder, name)));
  return [...onPath, ...(PLACES[process.platform] ?? [])];
}

function runnable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function definedOf(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
