/** `aq quarantine …`: results that lost their lease, listed, shown, compared and exported. Settling them is ask.ts's. */
import { writeFile } from 'node:fs/promises';
import { messageOf, UserError } from '../platform/errors.ts';
import { printable } from '../platform/printable.ts';
import type { FactoryApi } from '../runner/factory-api.ts';
import type { QuarantineEntry } from '../runner/quarantine/entries.ts';
import { fileText, table } from '../runner/quarantine/record-text.ts';
import { settledText } from '../runner/quarantine/settle.ts';
import { EXIT } from './exit.ts';

type Quarantine = { readonly quarantine: FactoryApi['quarantine'] };

interface Json {
  readonly json?: boolean;
}

/** Listed at once, where nothing else is asked for. */
const PAGE = 50;

export async function list(
  { quarantine }: Quarantine,
  options: Json & { readonly all?: boolean; readonly offset?: number; readonly limit?: number },
): Promise<number> {
  const { all = false, offset = 0, limit = PAGE } = options;
  const page = await quarantine.page({ all, offset, limit });
  if (options.json) {
    console.log(JSON.stringify({ ...page, offset }));
    return EXIT.ok;
  }
  if (page.count === 0)
    console.log(all ? 'Nothing is in quarantine.' : 'Nothing in quarantine waits for you.');
  for (const entry of page.entries) console.log(entryLines(entry).join('\n'));
  const rest = page.count - offset - page.entries.length;
  if (rest > 0) console.log(`… ${rest} more (--offset ${offset + page.entries.length})`);
  return EXIT.ok;
}

/** An entry in a list. Pure. */
export function entryLines(entry: QuarantineEntry): string[] {
  const { id, title, at, epoch, stale = {}, work, why, reason, settled } = entry;
  const facts = [
    epoch === undefined
      ? undefined
      : `epoch ${epoch}${stale.currentEpoch === undefined ? '' : ` → ${stale.currentEpoch}`}`,
    stale.holder && printable(stale.holder),
    stale.stage,
    work === undefined
      ? 'no file changed'
      : `${work.fileCount} ${work.fileCount === 1 ? 'file' : 'files'} changed`,
    at === 0 ? undefined : new Date(at).toISOString(),
  ].filter((fact) => fact !== undefined);
  return [
    `${id}  ${printable(title)}  [${facts.join(', ')}]`,
    `      ${printable(why ?? reason.text)}`,
    ...(settled === undefined ? [] : [`      ${printable(settledText(entry))}`]),
  ];
}

export async function show({ quarantine }: Quarantine, id: string, options: Json): Promise<number> {
  const entry = await quarantine.entry(id);
  if (entry === undefined) return noSuch(id);
  console.log(options.json ? JSON.stringify(entry) : shownLines(entry).join('\n'));
  return EXIT.ok;
}

/** An entry in full. Pure. */
export function shownLines(entry: QuarantineEntry): string[] {
  const { id, title, why, reason, epoch, jobId, stale = {}, work, verify } = entry;
  const rows = table([
    ['Job', id],
    ['Settled', entry.settled === undefined ? undefined : settledText(entry)],
    ['Why', why ?? reason.text],
    ['Reason', why === undefined ? undefined : reason.text],
    ['Since', entry.at === 0 ? undefined : new Date(entry.at).toISOString()],
    ['Claimed as', jobId === undefined ? undefined : `${jobId}, epoch ${epoch}`],
    ['Epoch now', stale.currentEpoch?.toString()],
    ['Who has it', stale.holder],
    ['Stage there', stale.stage],
    ['Engine', entry.engine],
    ['Session', entry.session],
    ['Prompt', entry.prompt],
    ['Log', entry.log],
    ['Verify log', verify?.log],
    ['Worked in', entry.folder],
    ['Answer', entry.summary],
    ['Repository', work?.repository],
    ['Base', work && `${work.base} (${work.baseRef})`],
    ['Work', work && `${work.commit} (${work.workRef})`],
    ['Lands on', work?.target?.replace('refs/heads/', '')],
  ]);
  const files = work === undefined ? ['It has changed no file.'] : work.files.map((file) => fileText(file));
  const more = (work?.fileCount ?? 0) - (work?.files.length ?? 0);
  return [printable(title), '', ...rows, '', ...files, ...(more > 0 ? [`… and ${more} more`] : [])];
}

export async function compare(
  { quarantine }: Quarantine,
  id: string,
  options: Json & { readonly file?: string },
): Promise<number> {
  const comparison = await quarantine.compare(id);
  const { text, base, ours, theirs, files, closed } = comparison;
  const file =
    options.file === undefined ? undefined : await quarantine.compareFile(comparison, options.file);
  if (options.json) {
    console.log(JSON.stringify({ ...comparison, ...(file && { file: { path: options.file, ...file } }) }));
    return EXIT.ok;
  }
  console.log(`${text}${closed ? ' It is closed by that.' : ''}`);
  if (file !== undefined) {
    console.log(`\nours, since ${base}:\n${file.ours ?? 'not changed\n'}`);
    if (theirs !== undefined) console.log(`theirs:\n${file.theirs ?? 'not changed\n'}`);
    return EXIT.ok;
  }
  console.log(
    [
      '',
      ...table([
        ['base', base],
        ['ours', ours],
        ['theirs', theirs],
      ]),
      '',
    ].join('\n'),
  );
  for (const { path, relation, ours: mine, theirs: other } of files)
    console.log(
      `${relation.padEnd(10)}${(mine ?? '-').padEnd(10)}${(other ?? '-').padEnd(10)}${printable(path)}`,
    );
  return EXIT.ok;
}

/** Prints the patch, or writes it to a file that must not exist. */
export async function exportPatch(
  { quarantine }: Quarantine,
  id: string,
  options: Json & { readonly output?: string },
): Promise<number> {
  const patch = await quarantine.patch(id);
  const { output } = options;
  if (output === undefined) {
    if (options.json) console.log(JSON.stringify({ id, patch: Buffer.from(patch).toString('base64') }));
    else process.stdout.write(patch);
    return EXIT.ok;
  }
  try {
    await writeFile(output, patch, { flag: 'wx' });
  } catch (error) {
    throw new UserError(
      'unwritable',
      `${output} cannot be written (${messageOf(error)}). Nothing was changed.`,
      'Name a file that does not exist yet.',
      { cause: error },
    );
  }
  console.log(options.json ? JSON.stringify({ id, file: output }) : `${output} (apply it with \`git am\`)`);
  return EXIT.ok;
}

function noSuch(id: string): number {
  console.error(`There is no ${id} in quarantine. See \`aq quarantine list --all\` for those there are.`);
  return EXIT.noSuchJob;
}
