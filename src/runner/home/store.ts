/**
 * Jobs on disk. A transition is one atomic rename of the job file between stage directories; `state.json` holds
 * what else is known and is written before the rename, so that whatever a crash leaves, the directory says where
 * the job is and the file says what was about to be done.
 */

import {
  appendFile,
  chmod,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  rmdir,
  stat,
  utimes,
} from 'node:fs/promises';
import path from 'node:path';
import { errnoOf } from '../../platform/errors.ts';
import { moveDurable, readIfThere, syncDirectory, writeDurable } from '../../platform/files.ts';
import { pidIsTaken } from '../../platform/processes/pid.ts';
import { type JobState, jobStateSchema } from '../job/state.ts';
import { STAGES, type Stage } from '../stages.ts';
import { Layout } from './layout.ts';

/** One line of the journal. */
export interface JournalEntry {
  readonly at: number;
  readonly id: string;
  readonly from: Stage;
  readonly to: Stage;
  readonly code?: string;
}

export class Store {
  readonly layout: Layout;

  constructor(root: string) {
    this.layout = new Layout(root);
  }

  /** Makes the home and its directories (mode 0700) where they are missing. */
  async open(): Promise<void> {
    const { layout } = this;
    await mkdir(layout.root, { recursive: true, mode: 0o700 });
    const { mode } = await stat(layout.root);
    if (process.platform !== 'win32' && (mode & 0o777) !== 0o700) await chmod(layout.root, 0o700);
    const directories = [
      ...STAGES.map((stage) => layout.stage(stage)),
      layout.outbox,
      layout.runs,
      layout.worktrees,
      layout.locks,
      layout.commands,
      layout.bin,
      layout.cache,
      layout.spend,
      layout.moving,
      layout.settled,
      layout.settling,
    ];
    await Promise.all(directories.map((directory) => mkdir(directory, { recursive: true, mode: 0o700 })));
    await this.#takeBack();
  }

  /** Puts jobs back into the inbox that were being rewritten (enqueue.ts) by a process that is gone. */
  async #takeBack(): Promise<void> {
    for (const name of await readdir(this.layout.moving)) {
      const [, pid, file] = /^(\d+)-(.+\.md)$/.exec(name) ?? [];
      if (file === undefined || pidIsTaken(Number(pid))) continue;
      const held = path.join(this.layout.moving, name);
      const inbox = path.join(this.layout.stage('queued'), file);
      if (await exists(inbox)) await rm(held, { force: true });
      else await moveDurable(held, inbox);
    }
  }

  /**
   * The first free id of `wanted`, `wanted-2`, `wanted-3`, …; reserved for ever by an exclusive mkdir.
   * @param own name of the file in the inbox that the id is for. Any other file there keeps its name: a person may
   *   have dropped it a moment ago, and it has no id yet by which it could be told.
   */
  async reserve(wanted: string, own?: string): Promise<string> {
    for (let n = 1; ; n += 1) {
      const suffix = n === 1 ? '' : `-${n}`;
      const id = `${wanted.slice(0, 128 - suffix.length)}${suffix}`;
      if (id !== own && (await exists(this.layout.job('queued', id)))) continue;
      try {
        await mkdir(this.layout.run(id), { mode: 0o700 });
        await syncDirectory(this.layout.runs);
        return id;
      } catch (error) {
        if (errnoOf(error) !== 'EEXIST') throw error;
      }
    }
  }

  /** A job that is new: its id reserved (see there), its state written, or neither. */
  async create(wanted: string, stateOf: (id: string) => JobState, own?: string): Promise<JobState> {
    const id = await this.reserve(wanted, own);
    const state = stateOf(id);
    try {
      await this.writeState(state);
    } catch (error) {
      await rmdir(this.layout.run(id)).catch(() => undefined);
      throw error;
    }
    return state;
  }

  /** What is known of a job; undefined when nothing is, or when the file cannot be read as a state (it is then set aside, not lost). */
  async readState(id: string): Promise<JobState | undefined> {
    const file = this.layout.state(id);
    const text = await readIfThere(file);
    if (text === undefined) return undefined;
    const state = parseState(text);
    if (state === undefined) await rename(file, `${file}.unreadable`).catch(() => undefined);
    return state;
  }

  async writeState(state: JobState): Promise<void> {
    await mkdir(this.layout.run(state.id), { recursive: true, mode: 0o700 });
    await writeDurable(this.layout.state(state.id), `${JSON.stringify(state, null, 1)}\n`);
  }

  /** Keeps facts of a job that stays in its stage, and lets other processes that show this home know. */
  async keep(state: JobState): Promise<void> {
    await this.writeState(state);
    const now = new Date();
    await utimes(this.layout.journal, now, now).catch(() => undefined);
  }

  /**
   * Writes the state, then moves the job file. Throws ENOENT when the file is no longer in `from`: somebody else
   * has moved or deleted it, and nothing has been moved here.
   */
  async transition(state: JobState, from: Stage): Promise<void> {
    if (from === state.stage) return this.keep(state);
    await this.writeState(state);
    await moveDurable(this.layout.job(from, state.id), this.layout.job(state.stage, state.id));
    const entry: JournalEntry = {
      at: state.changedAt,
      id: state.id,
      from,
      to: state.stage,
      ...(state.reason && { code: state.reason.code }),
    };
    // The job has moved: a line that a full disk does not take must not make it look otherwise.
    const line = `${JSON.stringify(entry)}\n`;
    await appendFile(this.layout.journal, line, { mode: 0o600 }).catch(() => undefined);
  }

  /** The stages whose directories hold a file of this id: one, unless a person has dropped a second of the same name. */
  async stagesOf(id: string): Promise<Stage[]> {
    const found = await this.#stagesWith(id);
    // One that is just being moved may have been looked for too late where it was, and too early where it comes to.
    return found.length > 0 ? found : this.#stagesWith(id);
  }

  async #stagesWith(id: string): Promise<Stage[]> {
    const found = await Promise.all(STAGES.map((stage) => exists(this.layout.job(stage, id))));
    return STAGES.filter((_stage, index) => found[index]);
  }

  /** Where the job is; undefined when there is no such job. */
  async locate(id: string): Promise<Stage | undefined> {
    const stages = await this.stagesOf(id);
    return stages.find((stage) => stage !== 'queued') ?? stages[0];
  }

  /** The ids of a stage's job files, unsorted. */
  async list(stage: Stage): Promise<string[]> {
    const names = await readdir(this.layout.stage(stage));
    return names.filter(isJobFile).map((name) => name.slice(0, -'.md'.length));
  }

  /** The job file's text. Throws ENOENT when it is gone. */
  readJob(stage: Stage, id: string): Promise<string> {
    return readFile(this.layout.job(stage, id), 'utf8');
  }
}

/** Files that can be jobs: `*.md`, but no hidden ones, which editors and our own writers use while writing. */
export function isJobFile(name: string): boolean {
  return name.endsWith('.md') && !name.startsWith('.') && name.length > '.md'.length;
}

function parseState(text: string): JobState | undefined {
  try {
    const parsed = jobStateSchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

async function exists(file: string): Promise<boolean> {
  try {
    await stat(file);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
}
