/** Homes, repositories and jobs for the tests in the packaged extension. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { SECOND } from '../../src/platform/clock.ts';

export interface Place extends AsyncDisposable {
  readonly repository: string;
  readonly home: string;
  /** Puts a job, for the shell engine unless told otherwise, into the inbox. */
  drop(id: string, script: string, frontMatter?: string, engine?: string): Promise<void>;
  /** Waits until the job lies in the stage's folder. */
  reaches(id: string, stage: string): Promise<void>;
  /** Waits until the job has come into review after a second run. */
  runsAgain(id: string): Promise<void>;
  /** The log of the job's engine in its first attempt. */
  log(id: string): string;
  /** Commit messages of main, newest first. */
  commits(): string[];
  /** A file's content, by its path from the home; '' when there is none. */
  read(file: string): string;
  write(file: string, content: string): void;
  exists(file: string): boolean;
  /** The names in a folder of the home. */
  list(folder: string): string[];
  /** The path of another home beside this one. */
  sibling(name: string): string;
}

/** A repository with one commit on main, and a home whose runner is on. */
export async function makePlace(): Promise<Place> {
  const folder = await realpath(await mkdtemp(path.join(os.tmpdir(), 'aq-ui-place-')));
  const repository = path.join(folder, 'greeter');
  const home = path.join(folder, 'home');
  const inbox = path.join(home, 'inbox');
  const git = (...args: string[]) => execFileSync('git', args, { cwd: repository, encoding: 'utf8' });
  await mkdir(repository, { recursive: true });
  await mkdir(inbox, { recursive: true });
  await writeFile(path.join(repository, 'greeting.txt'), 'Hello\n');
  await writeFile(path.join(home, 'runner.on'), '');
  git('init', '-q', '-b', 'main');
  git('add', '.');
  git('-c', 'user.name=Tester', '-c', 'user.email=tester@example.invalid', 'commit', '-qm', 'Start');
  return {
    repository,
    home,
    drop: (id, script, frontMatter = '', engine = 'shell') =>
      writeFile(
        path.join(inbox, `${id}.md`),
        `---\nengine: ${engine}\ncwd: ${repository}\n${frontMatter}---\n# The job ${id}\n\n\`\`\`sh\n${script}\n\`\`\`\n`,
      ),
    reaches: (id, stage) => until(`${id} in ${stage}`, () => existsSync(path.join(home, stage, `${id}.md`))),
    runsAgain: (id) =>
      until(`${id} in review again`, () => {
        const second = path.join(home, 'runs', id, 'attempts', '2', 'engine', 'end.json');
        return existsSync(second) && existsSync(path.join(home, 'review', `${id}.md`));
      }),
    log: (id) => {
      const file = path.join(home, 'runs', id, 'attempts', '1', 'engine', 'engine.log');
      return existsSync(file) ? readFileSync(file, 'utf8') : '';
    },
    read: (file) => {
      const full = path.join(home, file);
      return existsSync(full) ? readFileSync(full, 'utf8') : '';
    },
    write: (file, content) => writeFileSync(path.join(home, file), content),
    exists: (file) => existsSync(file),
    list: (name) => readdirSync(path.join(home, name)),
    sibling: (name) => path.join(folder, name),
    commits: () => git('log', '--format=%s', 'main').trim().split('\n'),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true, maxRetries: 5 }),
  };
}

/** Waits until something holds that no event tells this process of. */
export async function until(what: string, holds: () => boolean, limit = 60 * SECOND): Promise<void> {
  const end = performance.now() + limit;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`It did not come to: ${what}`);
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
  }
}
