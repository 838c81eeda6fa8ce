/**
 * This machine's clones, for jobs that name a `repo` instead of a folder (runner.md, "A job is a Markdown file"):
 * the folders in `agentQueue.repositories`, what lies directly in them, and the open folder.
 */
import { readdir, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { type Clock, MINUTE } from '../../platform/clock.ts';
import type { Git } from '../../platform/git/git.ts';
import { parseForgeUrl } from './remotes.ts';

/** Clones come and go with a person's hands; what a fleet is told of them is at most so old, ms. */
const LOOK_EVERY = 5 * MINUTE;

export class Clones {
  readonly #git: Git;
  readonly #clock: Clock;
  readonly #roots: readonly string[];
  #offered: { readonly at: number; readonly names: Promise<readonly string[]> } | undefined;

  /** @param roots `~` is expanded */
  constructor(git: Git, clock: Clock, roots: readonly string[]) {
    this.#git = git;
    this.#clock = clock;
    this.#roots = roots.map((folder) => folder.replace(/^~(?=$|[\\/])/, os.homedir()));
  }

  /** The folder of the first clone that has a remote of this address, in any spelling. */
  async find(repo: string, near?: string): Promise<string | undefined> {
    const wanted = repositoryName(repo);
    for await (const folder of this.#folders(near === undefined ? this.#roots : [near, ...this.#roots])) {
      if ((await this.#remotes(folder)).some((url) => repositoryName(url) === wanted)) return folder;
    }
    return undefined;
  }

  /** The repositories that there are clones of, as `host/owner/name`; may be five minutes old. */
  offered(): Promise<readonly string[]> {
    const now = this.#clock.monotonic();
    if (this.#offered === undefined || now - this.#offered.at > LOOK_EVERY)
      this.#offered = { at: now, names: this.#look().catch(() => []) };
    return this.#offered.names;
  }

  async #look(): Promise<readonly string[]> {
    const names = new Set<string>();
    for await (const folder of this.#folders(this.#roots)) {
      for (const url of await this.#remotes(folder))
        if (parseForgeUrl(url) !== undefined) names.add(repositoryName(url));
    }
    return [...names].sort();
  }

  async *#folders(roots: readonly string[]): AsyncGenerator<string> {
    for (const root of roots) {
      const inside = await readdir(root, { withFileTypes: true }).catch(() => []);
      const folders = inside.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'));
      for (const folder of [root, ...folders.map((entry) => path.join(root, entry.name))]) {
        const isClone = await stat(path.join(folder, '.git')).then(
          () => true,
          () => false,
        );
        if (isClone) yield folder;
      }
    }
  }

  async #remotes(folder: string): Promise<string[]> {
    const args = ['config', '-z', '--get-regexp', '^remote\\..*\\.url$'];
    const { stdout } = await this.#git.run(args, { cwd: folder, answers: [0, 1] });
    return stdout.split('\0').flatMap((record) => record.split('\n')[1] ?? []);
  }
}

/** One spelling for all spellings of a remote's address. */
export function repositoryName(url: string): string {
  const forge = parseForgeUrl(/^[^/:@]+\.[^/:@]+\//.test(url) ? `https://${url}` : url);
  return forge === undefined ? url : `${forge.host}/${forge.owner}/${forge.name}`.toLowerCase();
}
