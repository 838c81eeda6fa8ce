/**
 * The sections of the Inbox, top to bottom (experience.md): what runs, what waits for a person, what will run
 * in the order in which it will, and the rest. A section is a stage, but for work in hand, which is one section
 * whatever its stage, and for `testing`, where a job that has passed waits for a person.
 */
import type { Board, JobRow } from '../../runner/board.ts';
import type { Stage } from '../../runner/stages.ts';

export const SECTIONS = [
  'running',
  'ready',
  'review',
  'blocked',
  'quarantine',
  'queued',
  'failed',
  'dead_letter',
  'shipped',
] as const;

export type Section = (typeof SECTIONS)[number];

/** Sections whose jobs go on only when a person says how. */
const WAITING: ReadonlySet<Section> = new Set<Section>(['ready', 'review', 'blocked', 'quarantine']);
/** Sections that are closed until a person opens them: there may be thousands of jobs in them. */
const CLOSED: ReadonlySet<Section> = new Set<Section>(['failed', 'dead_letter', 'shipped']);

/** Sections of which the board holds only the newest. */
const PAGED: ReadonlySet<Section> = new Set<Section>(['quarantine', 'failed', 'dead_letter', 'shipped']);

export function sectionOf(job: Pick<JobRow, 'stage' | 'readyToShip' | 'activity'>): Section {
  switch (job.stage) {
    case 'assigned':
    case 'building':
      return 'running';
    case 'testing':
      return job.readyToShip === true && job.activity !== 'shipping' ? 'ready' : 'running';
    case 'queued':
    case 'review':
    case 'blocked':
    case 'failed':
    case 'dead_letter':
    case 'quarantine':
    case 'shipped':
      return job.stage;
  }
}

/** The stage whose further jobs can be fetched page by page; undefined where the board holds all of them. */
export function pagedStage(section: Section): Stage | undefined {
  return PAGED.has(section) ? (section as Stage) : undefined;
}

export function waitsForPerson(job: JobRow): boolean {
  return WAITING.has(sectionOf(job));
}

export function startsClosed(section: Section): boolean {
  return CLOSED.has(section);
}

export interface SectionJobs {
  readonly section: Section;
  /** How many jobs the section has; `jobs` may hold fewer. */
  readonly count: number;
  readonly jobs: readonly JobRow[];
}

/**
 * The board by sections, in the order in which they are shown; only those that hold something. Jobs keep the
 * board's order (the queue: the order in which they will run), but for running ones: longest running first.
 * `more` replaces a stage's rows where further pages of it have been read.
 */
export function sectionsOf(board: Board, more: ReadonlyMap<Stage, readonly JobRow[]>): SectionJobs[] {
  const jobs = new Map<Section, JobRow[]>();
  const unread = new Map<Section, number>();
  for (const stage of board.stages) {
    const rows = more.get(stage.stage) ?? stage.rows;
    for (const row of rows) {
      const section = sectionOf(row);
      const list = jobs.get(section);
      if (list === undefined) jobs.set(section, [row]);
      else list.push(row);
    }
    const section = sectionOf({ stage: stage.stage });
    unread.set(section, (unread.get(section) ?? 0) + Math.max(0, stage.count - rows.length));
  }
  jobs.get('running')?.sort((a, b) => startOf(a) - startOf(b));
  return SECTIONS.map((section) => {
    const list = jobs.get(section) ?? [];
    return { section, count: list.length + (unread.get(section) ?? 0), jobs: list };
  }).filter(({ count }) => count > 0);
}

/** What the badge, the status bar and the context keys count. */
export interface Tally {
  readonly running: number;
  readonly waiting: number;
  /** Of those that wait: results in quarantine, which the Quarantine view counts. */
  readonly quarantined: number;
  readonly queued: number;
  readonly total: number;
}

export function tallyOf(board: Board): Tally {
  const tally = { running: 0, waiting: 0, quarantined: 0, queued: 0, total: 0 };
  for (const { section, count } of sectionsOf(board, new Map())) {
    tally.total += count;
    if (section === 'running') tally.running += count;
    else if (section === 'queued') tally.queued += count;
    else if (WAITING.has(section)) tally.waiting += count;
    if (section === 'quarantine') tally.quarantined += count;
  }
  return tally;
}

export const EMPTY_TALLY: Tally = { running: 0, waiting: 0, quarantined: 0, queued: 0, total: 0 };

/** When the job's attempt began, or at least when it came into its stage. */
export function startOf(job: JobRow): number {
  return job.startedAt ?? job.changedAt;
}
