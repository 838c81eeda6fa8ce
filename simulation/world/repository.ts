/**
 * A git repository, as far as jobs depend on one: commits of trees of named files, refs, worktrees. All repositories
 * of a world share their objects, but each knows only those that were made in it or came by push and fetch.
 */
import { createHash } from 'node:crypto';
import type { World } from './world.ts';

type Tree = ReadonlyMap<string, string>;

interface Commit {
  readonly tree: string;
  readonly parents: readonly string[];
  readonly message: string;
}

export interface Worktree {
  readonly files: Map<string, string>;
  head: string;
  /** Full ref; undefined: detached. */
  branch: string | undefined;
}

class Objects {
  readonly trees = new Map<string, Tree>();
  readonly commits = new Map<string, Commit>();
}

const objectsOf = new WeakMap<World, Objects>();

export const MAIN = 'refs/heads/main';

export class Repository {
  readonly name: string;
  readonly remote: Repository | undefined;
  readonly refs = new Map<string, string>();
  readonly worktrees = new Map<string, Worktree>();
  readonly #known = new Set<string>();
  readonly #world: World;
  readonly #objects: Objects;
  /** Told whenever a branch (`refs/heads/…`) that is no job's own comes to a commit. */
  onBranch: ((ref: string, commit: string, before: string | undefined) => void) | undefined;

  constructor(world: World, name: string, remote: Repository | undefined) {
    this.#world = world;
    this.name = name;
    this.remote = remote;
    this.#objects = objectsOf.get(world) ?? new Objects();
    objectsOf.set(world, this.#objects);
    if (remote === undefined)
      this.refs.set(MAIN, this.commit({ files: new Map([['README', '1']]), parents: [], message: 'Begin' }));
    else this.fetch(MAIN, MAIN);
  }

  has(commit: string): boolean {
    return this.#known.has(commit);
  }

  resolve(name: string): string | undefined {
    const direct = this.refs.get(name) ?? (name === 'HEAD' ? this.refs.get(MAIN) : undefined) ?? name;
    return this.#known.has(direct) ? direct : undefined;
  }

  treeOf(commit: string): string {
    return (this.#objects.commits.get(commit) as Commit).tree;
  }

  filesOf(tree: string): Tree {
    return this.#objects.trees.get(tree) ?? new Map();
  }

  parentsOf(commit: string): readonly string[] {
    return this.#objects.commits.get(commit)?.parents ?? [];
  }

  writeTree(files: Tree): string {
    const text = [...files]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, version]) => `${name} ${version}`);
    const id = sha('tree', ...text);
    if (!this.#objects.trees.has(id)) this.#objects.trees.set(id, new Map(files));
    return id;
  }

  commit(made: { files: Tree; parents: readonly string[]; message: string }): string {
    return this.commitTree(this.writeTree(made.files), made.parents, made.message);
  }

  commitTree(tree: string, parents: readonly string[], message: string): string {
    const id = sha('commit', tree, ...parents, message, String(this.#world.now));
    this.#objects.commits.set(id, { tree, parents, message });
    this.#known.add(id);
    return id;
  }

  /** Itself included. */
  ancestors(commit: string): Set<string> {
    const found = new Set<string>();
    const rest = [commit];
    for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
      if (found.has(next)) continue;
      found.add(next);
      rest.push(...this.parentsOf(next));
    }
    return found;
  }

  isAncestor(a: string, b: string): boolean {
    return this.ancestors(b).has(a);
  }

  mergeBases(a: string, b: string): string[] {
    const ofB = this.ancestors(b);
    const common = [...this.ancestors(a)].filter((each) => ofB.has(each));
    return common.filter((each) => !common.some((other) => other !== each && this.isAncestor(each, other)));
  }

  /** Three ways; the names of files in conflict. */
  merge(ours: string, theirs: string): { tree: string; conflicts: string[] } {
    const [base] = this.mergeBases(ours, theirs);
    const from = base === undefined ? new Map<string, string>() : this.filesOf(this.treeOf(base));
    const [a, b] = [this.filesOf(this.treeOf(ours)), this.filesOf(this.treeOf(theirs))];
    const merged = new Map<string, string>();
    const conflicts: string[] = [];
    for (const name of new Set([...from.keys(), ...a.keys(), ...b.keys()])) {
      const [was, left, right] = [from.get(name), a.get(name), b.get(name)];
      const version = left === was ? right : right === was || right === left ? left : undefined;
      if (left !== was && right !== was && left !== right) conflicts.push(name);
      else if (version !== undefined) merged.set(name, version);
    }
    return { tree: this.writeTree(merged), conflicts };
  }

  setRef(ref: string, commit: string): void {
    const before = this.refs.get(ref);
    this.refs.set(ref, commit);
    if (before !== commit && ref.startsWith('refs/heads/')) this.onBranch?.(ref, commit, before);
  }

  /** From the remote. False: it has no such ref. */
  fetch(ref: string, to?: string): boolean {
    const commit = this.remote?.refs.get(ref);
    if (commit === undefined) return false;
    for (const each of this.ancestors(commit)) this.#known.add(each);
    if (to !== undefined) this.refs.set(to, commit);
    return true;
  }

  /** To the remote. False: it has what this commit has not, and `force` is not meant. */
  push(commit: string, ref: string, force: boolean): boolean {
    const { remote } = this;
    if (remote === undefined) return false;
    const there = remote.refs.get(ref);
    if (!force && there !== undefined && !this.isAncestor(there, commit)) return false;
    for (const each of this.ancestors(commit)) remote.#known.add(each);
    remote.setRef(ref, commit);
    return true;
  }

  /** Somebody edits a file in a worktree. */
  edit(folder: string, file: string, version: string): void {
    const worktree = [...this.worktrees].find(
      ([path]) => folder === path || folder.startsWith(`${path}/`),
    )?.[1];
    worktree?.files.set(file, version);
  }
}

function sha(...parts: string[]): string {
  return createHash('sha1').update(parts.join('\n')).digest('hex');
}
