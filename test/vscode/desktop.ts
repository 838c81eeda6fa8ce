import path from 'node:path';
import { downloadAndUnzipVSCode, SilentReporter } from '@vscode/test-electron';
import { SECOND } from '../../src/platform/clock.ts';
import { messageOf } from '../../src/platform/errors.ts';
import { FLOOR, type HostVersion } from './host.ts';
import { CACHE } from './packages.ts';

const DOWNLOADS = 'https://update.code.visualstudio.com/api/releases/stable';

interface VsCode {
  /** Takes the arguments of a desktop `code`. */
  readonly executable: string;
  readonly description: string;
}

/**
 * The VS Code that runs suites inside its extension host: the one that AQ_TEST_CODE names, else a desktop one
 * where there is a screen and it can be downloaded, else the registry's behind a stand-in executable.
 */
export async function chooseVsCode(version: HostVersion): Promise<VsCode> {
  const named = process.env['AQ_TEST_CODE'];
  if (named !== undefined && named !== '')
    return { executable: named, description: `AQ_TEST_CODE, ${named}` };
  if (hasScreen() && (await canDownload())) {
    try {
      const executable = await downloadAndUnzipVSCode({
        version: version === FLOOR ? `${FLOOR}.0` : 'stable',
        cachePath: path.join(CACHE, 'vscode-desktop'),
        reporter: new SilentReporter(),
      });
      return { executable, description: `downloaded, ${executable}` };
    } catch (error) {
      console.log(`The download of VS Code failed (${messageOf(error)}); the registry's is used.`);
    }
  }
  return {
    executable: path.join(import.meta.dirname, 'code.ts'),
    description: "the registry's, in a browser",
  };
}

function hasScreen(): boolean {
  if (process.platform !== 'linux') return true;
  return Boolean(process.env['DISPLAY'] ?? process.env['WAYLAND_DISPLAY']);
}

/** Asks whether the downloads answer at all, so that a machine without them loses no time. */
async function canDownload(): Promise<boolean> {
  return fetch(DOWNLOADS, { signal: AbortSignal.timeout(3 * SECOND) }).then(
    (response) => response.ok,
    () => false,
  );
}
