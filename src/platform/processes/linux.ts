/**
 * Processes on Linux, read from /proc (proc(5)). The reads are synchronous on purpose: /proc is memory, a read
 * costs some microseconds, and nothing can come between reading a process and signalling it.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import type { EnvironmentMark, ProcessEntry, ProcessSource } from './process.ts';

// Field numbers of /proc/<pid>/stat less the two that stand before the state.
const STATE = 0;
const PARENT = 1;
const GROUP = 2;
const START_TIME = 19;

const GONE = new Set(['Z', 'X', 'x']);

/** Names this boot: start times are counted from it, so that those of different boots could be equal. */
let bootId: string | undefined;

export const linuxProcesses: ProcessSource = {
  async list(only) {
    return only === undefined ? readAll(readEntry) : only.flatMap((pid) => readEntry(pid) ?? []);
  },

  async marked(mark) {
    return readAll((pid) => (bears(pid, mark) ? readEntry(pid) : undefined));
  },
};

/** Looks until no process has started meanwhile: else the child of one that exits during the look would be missed. */
function readAll(read: (pid: number) => ProcessEntry | undefined): ProcessEntry[] {
  const seen = new Set<number>();
  const entries: ProcessEntry[] = [];
  for (let pids = allPids(); pids.length > 0; pids = allPids().filter((pid) => !seen.has(pid))) {
    for (const pid of pids) {
      seen.add(pid);
      const entry = read(pid);
      if (entry !== undefined) entries.push(entry);
    }
  }
  return entries;
}

function allPids(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function readEntry(pid: number): ProcessEntry | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined; // it has gone
  }
  // The second field is the program's name in parentheses, and a name may hold spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const state = fields[STATE];
  const startTime = fields[START_TIME];
  if (state === undefined || startTime === undefined || GONE.has(state)) return undefined;
  bootId ??= readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  return {
    pid,
    ppid: Number(fields[PARENT]),
    pgid: Number(fields[GROUP]),
    startTime: `${bootId}/${startTime}`,
  };
}

/** Whether the process was started with the mark. False for those of other users, whose environment is not ours to read. */
function bears(pid: number, mark: EnvironmentMark): boolean {
  const user = process.getuid?.();
  try {
    if (user !== 0 && statSync(`/proc/${pid}`).uid !== user) return false;
    const environment = readFileSync(`/proc/${pid}/environ`, 'latin1');
    return `\0${environment}`.includes(`\0${mark.name}=${mark.value}\0`);
  } catch {
    return false;
  }
}
