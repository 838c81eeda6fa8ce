import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { access, cp, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { errnoOf } from '../../src/platform/errors.ts';

export const ROOT = path.resolve(import.meta.dirname, '../..');
/** Everything that tests bring or make outside git and outside the system's temporary folder. */
export const CACHE = path.join(ROOT, '.cache');

/**
 * Installs one of the lock files under `packages/` into a folder of the cache that is named after it, once:
 * when the folder is there, it is complete, and nothing is done. `prepare` finishes the folder before it
 * appears under its name. Returns the folder.
 *
 * No install scripts are run. Several processes may ask at the same time: one of their installs wins.
 */
export async function installPackages(
  name: string,
  prepare: (folder: string) => Promise<void>,
): Promise<string> {
  const source = path.join(import.meta.dirname, 'packages', name);
  const folder = path.join(CACHE, `${name}-${await fingerprint(source)}`);
  if (await exists(folder)) return folder;

  const unfinished = `${folder}.${process.pid}`;
  try {
    await rm(unfinished, { recursive: true, force: true });
    await mkdir(CACHE, { recursive: true });
    await cp(source, unfinished, { recursive: true });
    await npmCi(unfinished);
    await prepare(unfinished);
    await rename(unfinished, folder).catch(async (error: unknown) => {
      if (errnoOf(error) !== 'ENOTEMPTY' && errnoOf(error) !== 'EEXIST') throw error;
    });
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  await removeSuperseded(name, folder);
  return folder;
}

/** Twelve digits that stand for the lock file, this harness's shims and the platform. */
async function fingerprint(source: string): Promise<string> {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}`);
  hash.update(await readFile(path.join(source, 'package-lock.json')));
  const shims = path.join(import.meta.dirname, 'shims');
  for (const file of (await readdir(shims)).sort()) hash.update(await readFile(path.join(shims, file)));
  return hash.digest('hex').slice(0, 12);
}

async function npmCi(folder: string): Promise<void> {
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];
  const npm = spawn('npm', args, {
    cwd: folder,
    // Standard output belongs to whoever prints results; npm's few lines go beside them.
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  const [code] = (await once(npm, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`npm ci in ${folder} ended with ${code}; its message is above.`);
}

/** Older installs of the same name, which no lock file asks for any more; half a gigabyte each. */
async function removeSuperseded(name: string, keep: string): Promise<void> {
  for (const entry of await readdir(CACHE)) {
    const ofThisName = entry.startsWith(`${name}-`) && /^[0-9a-f]{12}$/.test(entry.slice(name.length + 1));
    if (ofThisName && entry !== path.basename(keep)) {
      await rm(path.join(CACHE, entry), { recursive: true, force: true });
    }
  }
}

export async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
