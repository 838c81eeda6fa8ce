/**
 * A pool of worktrees on disk: `<home>/worktrees/<name>-<hash of the repository>/<name>-<n>`. A slot is idle
 * exactly while `<slot>.idle` lies beside it, which holds the commit it was proven to be a clean checkout of.
 * Whatever else a crash leaves, a slot without the mark is in use or kept, and never handed out.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { errnoOf } from '../../platform/errors.ts';
import type { Repository } from './repository.ts';

const IDLE = '.idle';
const OWNER = '.owner';

export interface Slot {
  readonly path: string;
  /** The commit an idle slot is a checkout of; undefined when it is in use or kept. */
  readonly idleAt: string | undefined;
}

/** Makes the pool's directory and returns its real path. */
export async function openPool(home: string, repository: Repository): Promise<string> {
  const hash = createHash('sha256').update(repository.commonDir).digest('hex').slice(0, 8);
  const dir = join(home, 'worktrees', `${folderName(repository)}-${hash}`);
  await mkdir(dir, { recursive: true, mode: 0o700 });
  return realpath(dir);
}

/** All slots of a pool, by number; none when there is no such directory. */
export async function readPool(pool: string): Promise<Slot[]> {
  const names = new Set(await readdir(pool).catch(emptyIfMissing));
  const byNumber = (a: string, b: string) => a.localeCompare(b, 'en', { numeric: true });
  const slots = [...names].filter((name) => /-\d+$/.test(name)).sort(byNumber);
  return Promise.all(
    slots.map(async (name) => {
      const path = join(pool, name);
      return { path, idleAt: names.has(name + IDLE) ? await idleCommit(path) : undefined };
    }),
  );
}

/**
 * All worktrees in a home, of whatever repository. Those that are not idle and belong to no job are what a crash
 * has left behind.
 */
export async function listSlots(home: string): Promise<Slot[]> {
  const root = join(home, 'worktrees');
  const pools = await readdir(root).catch(emptyIfMissing);
  return (await Promise.all(pools.map((pool) => readPool(join(root, pool))))).flat();
}

/** A path in the pool that nothing uses yet. */
export function nextSlot(pool: string, repository: Repository, taken: readonly Slot[]): string {
  const paths = new Set(taken.map((slot) => slot.path));
  for (let n = 1; ; n++) {
    const path = join(pool, `${folderName(repository)}-${n}`);
    if (!paths.has(path)) return path;
  }
}

/** Who a slot was claimed for: known from before anything is made, so that what a crash leaves can be given back. */
export interface SlotOwner {
  /** The job's id; followed by ` verify` for a checkout that only its commands write to. */
  readonly owner: string;
  readonly repository: Repository;
}

export async function markOwner(slot: string, owner: SlotOwner): Promise<void> {
  await writeFile(slot + OWNER, JSON.stringify(owner));
}

/** Undefined for a slot that is nobody's, or was claimed without saying for whom. */
export async function ownerOf(slot: string): Promise<SlotOwner | undefined> {
  try {
    return JSON.parse(await readFile(slot + OWNER, 'utf8')) as SlotOwner;
  } catch {
    return undefined;
  }
}

/** Whether the slot is still `owner`'s: neither idle nor claimed for somebody else. */
export async function isHeldBy(slot: string, owner: string): Promise<boolean> {
  if ((await idleCommit(slot)) !== undefined) return false;
  const holder = (await ownerOf(slot))?.owner;
  return holder === undefined || holder === owner;
}

export async function unmarkOwner(slot: string): Promise<void> {
  await rm(slot + OWNER, { force: true });
}

export async function markIdle(slot: string, commit: string): Promise<void> {
  await writeFile(slot + IDLE, commit);
  await unmarkOwner(slot);
}

/** After this nobody else will take the slot. */
export async function unmarkIdle(slot: string): Promise<void> {
  await rm(slot + IDLE, { force: true });
}

export async function idleCommit(slot: string): Promise<string | undefined> {
  return readFile(slot + IDLE, 'utf8').then(
    (text) => text.trim() || undefined,
    () => undefined,
  );
}

/**
 * The directory in which git keeps a linked worktree's HEAD and index; undefined when the folder is not (or no
 * longer) a worktree of this repository. Never ask git itself in a folder that fails this: it would go up and
 * answer for a repository around it.
 */
export async function adminDirectory(worktree: string, repository: Repository): Promise<string | undefined> {
  try {
    const link = /^gitdir: (.+)\n?$/.exec(await readFile(join(worktree, '.git'), 'utf8'))?.[1];
    if (link === undefined) return undefined;
    const admin = await realpath(link);
    await stat(join(admin, 'HEAD'));
    return dirname(admin) === repository.commonDir + sep + 'worktrees' ? admin : undefined;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EISDIR'].includes(errnoOf(error) ?? '')) return undefined;
    throw error;
  }
}

/** Whether somebody has protected the worktree by `git worktree lock`. */
export async function isLocked(admin: string): Promise<boolean> {
  return stat(join(admin, 'locked')).then(
    () => true,
    () => false,
  );
}

/** Keeps git from looking for a repository above the worktree. */
export function confinedTo(worktree: string): Record<string, string> {
  return { GIT_CEILING_DIRECTORIES: dirname(worktree) };
}

/** Tools name things after the folder they run in, so it is called like the repository. */
function folderName(repository: Repository): string {
  return repository.name.replace(/[^\w.-]+/g, '-').replace(/^[.-]+/, '') || 'repository';
}

function emptyIfMissing(error: unknown): string[] {
  if (errnoOf(error) === 'ENOENT') return [];
  throw error;
}
