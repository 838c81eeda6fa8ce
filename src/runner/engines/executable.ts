/**
 * Finds programs on the PATH, without running anything (no `which`, no shell), and says how each is started.
 *
 * On Windows npm installs a program as a `.cmd` file. Node refuses to start those without a shell, and a shell
 * would give the arguments a second meaning, so the file is read and what it starts is started instead.
 */
import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import path from 'node:path';

/** A program as `spawn` starts it without a shell: `command`, then `args`, then one's own arguments. */
export interface Executable {
  /** The file that was found, absolute. */
  readonly path: string;
  readonly command: string;
  readonly args: readonly string[];
}

export interface SearchPlace {
  readonly env: Readonly<NodeJS.ProcessEnv>;
  readonly platform: NodeJS.Platform;
}

const SHIM_LIMIT = 64 * 1024;

/** This process's own PATH and platform. */
export function thisPlace(): SearchPlace {
  return { env: process.env, platform: process.platform };
}

/**
 * The first of `names` that is an absolute path of a program, or is found on the PATH. Some `stat` calls; keep the
 * answer only briefly, for people install and update programs. A relative entry of the PATH is not searched:
 * it would mean whatever repository happens to be the working directory.
 */
export function findExecutable(
  names: readonly string[],
  place: SearchPlace = thisPlace(),
): Executable | undefined {
  const { env, platform } = place;
  const lib = platform === 'win32' ? path.win32 : path.posix;
  const folders = searchPath(env, platform).filter((folder) => lib.isAbsolute(folder));
  for (const name of names) {
    if (lib.isAbsolute(name)) {
      const found = startable(name, place);
      if (found !== undefined) return found;
    } else if (!/[\\/]/.test(name)) {
      for (const folder of folders) {
        for (const suffix of suffixes(name, env, platform)) {
          const found = startable(lib.join(folder, name + suffix), place);
          if (found !== undefined) return found;
        }
      }
    }
  }
  return undefined;
}

/** A variable of an environment by name; Windows has them in any case (`Path`). */
export function variable(
  env: Readonly<NodeJS.ProcessEnv>,
  name: string,
  platform: NodeJS.Platform,
): string | undefined {
  if (platform !== 'win32') return env[name];
  const key = Object.keys(env).find((key) => key.toUpperCase() === name.toUpperCase());
  return key === undefined ? undefined : env[key];
}

function searchPath(env: Readonly<NodeJS.ProcessEnv>, platform: NodeJS.Platform): string[] {
  const value = variable(env, 'PATH', platform) ?? '';
  if (platform !== 'win32') return value.split(':');
  return value.split(';').map((folder) => folder.replace(/^"(.*)"$/, '$1'));
}

function suffixes(name: string, env: Readonly<NodeJS.ProcessEnv>, platform: NodeJS.Platform): string[] {
  if (platform !== 'win32') return [''];
  const known = (variable(env, 'PATHEXT', platform) ?? '.COM;.EXE;.BAT;.CMD').split(';').filter(Boolean);
  const hasOne = known.some((suffix) => name.toUpperCase().endsWith(suffix.toUpperCase()));
  return hasOne ? [''] : known.map((suffix) => suffix.toLowerCase());
}

function startable(file: string, place: SearchPlace): Executable | undefined {
  if (!isProgram(file, place.platform)) return undefined;
  if (place.platform === 'win32' && /\.(cmd|bat)$/i.test(file)) return behindShim(file, place);
  return { path: file, command: file, args: [] };
}

function isProgram(file: string, platform: NodeJS.Platform): boolean {
  try {
    if (!statSync(file).isFile()) return false;
    if (platform !== 'win32') accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function behindShim(file: string, place: SearchPlace): Executable | undefined {
  if (statSync(file).size > SHIM_LIMIT) return undefined;
  const target = shimTarget(readFileSync(file, 'utf8'));
  if (target === undefined) return undefined;
  const script = path.win32.join(path.win32.dirname(file), target);
  if (/\.exe$/i.test(script)) return { path: file, command: script, args: [] };
  const node = findExecutable([path.win32.join(path.win32.dirname(file), 'node.exe'), 'node.exe'], place);
  return node === undefined ? undefined : { path: file, command: node.command, args: [script] };
}

/**
 * What an npm shim starts, relative to its own folder: an `.exe`, or a script for Node. Undefined for any other
 * batch file, which then counts as not found.
 */
export function shimTarget(text: string): string | undefined {
  return /"%(?:~dp0|dp0%)\\([^"%]+\.(?:exe|js|cjs|mjs))"\s+%\*/i.exec(text)?.[1];
}
