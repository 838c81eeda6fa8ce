/**
 * Processes on Windows, through CIM. Windows keeps no process groups and lets nobody read another process's
 * environment: a child that cut itself loose from its parent is not found there.
 */

import type { ProcessEntry, ProcessSource } from './process.ts';
import { readCommand } from './read-command.ts';

export const windowsProcesses: ProcessSource = {
  async list(only) {
    if (only?.length === 0) return [];
    const filter =
      only === undefined ? '' : ` -Filter '${only.map((pid) => `ProcessId=${pid}`).join(' OR ')}'`;
    const script = `Get-CimInstance Win32_Process${filter} | Where-Object CreationDate | ForEach-Object { '{0} {1} {2}' -f $_.ProcessId, $_.ParentProcessId, $_.CreationDate.ToUniversalTime().Ticks }`;
    return parseEntries(
      await readCommand('powershell.exe', ['-NoProfile', '-NonInteractive', '-Command', script]),
    );
  },

  async marked() {
    return [];
  },
};

/** Reads lines of `pid ppid ticks`. */
export function parseEntries(output: string): ProcessEntry[] {
  return output.split('\n').flatMap((line) => {
    const match = /^\s*(\d+) (\d+) (\d+)\s*$/.exec(line);
    if (match === null) return [];
    const [, pid, ppid, startTime = ''] = match;
    return [{ pid: Number(pid), ppid: Number(ppid), pgid: Number(pid), startTime }];
  });
}

/** Ends a process and all below it at once; Windows has no polite signal for a process without a window. */
export async function taskkill(pid: number): Promise<void> {
  await readCommand('taskkill.exe', ['/PID', String(pid), '/T', '/F']);
}
