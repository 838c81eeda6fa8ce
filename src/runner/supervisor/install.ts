import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, stat, utimes } from 'node:fs/promises';
import path from 'node:path';
import { DAY } from '../../platform/clock.ts';
import { readIfThere, writeDurable } from '../../platform/files.ts';

/** Copies that nobody has installed for this long (ms) are removed. A supervisor that runs from one has read it whole long ago. */
const KEEP = 30 * DAY;

/**
 * Copies the supervisor's bundle to `<home>/bin/supervisor-<hash>.mjs`, unless it is there, and returns that path:
 * an update of the extension deletes the folder that the bundle came in, while runs go on. Throws the system's error.
 */
export async function installSupervisor(home: string, sourceFile: string, now = Date.now()): Promise<string> {
  const content = await readFile(sourceFile);
  const bin = path.join(home, 'bin');
  const hash = createHash('sha256').update(content).digest('hex').slice(0, 16);
  const file = path.join(bin, `supervisor-${hash}.mjs`);
  await mkdir(bin, { recursive: true, mode: 0o700 });
  if ((await readIfThere(file)) !== content.toString()) await writeDurable(file, content);
  await utimes(file, now / 1000, now / 1000);
  await prune(bin, now - KEEP);
  return file;
}

async function prune(bin: string, before: number): Promise<void> {
  for (const name of await readdir(bin)) {
    const file = path.join(bin, name);
    const isOld = /^supervisor-[0-9a-f]+\.mjs$/.test(name) && (await stat(file)).mtimeMs < before;
    if (isOld) await rm(file, { force: true });
  }
}
