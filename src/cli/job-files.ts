import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { text as readStream } from 'node:stream/consumers';
import { messageOf, UserError } from '../platform/errors.ts';

export interface JobFile {
  readonly file: string;
  /** Without folder and ending. */
  readonly name: string;
  readonly text: string;
}

/** Reads job files; `-` is standard input. @throws UserError `unreadable`: then none is used */
export function readJobFiles(files: readonly string[]): Promise<JobFile[]> {
  return Promise.all(files.map(read));
}

async function read(file: string): Promise<JobFile> {
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
