/** Scratch places and small statistics for the benchmarks. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { silentLog } from '../src/platform/log.ts';
import { type Factory, openFactory } from '../src/runner/factory.ts';
import { type Hooks, offline } from '../src/runner/hooks.ts';

const folders: string[] = [];
process.on('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A folder that is removed when the process exits. */
export function scratch(name: string): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), `agent-queue-bench-${name}-`));
  folders.push(folder);
  return folder;
}

/** A repository with one commit of `files` small files. */
export function repository(files: number): string {
  const folder = scratch('repo');
  const git = (...args: string[]) => execFileSync('git', args, { cwd: folder, stdio: 'ignore' });
  git('init', '-q', '-b', 'main');
  for (let n = 0; n < files; n += 1) {
    const directory = path.join(folder, `d${n % 100}`);
    mkdirSync(directory, { recursive: true });
    writeFileSync(path.join(directory, `f${n}.txt`), `${n}\n`);
  }
  git('add', '.');
  git('-c', 'user.name=bench', '-c', 'user.email=bench@localhost', 'commit', '-qm', 'files');
  return folder;
}

/** The factory of a home, with the supervisor as it is shipped. */
export function factoryOf(home: string, hooks: Hooks = offline): Promise<Factory> {
  return openFactory({
    home,
    supervisorScript: fileURLToPath(new URL('../dist/supervisor.js', import.meta.url)),
    settings: { maxParallel: 1 },
    hooks,
    log: silentLog,
    what: 'the benchmark',
    env: process.env,
  });
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Runs `work` and returns how long it took, ms. */
export async function timed(work: () => unknown): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** Prints rows of cells in columns, the first row as heading. */
export function printTable(title: string, rows: readonly (readonly string[])[]): void {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  console.log(`\n${title}`);
  for (const row of rows) {
    console.log(
      `  ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join('  ')}`,
    );
  }
}
