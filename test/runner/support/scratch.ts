/** Homes and repositories in scratch folders, far from the person's own settings, for tests of the whole runner. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { flagOffEnvironment } from '../../flag-off/environment.ts';

const made: string[] = [];

/** A new folder, removed by `removeScratch`. */
export function scratchFolder(name = 'aq-factory-'): string {
  const folder = realpathSync(mkdtempSync(path.join(os.tmpdir(), name)));
  made.push(folder);
  return folder;
}

/** The path of a home that does not exist yet. */
export function scratchHome(name = 'home'): string {
  return path.join(scratchFolder(), name);
}

export type Files = Readonly<Record<string, string | Uint8Array>>;

/** A repository with `files` as its one commit on `main`, which is checked out. */
export function scratchRepo({ files = { 'a.txt': 'a\n' } }: { files?: Files } = {}): string {
  const folder = emptyRepo();
  commit(folder, files, 'first');
  return folder;
}

/** A repository without a commit, on `main`. */
export function emptyRepo(): string {
  const folder = path.join(scratchFolder(), 'app');
  mkdirSync(folder);
  git(folder, 'init', '-q', '-b', 'main');
  git(folder, 'config', 'user.name', 'Pat');
  git(folder, 'config', 'user.email', 'pat@example.org');
  return folder;
}

export function write(folder: string, files: Files): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), content);
  }
}

/** Commits everything that is there; returns the id. */
export function commit(folder: string, files: Files = {}, message = 'work'): string {
  write(folder, files);
  git(folder, 'add', '-A');
  git(folder, 'commit', '-q', '--allow-empty', '-m', message);
  return git(folder, 'rev-parse', 'HEAD');
}

/** The person at their keyboard. Returns the output without its last line break. */
export function git(folder: string, ...args: string[]): string {
  return execFileSync('git', args, {
    cwd: folder,
    env: environment(),
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  }).replace(/\n$/, '');
}

/** The environment of a person without settings and credentials; `more` is added to it. */
export function environment(more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'],
    HOME: personalFolder(),
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    ...flagOffEnvironment(),
    ...more,
  };
}

let personal: string | undefined;

function personalFolder(): string {
  personal ??= scratchFolder('aq-person-');
  return personal;
}

export function removeScratch(): void {
  personal = undefined;
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
