/** Results in quarantine as rows: what they are, why they are there, and who has the job now. */
import type { QuarantineEntry } from '../../runner/quarantine/entries.ts';
import type { QuarantineRecord } from '../../runner/quarantine/record.ts';
import { age } from './duration.ts';
import type { Translate } from './translate.ts';

export type QuarantinedFile = NonNullable<QuarantineRecord['work']>['files'][number];

export interface QuarantineRow {
  readonly label: string;
  readonly description: string;
  readonly icon: string;
  readonly color?: string;
  readonly tooltip: string;
  readonly spoken: string;
  /** Tokens for `when` clauses. */
  readonly context: string;
}

export function entryRow(entry: QuarantineEntry, now: number, t: Translate): QuarantineRow {
  const { title, settled, work, epoch, stale = {}, at } = entry;
  const epochs =
    epoch === undefined
      ? []
      : [
          stale.currentEpoch === undefined
            ? t('epoch {0}', epoch)
            : t('epoch {0} → {1}', epoch, stale.currentEpoch),
        ];
  const who =
    stale.holder === undefined
      ? []
      : [stale.stage === undefined ? stale.holder : `${stale.holder}: ${stale.stage}`];
  const when = at === 0 ? [] : [age(now - at, t)];
  const facts = [...when, ...who, ...epochs];
  const files = work === undefined ? t('No file changed') : changedText(work.fileCount, t);
  return {
    label: title,
    description: facts.join(' · '),
    icon: settled === undefined ? 'shield' : 'check',
    ...(settled === undefined && { color: 'list.warningForeground' }),
    tooltip: [whyText(entry), files, entry.id].join('\n\n'),
    spoken: [title, t('in quarantine'), ...facts, whyText(entry)].join(', '),
    context: `quarantine ${settled === undefined ? 'open' : 'settled'}${work === undefined ? '' : ' has:work'}`,
  };
}

/** Why it is there, in plain words. */
export function whyText({ why, reason }: Pick<QuarantineEntry, 'why' | 'reason'>): string {
  return why ?? reason.text;
}

export function fileRow(file: QuarantinedFile, t: Translate): Omit<QuarantineRow, 'context'> {
  const words = {
    added: t('added'),
    modified: t('modified'),
    deleted: t('deleted'),
    renamed: t('renamed from {0}', file.oldPath ?? ''),
    'type-changed': t('kind changed'),
  }[file.status];
  const facts = [words, ...(file.binary ? [t('binary')] : []), ...(file.submodule ? [t('submodule')] : [])];
  const description = facts.join(' · ');
  return {
    label: file.path,
    description,
    icon: ICONS[file.status],
    tooltip: `${file.path}\n${description}`,
    spoken: `${file.path}, ${description}`,
  };
}

const ICONS: Readonly<Record<QuarantinedFile['status'], string>> = {
  added: 'diff-added',
  modified: 'diff-modified',
  deleted: 'diff-removed',
  renamed: 'diff-renamed',
  'type-changed': 'diff-modified',
};

export function changedText(count: number, t: Translate): string {
  return count === 1 ? t('1 file changed') : t('{0} files changed', count);
}
