/** Which processes there are, who descends from whom, and whether one that was known still runs. */
import { linuxProcesses } from './linux.ts';
import { macosProcesses } from './macos.ts';
import type { EnvironmentMark, ProcessEntry, ProcessIdentity, ProcessSource } from './process.ts';
import { windowsProcesses } from './windows.ts';

function source(): ProcessSource {
  if (process.platform === 'win32') return windowsProcesses;
  return process.platform === 'linux' ? linuxProcesses : macosProcesses;
}

/** Every process that runs (of all users). */
export function processTable(): Promise<ProcessEntry[]> {
  return source().list();
}

/** The identity of the process that has this pid now; undefined when none runs under it. */
export async function identityOf(pid: number): Promise<ProcessIdentity | undefined> {
  const [entry] = await source().list([pid]);
  return entry && { pid: entry.pid, startTime: entry.startTime };
}

/** Whether this very process still runs; another one under the same pid does not count. */
export async function isAlive(identity: ProcessIdentity): Promise<boolean> {
  return (await stillAlive([identity])).length > 0;
}

/** Those of the given processes that still run. */
export async function stillAlive<T extends ProcessIdentity>(identities: readonly T[]): Promise<T[]> {
  const entries = await source().list(identities.map(({ pid }) => pid));
  return identities.filter((identity) => entries.some((entry) => isSame(entry, identity)));
}

/** Processes that were started with this variable in their environment. Linux: all that we may read; macOS: most; Windows: none (see those files). */
export function markedProcesses(name: string, value: string): Promise<ProcessEntry[]> {
  const mark: EnvironmentMark = { name, value };
  return source().marked(mark);
}

export function isSame(a: ProcessIdentity, b: ProcessIdentity): boolean {
  return a.pid === b.pid && a.startTime === b.startTime;
}

/** All below the given processes, without themselves; parents before children. */
export function descendants(table: readonly ProcessEntry[], pids: readonly number[]): ProcessEntry[] {
  const found: ProcessEntry[] = [];
  const seen = new Set(pids);
  const parents = [...pids];
  for (let parent = parents.shift(); parent !== undefined; parent = parents.shift()) {
    for (const entry of table) {
      if (entry.ppid !== parent || seen.has(entry.pid)) continue;
      seen.add(entry.pid);
      found.push(entry);
      parents.push(entry.pid);
    }
  }
  return found;
}

/** The process and all above it. */
export function ancestry(table: readonly ProcessEntry[], pid: number): Set<number> {
  const byPid = new Map(table.map((entry) => [entry.pid, entry]));
  const line = new Set<number>();
  for (let next: number | undefined = pid; next !== undefined && !line.has(next); ) {
    line.add(next);
    next = byPid.get(next)?.ppid;
  }
  return line;
}
