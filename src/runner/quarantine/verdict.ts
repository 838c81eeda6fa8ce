/** What a result in quarantine is to the one that took its place: one line for a person, and why. Pure. */
import { printable } from '../../platform/printable.ts';

/** One file of a comparison. */
export interface ComparedFile {
  readonly path: string;
  readonly relation: Relation;
  /** What became of it since the base, on each side; absent: nothing. */
  readonly ours?: Change;
  readonly theirs?: Change;
}

export type Change = 'added' | 'modified' | 'deleted';

/** `same`: both have made it the same; `apart`: both have changed it, in different lines; `conflict`: in the same ones. */
export type Relation = 'ours' | 'theirs' | 'same' | 'apart' | 'conflict';

export interface Winner {
  readonly holder?: string | undefined;
  readonly stage?: string | undefined;
}

export type Verdict =
  /** The same tree as the winner's. `closes`: the winner's has shipped, so nothing is left to decide. */
  | { readonly kind: 'same'; readonly closes: boolean }
  /** It touches the same lines: one cannot go on top of the other without a decision. */
  | { readonly kind: 'overlaps'; readonly files: readonly string[] }
  /** Nothing of it stands in the way of the winner's. */
  | { readonly kind: 'independent'; readonly apart: readonly string[] }
  /** The winner has nothing to compare with yet. */
  | { readonly kind: 'unfinished'; readonly stage: string }
  /** It is not known what the winner has. */
  | { readonly kind: 'unknown'; readonly why: string };

/** Stages in which a job's work is done, whatever becomes of it. */
const WORK_IS_DONE = new Set(['review', 'testing', 'shipped']);

/**
 * @param winner undefined: nobody tells
 * @param files undefined: the winner's work cannot be had, and `missing` says why
 */
export function verdictOf(facts: {
  readonly winner: Winner | undefined;
  readonly files: readonly ComparedFile[] | undefined;
  readonly missing?: string | undefined;
}): Verdict {
  const { winner, files, missing } = facts;
  if (winner?.stage !== undefined && !WORK_IS_DONE.has(winner.stage))
    return { kind: 'unfinished', stage: winner.stage };
  if (files === undefined) return { kind: 'unknown', why: missing ?? 'nobody tells who has the job' };
  if (files.every(({ relation }) => relation === 'same'))
    return { kind: 'same', closes: winner?.stage === 'shipped' };
  const overlapping = files.filter(({ relation }) => relation === 'conflict' || relation === 'same');
  if (overlapping.length > 0) return { kind: 'overlaps', files: overlapping.map(({ path }) => path) };
  return {
    kind: 'independent',
    apart: files.filter(({ relation }) => relation === 'apart').map(({ path }) => path),
  };
}

/** The verdict as one sentence. */
export function verdictText(verdict: Verdict, winner: Winner | undefined): string {
  const who = printable(winner?.holder ?? 'the winner');
  const whose = winner?.holder === undefined ? 'the winner’s' : `that of ${who}`;
  switch (verdict.kind) {
    case 'same':
      return verdict.closes
        ? `The same tree as ${whose}, which has shipped: there is nothing left to decide.`
        : `The same tree as ${whose}, which has not shipped yet.`;
    case 'overlaps':
      return `Touches the same lines as ${whose} in ${some(verdict.files)}.`;
    case 'independent':
      return verdict.apart.length === 0
        ? `Independent of ${whose}: no file is changed by both.`
        : `Independent of ${whose}: ${some(verdict.apart)} changed by both, in different lines.`;
    case 'unfinished':
      return verdict.stage === 'queued'
        ? 'Not finished by anybody: the job is queued again.'
        : `The winner has not finished: ${who} has the job in ${verdict.stage}.`;
    case 'unknown':
      return `There is nothing to compare with: ${verdict.why}.`;
  }
}

function some(paths: readonly string[]): string {
  const shown = paths.slice(0, 3).map(printable).join(', ');
  return paths.length > 3 ? `${shown} and ${paths.length - 3} more` : shown;
}

/** Both sides' changes of a path since their base. */
export interface Sides {
  readonly path: string;
  /** Git's mode and object id before and after; undefined: not changed on this side. */
  readonly ours?: { readonly before: string | undefined; readonly after: string | undefined } | undefined;
  readonly theirs?: { readonly before: string | undefined; readonly after: string | undefined } | undefined;
}

/** @param conflicts paths that cannot be merged */
export function compared(sides: readonly Sides[], conflicts: ReadonlySet<string>): ComparedFile[] {
  return sides.map(({ path, ours, theirs }) => ({
    path,
    relation: relationOf(path, ours, theirs, conflicts),
    ...(ours !== undefined && { ours: changeOf(ours) }),
    ...(theirs !== undefined && { theirs: changeOf(theirs) }),
  }));
}

function relationOf(
  path: string,
  ours: Sides['ours'],
  theirs: Sides['theirs'],
  conflicts: ReadonlySet<string>,
): Relation {
  if (ours !== undefined && theirs !== undefined && ours.after === theirs.after) return 'same';
  if (conflicts.has(path)) return 'conflict';
  if (ours === undefined) return 'theirs';
  return theirs === undefined ? 'ours' : 'apart';
}

function changeOf({ before, after }: NonNullable<Sides['ours']>): Change {
  return before === undefined ? 'added' : after === undefined ? 'deleted' : 'modified';
}
