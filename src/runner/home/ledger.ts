/**
 * What engines have used, a file for each day: `spend/2026-11-26.jsonl`, a line for each run that ended on it, so that
 * a day's sum is never work that grows with the number of jobs.
 *
 * A line is on disk before the job goes on from the run it tells of. A process that dies before that leaves the job
 * where the next one looks at the run's end again; its line carries the run's name, so that it is counted once however
 * often it is written. A line that was cut off is written again by whoever looks next, and is known as the beginning of
 * that one; any other that cannot be read makes the day's sum a lower bound.
 */
import { open, stat } from 'node:fs/promises';
import { errnoOf } from '../../platform/errors.ts';
import { readIfThere, syncDirectory } from '../../platform/files.ts';
import { type DaySpend, dayOf } from '../budget.ts';
import { sum, UNKNOWN, type Usage } from '../job/usage.ts';
import type { Layout } from './layout.ts';

/** One run's line. */
export interface SpendEntry {
  /** The run: `<job id>/<run>`. */
  readonly run: string;
  /** When it ended, wall clock, ms: the day that it counts for. */
  readonly at: number;
  readonly usage: Usage;
}

/** The line of a person who says that more may be run on that day. */
interface LiftedLine {
  readonly lifted: number;
}

interface Reading extends DaySpend {
  readonly size: number;
  readonly runs: ReadonlySet<string>;
  /** Lines of which nothing is known. */
  readonly unreadable: number;
}

export class Ledger {
  readonly #layout: Layout;
  #last: Reading | undefined;

  constructor(layout: Layout) {
    this.#layout = layout;
  }

  /** What was found when a day was last looked at. */
  get last(): DaySpend | undefined {
    return this.#last;
  }

  /** What the runs that ended on the day of `at` have used. The file only grows: it is read again when it has. */
  async read(at: number): Promise<DaySpend & Pick<Reading, 'unreadable'>> {
    const day = dayOf(at);
    const size = await sizeOf(this.#layout.spendOn(day));
    if (this.#last?.day !== day || this.#last.size !== size) {
      this.#last = parse(day, (await readIfThere(this.#layout.spendOn(day))) ?? '');
    }
    return this.#last;
  }

  /** Counts the run, once. On disk when it resolves. */
  async add(entry: SpendEntry): Promise<void> {
    await this.#append(entry.at, entry, ({ runs }) => !runs.has(entry.run));
  }

  /** More may be run on the day of `at`. On disk when it resolves. */
  async lift(at: number): Promise<void> {
    await this.#append(at, { lifted: at }, ({ isLifted }) => !isLifted);
  }

  async #append(
    at: number,
    line: SpendEntry | LiftedLine,
    isNew: (before: Reading) => boolean,
  ): Promise<void> {
    const day = dayOf(at);
    const file = this.#layout.spendOn(day);
    const text = await readIfThere(file);
    if (!isNew(parse(day, text ?? ''))) return;
    // After a line that was cut off a new one begins.
    const start = text === undefined || text === '' || text.endsWith('\n') ? '' : '\n';
    const handle = await open(file, 'a', 0o600);
    try {
      await handle.appendFile(`${start}${JSON.stringify(line)}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (text === undefined) await syncDirectory(this.#layout.spend);
    if (this.#last === undefined || this.#last.day <= day) await this.read(at);
  }
}

/** Of two lines of one run the first counts. */
function parse(day: string, text: string): Reading {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const read = lines.map(readLine);
  const isRepeated = (line: string, index: number) =>
    lines.some((other, at) => at > index && read[at] !== undefined && other.startsWith(line));
  const unreadable = lines.filter(
    (line, index) => read[index] === undefined && !isRepeated(line, index),
  ).length;
  const runs = new Set<string>();
  let usage: Usage | undefined;
  let isLifted = false;
  for (const line of read) {
    if (line === undefined) continue;
    if ('lifted' in line) {
      isLifted = true;
    } else if (!runs.has(line.run)) {
      runs.add(line.run);
      usage = sum(usage, line.usage);
    }
  }
  if (unreadable > 0) usage = sum(usage, UNKNOWN);
  return { day, usage, isLifted, runs, unreadable, size: Buffer.byteLength(text) };
}

function readLine(line: string): SpendEntry | LiftedLine | undefined {
  try {
    const value = JSON.parse(line) as Partial<SpendEntry & LiftedLine> | null;
    if (typeof value?.lifted === 'number') return { lifted: value.lifted };
    const { run, at, usage } = value ?? {};
    const isEntry = typeof run === 'string' && typeof at === 'number' && typeof usage === 'object';
    return isEntry && usage !== null ? { run, at, usage } : undefined;
  } catch {
    return undefined;
  }
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return 0;
    throw error;
  }
}
