/**
 * The built-in engine `shell`: the fenced `sh` (also `bash`, `shell`) blocks of a job's body, in their order, as
 * one script. It stops at the first command that fails (`set -e`), and a `cd` in one block holds for the next.
 */
import path from 'node:path';
import { UserError } from '../../platform/errors.ts';
import { type Executable, findExecutable, type SearchPlace, thisPlace } from './executable.ts';

export interface ShellScript {
  /** The content of the script file, ending in a line break. */
  readonly text: string;
  /** Some block says `bash`: run by bash where there is one. */
  readonly bash: boolean;
}

interface Block {
  readonly language: string;
  /** Line of the fence in the body, counted from 1. */
  readonly line: number;
  readonly code: readonly string[];
}

const LANGUAGES: ReadonlySet<string> = new Set(['sh', 'bash', 'shell']);
const OPENING = /^( {0,3})(`{3,}|~{3,})[ \t]*(.*)$/;

/**
 * The script of a job's Markdown body.
 * @throws UserError `no-script` when there is no such block, or nothing in any.
 */
export function shellScript(markdown: string): ShellScript {
  const blocks = fencedBlocks(markdown).filter(({ language }) => LANGUAGES.has(language));
  if (!blocks.some(({ code }) => code.some((line) => line.trim() !== ''))) {
    throw new UserError(
      'no-script',
      'The engine `shell` runs the fenced `sh` blocks of a job, and this job has none with a command in it. Nothing was run.',
      'Put the commands between a line of ```sh and a line of ```, then retry the job.',
    );
  }
  const parts = blocks.map(({ line, code }) => [`# line ${line} of the job`, ...code, ''].join('\n'));
  return { text: ['set -e', ...parts].join('\n'), bash: blocks.some(({ language }) => language === 'bash') };
}

/**
 * The shell that runs the script. On Windows the one of Git for Windows: the `bash` in System32 is another
 * system's, with other paths.
 * @throws UserError `no-shell` when there is none.
 */
export function findShell(script: Pick<ShellScript, 'bash'>, place: SearchPlace = thisPlace()): Executable {
  const found = place.platform === 'win32' ? gitShell(script.bash, place) : unixShell(script.bash, place);
  if (found !== undefined) return found;
  throw place.platform === 'win32'
    ? new UserError(
        'no-shell',
        'The engine `shell` needs the shell of Git for Windows, and it was not found. Nothing was run.',
        'Install Git for Windows so that `git` is on the PATH, then retry the job.',
      )
    : new UserError(
        'no-shell',
        'There is no shell at /bin/sh. Nothing was run.',
        'Install a POSIX shell, then retry the job.',
      );
}

function unixShell(bash: boolean, place: SearchPlace): Executable | undefined {
  return (bash ? findExecutable(['bash'], place) : undefined) ?? findExecutable(['/bin/sh', 'sh'], place);
}

function gitShell(bash: boolean, place: SearchPlace): Executable | undefined {
  const git = findExecutable(['git.exe'], place);
  if (git === undefined) return undefined;
  const folder = path.win32.dirname(git.path);
  // git.exe is in cmd\, bin\ or mingw64\bin\ of the installation; the shells are in its bin\ and usr\bin\.
  const roots = [path.win32.dirname(folder), path.win32.dirname(path.win32.dirname(folder))];
  const names = bash ? ['bash.exe', 'sh.exe'] : ['sh.exe', 'bash.exe'];
  return findExecutable(
    names.flatMap((name) =>
      roots.flatMap((root) => ['bin', 'usr\\bin'].map((bin) => path.win32.join(root, bin, name))),
    ),
    place,
  );
}

/** The fenced code blocks of a Markdown text (CommonMark 4.5), but for those inside an HTML comment (4.6). */
function fencedBlocks(markdown: string): Block[] {
  const lines = markdown.split(/\r\n|\r|\n/);
  const blocks: Block[] = [];
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? '';
    if (/^ {0,3}<!--/.test(line)) {
      while (at < lines.length && !(lines[at] ?? '').includes('-->')) at++;
      continue;
    }
    const [, indent = '', fence = '', info = ''] = OPENING.exec(line) ?? [];
    if (fence === '' || (fence.startsWith('`') && info.includes('`'))) continue;
    const from = at + 1;
    const closing = new RegExp(`^ {0,3}${fence.charAt(0)}{${fence.length},}[ \\t]*$`);
    // A fence that is never closed reaches to the end.
    for (at = from; at < lines.length && !closing.test(lines[at] ?? ''); ) at++;
    blocks.push({
      language: (/^[\w+-]+/.exec(info)?.[0] ?? '').toLowerCase(),
      line: from,
      code: lines.slice(from, at).map((text) => withoutIndent(text, indent.length)),
    });
  }
  return blocks;
}

function withoutIndent(line: string, most: number): string {
  const spaces = /^ */.exec(line)?.[0].length ?? 0;
  return line.slice(Math.min(spaces, most));
}
