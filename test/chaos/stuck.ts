/** What is seen of a job that has not come to its end: for the timeline, so that one failure is enough to find out why. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { processesIn } from './processes.ts';

/** Records of its newest command, in the order in which they are written. */
const RECORDS = ['begun.json', 'stop.json', 'end.json'];

/** @param home of the machine that has it */
export function stuckJob(home: string, id: string): string[] {
  const { stage, command, reason } = stateOf(home, id);
  const lines = [`${id} stands in ${stage}, with the command ${JSON.stringify(command ?? null)}`];
  if (reason !== undefined) lines.push(`${id}: ${JSON.stringify(reason)}`);
  const dir = command?.dir;
  if (dir === undefined) return lines;
  lines.push(`${id} has ${namesIn(dir).join(', ') || 'nothing'} in its run directory`);
  for (const name of RECORDS) {
    const text = textOf(path.join(dir, name));
    if (text !== undefined) lines.push(`${id} ${name}: ${text.trim()}`);
  }
  return lines;
}

/** What runs on the machine, with what it waits in. */
export function stuckProcesses(machine: string): string[] {
  return processesIn(machine).map(({ pid, command }) => {
    const state = /^State:\s+(.*)$/m.exec(textOf(`/proc/${pid}/status`) ?? '')?.[1] ?? 'gone';
    return `process ${pid} (${state}): ${command.slice(0, 160)}`;
  });
}

interface Known {
  readonly stage?: string;
  readonly command?: { readonly dir: string };
  readonly reason?: unknown;
}

function stateOf(home: string, id: string): Known {
  try {
    return JSON.parse(textOf(path.join(home, 'runs', id, 'state.json')) ?? '{}') as Known;
  } catch {
    return {};
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
