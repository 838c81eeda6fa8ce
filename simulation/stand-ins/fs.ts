/** `node:fs` on the disk of whichever simulated machine asks: the few synchronous calls that the product makes, which only look. */
import { type Directory, File, fail } from '../world/disk.ts';
import { currentProcess, here } from '../world/world.ts';
import { type Stats, statsOf } from './fs-stats.ts';

export const constants = { O_RDONLY: 0, F_OK: 0, R_OK: 4, W_OK: 2, X_OK: 1, COPYFILE_FICLONE: 2 };

function find(file: string): File | Directory | undefined {
  return here().machine.disk.find(file);
}

export function statSync(file: string, options?: { readonly throwIfNoEntry?: boolean }): Stats | undefined {
  const found = find(file);
  if (found === undefined) return options?.throwIfNoEntry === false ? undefined : fail('ENOENT', file);
  return statsOf(found);
}

export function existsSync(file: string): boolean {
  return find(file) !== undefined;
}

export function accessSync(file: string): void {
  if (find(file) === undefined) fail('ENOENT', file);
}

export function readFileSync(file: string): string {
  const found = find(file);
  return found instanceof File ? String(found.content) : fail('ENOENT', file);
}

export function mkdirSync(folder: string): void {
  const { disk } = here().machine;
  let at = '';
  for (const part of folder.split('/').filter((each) => each !== '')) {
    at = `${at}/${part}`;
    if (disk.find(at) === undefined) disk.makeDirectory(at, 0o700, here().machine.wall());
  }
}

const opened = new Map<number, File>();
let descriptors = 10;

export function openSync(file: string): number {
  const found = find(file);
  if (!(found instanceof File)) return fail('ENOENT', file);
  descriptors += 1;
  opened.set(descriptors, found);
  return descriptors;
}

export function readSync(
  descriptor: number,
  buffer: Buffer,
  offset: number,
  length: number,
  position: number,
): number {
  const content = Buffer.from((opened.get(descriptor) as File).content as string);
  return content.copy(buffer, offset, position, position + length);
}

export function closeSync(descriptor: number): void {
  opened.delete(descriptor);
}

export function readdirSync(folder: string): string[] {
  return [...here().machine.disk.directory(folder).entries.keys()];
}

/** How likely a watcher misses something, and how long it takes to tell, ms. */
const MISSES = 0.05;
const TELLS_WITHIN = 50;

interface Watch {
  readonly folder: string;
  readonly tell: (name: string) => void;
}

/** Tells soon, and not always. */
export function watch(folder: string, _options: unknown, listener: (event: string, name: string) => void) {
  const process = here();
  const { machine } = process;
  const { world } = machine;
  if (find(folder) === undefined) fail('ENOENT', folder);
  let pending = false;
  const own: Watch = {
    folder,
    tell: (name) => {
      if (pending || !process.isAlive || world.chance.happens(MISSES)) return;
      pending = true;
      world.later(
        world.chance.between(1, TELLS_WITHIN),
        () => {
          pending = false;
          listener('rename', name);
        },
        process,
      );
    },
  };
  const watches = watchesOf(machine.disk);
  watches.add(own);
  const close = () => void watches.delete(own);
  process.onEnd.add(close);
  return { on: () => undefined, close };
}

const watched = new WeakMap<object, Set<Watch>>();

function watchesOf(disk: ReturnType<typeof here>['machine']['disk']): Set<Watch> {
  const known = watched.get(disk);
  if (known !== undefined) return known;
  const made = new Set<Watch>();
  watched.set(disk, made);
  disk.watch = (folder, name) => {
    for (const each of made) if (each.folder === folder) each.tell(name);
  };
  return made;
}

/** For whoever imports it and never calls it here. */
export function createWriteStream(): never {
  throw new Error(`${currentProcess()?.title ?? ''}: no streams here`);
}

/** Its text as a whole: no file here is large. Fails as a stream does, when it is read. */
export async function* createReadStream(file: string): AsyncGenerator<string> {
  yield await here().effect(() => readFileSync(file));
}
