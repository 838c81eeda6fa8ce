/**
 * Which engines are on this machine, and in which versions. Finding is a few `stat` calls; a version is asked of
 * the program itself, which takes up to seconds, so nothing here runs unless called, and answers are remembered
 * for as long as the program's file stays as it is.
 */
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { readIfThere, writeDurable } from '../../platform/files.ts';
import { SHELL_ENGINE } from './builtin.ts';
import type { EngineDescriptor } from './descriptor.ts';
import { engineEnvironment } from './environment.ts';
import { type Executable, findExecutable, type SearchPlace, thisPlace } from './executable.ts';
import { findShell } from './shell.ts';

export type DetectedEngine =
  | {
      readonly name: string;
      readonly found: true;
      readonly executable: Executable;
      /** Undefined where the program gave no version, or not in time. */
      readonly version: string | undefined;
    }
  | { readonly name: string; readonly found: false };

export interface DetectOptions extends Partial<SearchPlace> {
  /** A small JSON file that keeps the versions between processes; made when missing, ignored when unreadable. */
  readonly cacheFile?: string;
  /** How long a program may take to say its version, in ms. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

const VERSION_TIMEOUT_MS = 5000;
const AT_ONCE = 2;
/** Of what a program prints, in characters, for each of its two streams. */
const MAX_OUTPUT = 64 * 1024;

/** Where an engine's program is now; `shell` is found where a shell is. No process is run. */
export function findEngine(
  descriptor: EngineDescriptor,
  place: SearchPlace = thisPlace(),
): Executable | undefined {
  if (descriptor.name !== SHELL_ENGINE) return findExecutable(descriptor.executable, place);
  try {
    return findShell({ bash: false }, place);
  } catch {
    return undefined;
  }
}

/**
 * Looks for every engine and asks each that was found for its version, two at a time, in an empty scratch HOME,
 * without credentials and without standard input. Never fails because of a program: one that hangs, crashes or
 * prints no version is found, without version.
 */
export async function detectEngines(
  descriptors: Iterable<EngineDescriptor>,
  options: DetectOptions = {},
): Promise<DetectedEngine[]> {
  const place = { ...thisPlace(), ...options };
  const cache = await openCache(options.cacheFile);
  const waiting = [...descriptors].map((descriptor, index) => ({ descriptor, index }));
  const detected: DetectedEngine[] = [];
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      options.signal?.throwIfAborted();
      const { descriptor, index } = next;
      const executable = findEngine(descriptor, place);
      detected[index] =
        executable === undefined
          ? { name: descriptor.name, found: false }
          : {
              name: descriptor.name,
              found: true,
              executable,
              version: await versionOf(descriptor, executable),
            };
    }
  };
  const versionOf = async (descriptor: EngineDescriptor, executable: Executable) => {
    if (descriptor.versionArgs.length === 0) return undefined;
    const key = await fingerprint(executable, descriptor.versionArgs);
    const known = key === undefined ? undefined : cache.get(key);
    if (known !== undefined) return known;
    const version = await askVersion(descriptor, executable, place, options);
    if (key !== undefined && version !== undefined) cache.set(key, version);
    return version;
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  await cache.save();
  return detected;
}

/** The first thing in a program's output that looks like a version. */
export function versionIn(output: string): string | undefined {
  return /(?<![\d.])\d+\.\d+(?:\.\d+)*(?:-[0-9A-Za-z.-]+)?/.exec(output.slice(0, MAX_OUTPUT))?.[0];
}

async function askVersion(
  descriptor: EngineDescriptor,
  executable: Executable,
  place: SearchPlace,
  options: DetectOptions,
): Promise<string | undefined> {
  // Loaded here because loading it takes longer than finding every engine.
  const { execa } = await import('execa');
  const home = await mkdtemp(path.join(os.tmpdir(), 'agent-queue-version-'));
  try {
    const { stdout, stderr, exitCode } = await execa(
      executable.command,
      [...executable.args, ...descriptor.versionArgs],
      {
        cwd: home,
        env: engineEnvironment(place.env, {}, await scratchHome(home), place.platform),
        extendEnv: false,
        stdin: 'ignore',
        reject: false,
        timeout: options.timeoutMs ?? VERSION_TIMEOUT_MS,
        forceKillAfterDelay: 500,
        killDescendants: true,
        maxBuffer: MAX_OUTPUT,
        ...(options.signal && { cancelSignal: options.signal }),
      },
    );
    return exitCode === 0 ? (versionIn(stdout) ?? versionIn(stderr)) : undefined;
  } finally {
    // What the program left running there may still write; the system clears its temporary folder in time.
    await rm(home, { recursive: true, force: true, maxRetries: 3 }).catch(() => undefined);
  }
}

async function scratchHome(home: string): Promise<Record<string, string>> {
  const temporary = path.join(home, 'tmp');
  await mkdir(temporary);
  return {
    HOME: home,
    USERPROFILE: home,
    APPDATA: path.join(home, 'AppData', 'Roaming'),
    LOCALAPPDATA: path.join(home, 'AppData', 'Local'),
    XDG_CONFIG_HOME: path.join(home, '.config'),
    XDG_CACHE_HOME: path.join(home, '.cache'),
    XDG_DATA_HOME: path.join(home, '.local', 'share'),
    XDG_STATE_HOME: path.join(home, '.local', 'state'),
    XDG_RUNTIME_DIR: temporary,
    TMPDIR: temporary,
    TMP: temporary,
    TEMP: temporary,
  };
}

/** Changes when the program's file, or (behind links) what it is, changes. */
async function fingerprint(
  executable: Executable,
  versionArgs: readonly string[],
): Promise<string | undefined> {
  try {
    const { mtimeMs, size } = await stat(executable.args[0] ?? executable.command);
    return JSON.stringify([executable.path, mtimeMs, size, ...versionArgs]);
  } catch {
    return undefined;
  }
}

interface VersionCache {
  get(key: string): string | undefined;
  set(key: string, version: string): void;
  save(): Promise<void>;
}

const inMemory = new Map<string, string>();

async function openCache(file: string | undefined): Promise<VersionCache> {
  const kept = file === undefined ? new Map<string, string>() : await readVersions(file);
  let changed = false;
  return {
    get: (key) => inMemory.get(key) ?? kept.get(key),
    set: (key, version) => {
      inMemory.set(key, version);
      // Of one program only the newest file is kept, so that the cache does not grow with every update.
      const [program] = JSON.parse(key) as [string];
      for (const old of kept.keys()) {
        if ((JSON.parse(old) as [string])[0] === program) kept.delete(old);
      }
      kept.set(key, version);
      changed = true;
    },
    save: async () => {
      // A cache that can't be written costs the next process some seconds, and nothing else.
      if (file !== undefined && changed) {
        await writeDurable(file, `${JSON.stringify(Object.fromEntries(kept), null, 1)}\n`).catch(
          () => undefined,
        );
      }
    },
  };
}

async function readVersions(file: string): Promise<Map<string, string>> {
  try {
    const entries = Object.entries(JSON.parse((await readIfThere(file)) ?? '{}') as object);
    return new Map(
      entries.filter(([key, version]) => {
        return typeof version === 'string' && Array.isArray(JSON.parse(key));
      }),
    );
  } catch {
    return new Map();
  }
}
