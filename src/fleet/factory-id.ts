/** The name under which this home's runner is known to a coordinator. */
import { randomBytes } from 'node:crypto';
import os from 'node:os';
import path from 'node:path';
import { readIfThere, writeDurable } from '../platform/files.ts';
import { JOB_ID } from './protocol.ts';

/** The one that was made for this home, or a new one: hostname and a short random part, made once and kept. */
export async function factoryIdOf(dir: string): Promise<string> {
  const file = path.join(dir, 'factory-id');
  const known = (await readIfThere(file))?.trim();
  if (known !== undefined && JOB_ID.test(known)) return known;
  const host = os
    .hostname()
    .replace(/\..*$/, '')
    .replace(/[^A-Za-z0-9-]+/g, '-')
    .replace(/^-+/, '')
    .slice(0, 40);
  const made = `${host || 'factory'}-${randomBytes(3).toString('hex')}`;
  await writeDurable(file, `${made}\n`);
  return made;
}
