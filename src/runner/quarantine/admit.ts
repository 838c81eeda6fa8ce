/**
 * The way into quarantine. Before the job file goes there, the work is saved as it is now, refs keep it and its base
 * alive, whoever knows is asked who has the job, and the record is written. Each step can be repeated, and a job that
 * a crash leaves on the way is taken away again by its next runner.
 */
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { SECOND } from '../../platform/clock.ts';
import { isDiskTrouble, messageOf } from '../../platform/errors.ts';
import type { JobState, Stale } from '../job/state.ts';
import { isThere, wipRef } from '../steps/place.ts';
import type { Workshop } from '../steps/workshop.ts';
import { LOG_FILE } from '../supervisor/contract.ts';
import { changedFiles } from '../workspace/changes.ts';
import { checkpoint } from '../workspace/checkpoint.ts';
import { writeOwnRef } from '../workspace/own-ref.ts';
import { jobBranch } from '../workspace/worktrees.ts';
import { readTail } from './files.ts';
import { reopen } from './marks.ts';
import { type QuarantineRecord, writeRecord } from './record.ts';
import { whyText } from './why.ts';

/** A coordinator is waited for so long (ms): the record is worth more than what it may add. */
const PATIENCE = 3 * SECOND;
/** Files named in a record. */
const MOST_FILES = 2000;
/** Of the log of `verify`, in bytes. */
const TAIL = 4096;

/** The ref that keeps the commit alive which a job's work is compared with. */
function baseRef(id: string): string {
  return `refs/${jobBranch(id)}/base`;
}

/**
 * Makes a state fit for quarantine: returned with what has been found out, its record on disk.
 * @throws whatever a disk says that takes no writes; everything else that fails is said in the log, and left out
 */
export async function admitted(shop: Workshop, state: JobState): Promise<JobState> {
  const saved = (await orElse(shop, state, () => withNewestWork(shop, state))) ?? state;
  const told = (await orElse(shop, saved, () => withWhereabouts(shop, saved))) ?? saved;
  await writeRecord(shop.layout, await recordOf(shop, told));
  // Of an earlier stay under the same id, which a person has ended by moving the file.
  await reopen(shop.layout, state.id);
  return told;
}

/** The record of a job that is in quarantine, made from its state; its refs are made where they are missing. */
export async function recordOf(shop: Workshop, state: JobState): Promise<QuarantineRecord> {
  const { layout } = shop;
  const { id, title, changedAt, addedAt, startedAt, reason, claim, stale, engine, session, result } = state;
  const work = await orElse(shop, state, () => workOf(shop, state));
  const { log, verify } = await logsOf(shop, state);
  const why = whyText(stale, changedAt);
  return {
    version: 1,
    id,
    title,
    at: changedAt,
    addedAt,
    ...(startedAt !== undefined && { startedAt }),
    reason: {
      code: reason?.code ?? 'unknown',
      text: reason?.text ?? 'It is not known why; somebody may have moved its file here.',
    },
    ...(why !== undefined && { why }),
    ...(claim !== undefined && { jobId: claim.jobId, epoch: claim.epoch }),
    ...(stale !== undefined && { stale }),
    ...(engine !== undefined && { engine }),
    ...(session !== undefined && { session }),
    ...(result?.summary !== undefined && { summary: result.summary }),
    prompt: layout.job('quarantine', id),
    ...(log !== undefined && { log }),
    ...(state.place !== undefined && { folder: state.place.cwd }),
    ...(verify !== undefined && { verify }),
    ...(work !== undefined && { work }),
  };
}

/** A last checkpoint of its worktree: since the one before, the engine or a person may have gone on. */
async function withNewestWork(shop: Workshop, state: JobState): Promise<JobState> {
  const { place, result } = state;
  // In a person's own checkout there may be files by now that are none of the job's.
  if (place?.kind !== 'worktree' || place.worktree === undefined || place.base === undefined) return state;
  if (!(await isThere(place, state.id))) return state;
  const ref = wipRef(state.id);
  const now = await checkpoint(shop.git, { worktree: place.worktree, ref, message: state.title });
  if (now.wipCommit === result?.wipCommit || (result === undefined && now.wipCommit === place.base))
    return state;
  const files = await changedFiles(shop.git, {
    cwd: place.worktree,
    base: place.base,
    commit: now.wipCommit,
  });
  return {
    ...state,
    result: { ...result, wipBranch: ref, wipCommit: now.wipCommit, files: files.length },
  };
}

