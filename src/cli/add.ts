import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { text as readStream } from 'node:stream/consumers';
import { messageOf, UserError } from '../platform/errors.ts';
import type { FactoryApi } from '../runner/factory-api.ts';
import { EXIT } from './exit.ts';

/** Puts copies of job files into the inbox; prints the id of each. All are read before the first is added. */
export async function add(
  factory: Pick<FactoryApi, 'add'>,
  files: readonly string[],
  options: { readonly json?: boolean },
): Promise<number> {
  const jobs = await Promise.all(files.map(read));
  const added: { file: string; id: string }[] = [];
  for (const { file, text, name } of jobs) added.push({ file, id: await factory.add(text, name) });
  if (options.json) console.log(JSON.stringify(added));
  else for (const { id } of added) console.log(id);
  return EXIT.ok;
}

async function read(file: string): Promise<{ file: string; name: string; text: string }> {
  if (file === '-') return { file, name: 'job', text: await readStream(process.stdin) };
  try {
    return {
      file,
      name: path.basename(file).replace(/(\.job)?\.md$/i, ''),
      text: await readFile(file, 'utf8'),
    };
  } catch (error) {
    throw new UserError(
      'unreadable',
      `${file} cannot be read (${messageOf(error)}); nothing was added.`,
      'Name a Markdown file, or - for standard input.',
      { cause: error },
    );
  }
}
