/** A record for people, who may have nothing but an editor and git. Pure. */
import { printable } from '../../platform/printable.ts';
import type { QuarantineRecord } from './record.ts';

/** More are only counted. */
const MOST_FILES = 200;

export function recordText(record: QuarantineRecord): string {
  const { id, title, reason, why, work, verify } = record;
  return [
    printable(title),
    '',
    `This result is in quarantine: ${printable(reason.text)}`,
    ...(why === undefined ? [] : [why]),
    'Nothing ships it by itself. A person adopts, requeues, exports or discards it:',
    `  aq quarantine compare ${id}`,
    `  aq quarantine adopt ${id}`,
    '',
    ...table(factsOf(record)),
    ...(work === undefined ? ['', 'It has changed no file.'] : workLines(id, work)),
    ...(verify === undefined ? [] : ['', 'The end of what `verify` said:', indented(verify.tail)]),
    '',
  ].join('\n');
}

function factsOf(record: QuarantineRecord): readonly (readonly [string, string | undefined])[] {
  const { stale = {}, epoch, jobId } = record;
  return [
    ['Job', record.id],
    ['In quarantine since', new Date(record.at).toISOString()],
    ['Began', record.startedAt === undefined ? undefined : new Date(record.startedAt).toISOString()],
    ['Claimed as', jobId === undefined ? undefined : `${jobId}, under epoch ${epoch}`],
    ['Epoch now', stale.currentEpoch?.toString()],
    ['Who has it', holder(stale)],
    ['Engine', record.engine],
    ['Its session', record.session],
    ['Prompt', record.prompt],
    ['Log', record.log],
    ['Log of verify', record.verify?.log],
    ['Worked in', record.folder],
    ['Its answer', record.summary],
  ];
}

function holder({ holder, stage }: NonNullable<QuarantineRecord['stale']>): string | undefined {
  if (holder === undefined) return stage === undefined ? undefined : `nobody; ${stage}`;
  return stage === undefined ? holder : `${holder}, ${stage}`;
}

/** Names and values in two columns; what is not known is left out. */
export function table(rows: readonly (readonly [name: string, value: string | undefined])[]): string[] {
  const known = rows.filter((row): row is readonly [string, string] => row[1] !== undefined);
  const width = Math.max(...known.map(([name]) => name.length)) + 2;
  return known.map(([name, value]) => `${name.padEnd(width)}${printable(value)}`);
}

function workLines(id: string, work: NonNullable<QuarantineRecord['work']>): string[] {
  const { repository, base, commit, baseRef, workRef, files, fileCount, target } = work;
  const git = `git -C ${shellWord(repository)}`;
  const branch = shellWord(`recovered-${id}`);
  return [
    '',
    'The work is in git, and needs nothing else:',
    ...table([
      ['Repository', repository],
      ['Base', `${base} (${baseRef})`],
      ['Work', `${commit} (${workRef})`],
      ['Was to land on', target?.replace('refs/heads/', '')],
    ]).map((line) => `  ${line}`),
    '',
    '  # look at it',
    `  ${git} diff ${base} ${commit}`,
    '  # have it on a branch',
    `  ${git} branch ${branch} ${commit}`,
    '  # put it on top of the branch that is checked out',
    `  ${git} diff --binary --full-index ${base} ${commit} | ${git} apply --3way`,
    '',
    `Changed files (${fileCount}):`,
    ...files.slice(0, MOST_FILES).map((file) => `  ${fileText(file)}`),
    ...(fileCount > Math.min(files.length, MOST_FILES)
      ? [`  … and ${fileCount - Math.min(files.length, MOST_FILES)} more`]
      : []),
  ];
}

/** A changed file in one line, e.g. `renamed   old.txt → new.txt`. */
export function fileText(file: NonNullable<QuarantineRecord['work']>['files'][number]): string {
  const { path, oldPath, status, binary, submodule } = file;
  const name = oldPath === undefined ? path : `${oldPath} → ${path}`;
  const kind = submodule ? ' (submodule)' : binary ? ' (binary)' : '';
  return `${status.padEnd(13)}${printable(name)}${kind}`;
}

function indented(text: string): string {
  return text
    .split('\n')
    .map((line) => `  ${printable(line)}`)
    .join('\n');
}

/** For a POSIX shell. */
function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