async function withWhereabouts(shop: Workshop, state: JobState): Promise<JobState> {
  if (state.claim === undefined) return state;
  const over = new AbortController();
  const asked = shop.hooks.whereabouts(state.claim.jobId).finally(() => over.abort());
  const patience = shop.clock.sleep(PATIENCE, over.signal).then(
    () => undefined,
    () => asked,
  );
  const where = await Promise.race([asked, patience]);
  if (where === undefined) return state;
  const { epoch, stage, checkpoint: theirs } = where;
  // Under our own epoch it was ended, not given to anybody else.
  const { holder, takenAt } = epoch === state.claim.epoch ? {} : where;
  const stale: Stale = {
    ...state.stale,
    ...(epoch !== undefined && { currentEpoch: epoch }),
    ...(holder !== undefined && { holder }),
    ...(stage !== undefined && { stage }),
    ...(takenAt !== undefined && { takenAt }),
    ...(theirs !== undefined && { checkpoint: theirs }),
  };
  return { ...state, stale };
}

async function workOf(
  shop: Workshop,
  { id, place, result }: JobState,
): Promise<QuarantineRecord['work'] | undefined> {
  if (place?.repository === undefined || place.base === undefined || result?.wipCommit === undefined)
    return undefined;
  if (result.wipCommit === place.base) return undefined;
  const cwd = place.repository.root;
  const refs = { workRef: result.wipBranch ?? wipRef(id), baseRef: baseRef(id) };
  await keep(shop, cwd, refs.baseRef, place.base);
  await keep(shop, cwd, refs.workRef, result.wipCommit);
  const files = await changedFiles(shop.git, { cwd, base: place.base, commit: result.wipCommit });
  return {
    repository: cwd,
    base: place.base,
    commit: result.wipCommit,
    ...refs,
    ...(place.target !== undefined && { target: place.target }),
    fileCount: files.length,
    files: files.slice(0, MOST_FILES),
  };
}

async function keep({ git }: Workshop, cwd: string, ref: string, commit: string): Promise<void> {
  const now = await git.run(['rev-parse', '--verify', '--quiet', ref], { cwd, answers: [1, 128] });
  if (now.stdout.trim() === commit) return;
  const update = ['update-ref', '-m', 'agent-queue: quarantine', ref, commit];
  await writeOwnRef(() => git.run(update, { cwd }));
}

/** The newest logs of its last run. */
async function logsOf(
  { layout }: Workshop,
  { id, run }: JobState,
): Promise<{ log?: string; verify?: { log: string; tail: string } }> {
  const attempt = path.dirname(layout.command(id, run, 'engine'));
  const names = (await readdir(attempt).catch(() => [])).sort((a, b) =>
    a.localeCompare(b, 'en', { numeric: true }),
  );
  const newest = (kind: string) => {
    const name = names.findLast((each) => each === kind || each.startsWith(`${kind}-`));
    return name === undefined ? undefined : path.join(attempt, name, LOG_FILE);
  };
  const log = newest('engine') ?? newest('setup');
  const verify = newest('verify');
  return {
    ...(log !== undefined && { log }),
    ...(verify !== undefined && { verify: { log: verify, tail: await readTail(verify, TAIL) } }),
  };
}

async function orElse<T>(shop: Workshop, { id }: JobState, make: () => Promise<T>): Promise<T | undefined> {
  try {
    return await make();
  } catch (error) {
    if (isDiskTrouble(error)) throw error;
    shop.log.warn(`${id}: not all of it is in its record in quarantine: ${messageOf(error)}`);
    return undefined;
  }
}
