/** The processes of one run, seen from outside: everything that a machine starts has its TMPDIR in the environment. */
import { readdirSync, readFileSync } from 'node:fs';

export interface Seen {
  readonly pid: number;
  readonly command: string;
  readonly environment: Buffer;
}

/** All processes that have a TMPDIR within the folder, and say so. */
export function processesIn(folder: string): Seen[] {
  const mark = `TMPDIR=${folder}/`;
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      // In this order: between fork and exec a child has its parent's environment, and then its parent's name as well.
      const command = readFileSync(`/proc/${name}/cmdline`, 'latin1').replaceAll('\0', ' ').trim();
      const environment = readFileSync(`/proc/${name}/environ`);
      return environment.includes(mark) ? [{ pid: Number(name), command, environment }] : [];
    } catch {
      return []; // it has gone
    }
  });
}

export function signalAll(folder: string, signal: NodeJS.Signals): number {
  const pids = processesIn(folder).map(({ pid }) => pid);
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // it has gone
    }
  }
  return pids.length;
}
