/** The Inbox as a tree of rows with stable ids, and what has to be drawn again when it changes. Pure. */
import type { Board, JobRow } from '../../runner/board.ts';
import type { Stage } from '../../runner/stages.ts';
import { sectionName } from '../text/job.ts';
import { jobRow, type RowText } from '../text/job-row.ts';
import type { Translate } from '../text/translate.ts';
import { type Section, sectionsOf, startsClosed } from './sections.ts';

/** How many jobs of a section are shown at first, and how many "Show more…" adds. */
export const PAGE = 50;

export interface TreeRow {
  readonly id: string;
  readonly section: Section;
  readonly text: RowText;
  /** Present for the row of a job. */
  readonly job?: JobRow;
  /** Present for the row of a section: the ids of the rows in it. */
  readonly children?: readonly string[];
  readonly closed?: boolean;
  /** Present for "Show more…". */
  readonly more?: true;
}

export interface Tree {
  readonly roots: readonly string[];
  readonly rows: ReadonlyMap<string, TreeRow>;
}

export const EMPTY_TREE: Tree = { roots: [], rows: new Map() };

/** What decides how far a section is shown. */
export interface Shown {
  /** How many rows of a section a person has asked for; absent: PAGE. */
  readonly limit: ReadonlyMap<Section, number>;
  /** Rows of stages of which further pages have been read. */
  readonly more: ReadonlyMap<Stage, readonly JobRow[]>;
}

/**
 * A job's row carries its section in its id: a job that changes its section while the editor reads the tree
 * piece by piece must not appear under one id in two places, which would fail the whole view.
 */
export function buildTree(board: Board, shown: Shown, now: number, t: Translate): Tree {
  const roots: string[] = [];
  const rows = new Map<string, TreeRow>();
  for (const { section, count, jobs } of sectionsOf(board, shown.more)) {
    const limit = shown.limit.get(section) ?? PAGE;
    const children: string[] = [];
    for (const job of jobs.slice(0, limit)) {
      const id = `${section}/${job.id}`;
      children.push(id);
      rows.set(id, { id, section, job, text: jobRow(job, now, t) });
    }
    const left = count - children.length;
    if (left > 0) {
      const id = `${section}//more`;
      children.push(id);
      rows.set(id, { id, section, more: true, text: moreRow(left, t) });
    }
    roots.push(section);
    rows.set(section, {
      id: section,
      section,
      children,
      closed: startsClosed(section),
      text: sectionRow(section, count, t),
    });
  }
  return { roots, rows };
}

function sectionRow(section: Section, count: number, t: Translate): RowText {
  const name = sectionName(section, t);
  return {
    label: name,
    description: String(count),
    icon: '',
    context: `section ${section}`,
    spoken: count === 1 ? t('{0}, 1 job', name) : t('{0}, {1} jobs', name, count),
  };
}

function moreRow(left: number, t: Translate): RowText {
  return {
    label: t('Show more…'),
    description: t('{0} left', left),
    icon: 'ellipsis',
    context: 'more',
    spoken: t('Show more, {0} left', left),
  };
}

/**
 * The rows to draw again: the smallest set that covers every difference. `root` when sections came or went; a
 * section when rows in it came, went or changed places (it covers the rows in it); else each row by itself.
 */
export function changedRows(before: Tree, after: Tree): 'root' | readonly string[] {
  if (!sameList(before.roots, after.roots)) return 'root';
  const changed: string[] = [];
  for (const id of after.roots) {
    const old = before.rows.get(id);
    const row = after.rows.get(id);
    if (row === undefined || old === undefined) continue;
    if (!sameList(old.children ?? [], row.children ?? []) || !sameText(old, row)) changed.push(id);
    else changed.push(...(row.children ?? []).filter((child) => differs(child, before, after)));
  }
  return changed;
}

function differs(id: string, before: Tree, after: Tree): boolean {
  const old = before.rows.get(id);
  const row = after.rows.get(id);
  return old === undefined || row === undefined || !sameText(old, row);
}

/** Whether both look and behave the same; what only a tooltip shows is read when the tooltip is. */
function sameText(a: TreeRow, b: TreeRow): boolean {
  return (
    a.text.label === b.text.label &&
    a.text.description === b.text.description &&
    a.text.icon === b.text.icon &&
    a.text.color === b.text.color &&
    a.text.context === b.text.context &&
    a.text.spoken === b.text.spoken &&
    a.job?.file === b.job?.file
  );
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((id, index) => id === b[index]);
}
