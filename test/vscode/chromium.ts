import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { chmod, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress } from 'node:zlib';
import { extract } from 'tar';
import { exists, installPackages } from './packages.ts';

/** Where Linux distributions put fonts; a machine without any gets those of the package. */
const SYSTEM_FONTS = ['/usr/share/fonts', '/usr/local/share/fonts'];

export interface Chromium {
  readonly executable: string;
  /** What this Chromium needs in its environment on this machine. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * The registry's headless Chromium, for Linux x64 machines that have no browser. It needs nss and nspr beyond
 * the C library; both come with the package, and are used only where the machine has not got its own.
 * Throws on other platforms.
 */
export async function ensureChromium(): Promise<Chromium> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error(
      'No browser was found. Install Chrome, Edge or Chromium, or set CHROMIUM to one, and run this again.',
    );
  }
  const folder = await installPackages('chromium', unpack);
  const executable = path.join(folder, 'chromium');
  const env: Record<string, string> = {};
  if (await lacksLibraries(executable)) env['LD_LIBRARY_PATH'] = path.join(folder, 'lib');
  if (!(await anyExists(SYSTEM_FONTS))) env['FONTCONFIG_FILE'] = path.join(folder, 'fonts.conf');
  return { executable, env };
}

/** Unpacks into the installed folder itself, so that the package's own shared place under /tmp is not used. */
async function unpack(folder: string): Promise<void> {
  const packed = path.join(folder, 'node_modules/@sparticuz/chromium/bin');
  const executable = path.join(folder, 'chromium');
  await pipeline(
    createReadStream(path.join(packed, 'chromium.br')),
    createBrotliDecompress(),
    createWriteStream(executable),
  );
  await chmod(executable, 0o755);
  for (const archive of ['al2023.tar.br', 'fonts.tar.br']) {
    await extract({ file: path.join(packed, archive), cwd: folder, brotli: true, strict: true });
  }
  await writeFile(
    path.join(folder, 'fonts.conf'),
    `<fontconfig><dir prefix="relative">fonts</dir><cachedir prefix="xdg">fontconfig</cachedir></fontconfig>\n`,
  );
  await rm(path.join(folder, 'node_modules'), { recursive: true });
}

async function lacksLibraries(executable: string): Promise<boolean> {
  const ldd = spawn('ldd', [executable], { stdio: ['ignore', 'pipe', 'ignore'] });
  let output = '';
  ldd.stdout.on('data', (data) => (output += data));
  // No ldd (a C library without it): bring our own, which does no harm.
  const [code] = (await once(ldd, 'close').catch(() => [null])) as [number | null];
  return code !== 0 || output.includes('not found');
}

async function anyExists(files: readonly string[]): Promise<boolean> {
  return (await Promise.all(files.map(exists))).some(Boolean);
}
