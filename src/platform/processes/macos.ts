/**
 * Processes on macOS, as `ps` tells them. Start times are whole seconds. The environment is shown of the
 * person's own processes only, and not of programs that the system protects (those in /bin and /usr/bin): a
 * daemon made of such a program alone is not found by its mark.
 */

import type { ProcessEntry, ProcessSource } from './process.ts';
import { readCommand } from './read-command.ts';

export const macosProcesses: ProcessSource = {
  async list(only) {
    if (only?.length === 0) return [];
    const which = only === undefined ? ['-A'] : ['-p', only.join(',')];
    return parseEntries(await ps([...which, '-o', 'pid=,ppid=,pgid=,stat=,lstart=']));
  },

  async marked(mark) {
    const wanted = ` ${mark.name}=${mark.value}`;
    const lines = (await ps(['-A', '-E', '-ww', '-o', 'pid=,command='])).split('\n');
    const pids = lines.filter((line) => `${line} `.includes(`${wanted} `)).map((line) => parseInt(line, 10));
    return macosProcesses.list(pids);
  },
};

/** Reads lines of `pid ppid pgid stat lstart`, where lstart is five words, e.g. `Sat Nov 22 20:18:04 2025`. */
export function parseEntries(output: string): ProcessEntry[] {
  return output.split('\n').flatMap((line) => {
    const match = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(\S.*\S)\s*$/.exec(line);
    if (match === null) return [];
    const [, pid, ppid, pgid, state = '', startTime = ''] = match;
    if (state.startsWith('Z')) return [];
    return [{ pid: Number(pid), ppid: Number(ppid), pgid: Number(pgid), startTime }];
  });
}

/** `ps` prints dates in the person's language and zone, which may change; fixed ones make them comparable. Its exit code only says that a pid has gone. */
function ps(args: readonly string[]): Promise<string> {
  return readCommand('/bin/ps', args, { LC_ALL: 'C', TZ: 'UTC' });
}
