/** Real repositories for the tests of this folder, far from the person's own settings. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { systemClock } from '../../../src/platform/clock.ts';
import { createGit } from '../../../src/platform/git/git.ts';
import { type Repository, resolveWorkplace } from '../../../src/runner/workspace/repository.ts';

export const clock = systemClock;
export const environment: NodeJS.ProcessEnv = {
  PATH: process.env['PATH'],
  HOME: '/nonexistent',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
};
export const git = createGit({ env: environment });

const made: string[] = [];

/** A new directory (its name holds a space), removed after the tests. */
export function scratch(): string {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'aq workspace-')));
  made.push(dir);
  return dir;
}

export function removeScratch(): void {
  for (const dir of made.splice(0)) rmSync(dir, { recursive: true, force: true });
}

/** The person at their keyboard. Returns the output without its last line break. */
export function person(cwd: string, ...args: string[]): string {
  const env = { ...environment, GIT_EDITOR: 'true' };
  return execFileSync('git', args, { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).replace(
    /\n$/,
    '',
  );
}

export type Files = Readonly<Record<string, string | Buffer>>;

export function write(dir: string, files: Files): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), content);
  }
}

/** Commits everything that is there; returns the id. */
export function commit(dir: string, files: Files = {}, message = 'work'): string {
  write(dir, files);
  person(dir, 'add', '-A');
  person(dir, 'commit', '-q', '--allow-empty', '-m', message);
  return person(dir, 'rev-parse', 'HEAD');
}

/** A repository on branch `main` with one commit. */
export function repositoryAt(dir: string, files: Files = { 'a.txt': 'a\n' }): string {
  emptyRepositoryAt(dir);
  commit(dir, files, 'first');
  return dir;
}

export function emptyRepositoryAt(dir: string): string {
  mkdirSync(dir, { recursive: true });
  person(dir, 'init', '-q', '-b', 'main');
  person(dir, 'config', 'user.name', 'Pat');
  person(dir, 'config', 'user.email', 'pat@example.org');
  return dir;
}

export async function repositoryOf(cwd: string): Promise<Repository> {
  const workplace = await resolveWorkplace(git, { cwd, worktree: true });
  if (workplace.kind !== 'worktree') throw new Error(`no repository at ${cwd}`);
  return workplace.repository;
}
