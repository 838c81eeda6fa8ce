/**
 * What a new runner sees to in quarantine, beside its jobs: records that are missing, and what was settled so long ago
 * that retention is over. Until then nothing of a result goes; after it only what is in quarantine and its refs do:
 * the run with its logs stays, and so does a worktree that holds anything else.
 */
import { readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { DAY } from '../../platform/clock.ts';
import { messageOf } from '../../platform/errors.ts';
import { readIfThere, syncDirectory, writeDurable } from '../../platform/files.ts';
import { isJobFile, type Store } from '../home/store.ts';
import type { Workshop } from '../steps/workshop.ts';
import { releaseWorktree } from '../workspace/release.ts';
import { jobBranch } from '../workspace/worktrees.ts';
import { fromState } from './entries.ts';
import { settledIds, settledOf } from './marks.ts';
import { readRecord, writeRecord } from './record.ts';

/** Each result is looked at no more often than so, ms. */
const SWEEP_EVERY = 1 * DAY;

export async function tidyQuarantine(shop: Workshop, store: Store): Promise<void> {
  const names = new Set(await readdir(store.layout.stage('quarantine')));
  for (const name of names) {
    const id = name.slice(0, -'.md'.length);
    if (!isJobFile(name) || names.has(`${id}.json`)) continue;
    await tried(shop, id, async () => writeRecord(store.layout, await fromState(store, shop, id)));
  }
  await sweep(shop, store);
}

async function sweep(shop: Workshop, store: Store): Promise<void> {
  const { layout, clock, settings } = shop;
  const marker = path.join(layout.cache, 'quarantine-swept');
  if (settings.quarantineDays === 0) return;
  const last = Number((await readIfThere(marker)) ?? 0);
  if (Math.abs(clock.now() - last) < SWEEP_EVERY) return;
  for (const id of await settledIds(layout)) {
    await tried(shop, id, async () => {
      if (await isOver(shop, id)) await forget(shop, store, id);
    });
  }
  await writeDurable(marker, String(clock.now()));
}

/** The mark says when; one that cannot be read is as old as its file. */
async function isOver({ layout, clock, settings }: Workshop, id: string): Promise<boolean> {
  const settled = await settledOf(layout, id);
  if (settled === undefined) return false;
  const at = settled.at > 0 ? settled.at : (await stat(layout.settledMark(id))).mtimeMs;
  return clock.now() - at > settings.quarantineDays * DAY;
}

/** The mark goes last: without it the result would be open again. */
async function forget(shop: Workshop, store: Store, id: string): Promise<void> {
  const { layout, log, settings } = shop;
  await forgetWork(shop, store, id);
  for (const file of [layout.job('quarantine', id), layout.quarantineText(id), layout.quarantineRecord(id)])
    await rm(file, { force: true });
  await syncDirectory(layout.stage('quarantine'));
  await rm(layout.settledMark(id), { force: true });
  log.info(`${id}: settled more than ${settings.quarantineDays} days ago; it is no longer kept.`);
}

async function forgetWork(shop: Workshop, store: Store, id: string): Promise<void> {
  const { git, clock } = shop;
  const { work } = (await readRecord(shop.layout, id)) ?? {};
  const { place } = (await store.readState(id)) ?? {};
  const repository = place?.repository;
  const cwd = repository?.root ?? work?.repository;
  if (cwd === undefined || !(await stat(cwd).catch(() => undefined))) return;
  if (repository !== undefined && place?.worktree !== undefined) {
    const saved = work?.commit ?? place.base;
    const released = await releaseWorktree(git, {
      repository,
      path: place.worktree,
      owner: id,
      clock,
      ...(saved !== undefined && { saved }),
    });
    if (released.outcome === 'kept') {
      shop.log.info(`${id}: ${place.worktree} and its refs are kept because ${released.reason}.`);
      return;
    }
  }
  const branch = `refs/heads/${jobBranch(id)}`;
  const format = '--format=%(refname)%00%(objectname)%00%(worktreepath)';
  const { stdout } = await git.run(['for-each-ref', format, `refs/${jobBranch(id)}/`, branch], { cwd });
  for (const line of stdout.split('\n').filter((each) => each !== '')) {
    const [ref = '', commit = '', checkedOut = ''] = line.split('\0');
    if (checkedOut !== '' || (ref.startsWith('refs/heads/') && ref !== branch)) continue;
    await git.run(['update-ref', '-m', 'agent-queue: retention', '-d', ref, commit], {
      cwd,
      answers: [1, 128],
    });
  }
}

async function tried(shop: Workshop, id: string, act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    shop.log.warn(`${id} in quarantine was not seen to: ${messageOf(error)}`);
  }
}
