/**
 * Puts the simulated machine beneath the product: whatever a module of `src/` imports of the outside world (Node's
 * files, locks, git, HTTP, supervisors, randomness) it gets from `stand-ins/` instead. The product itself is loaded as
 * it is, and knows nothing of it: there is no switch in it that a mistake could leave on.
 *
 * A variant (variants.ts) is the same product with one rule broken on purpose: some words of its source are replaced
 * while it is loaded. One whose words are no longer there fails, so that none stops testing anything unnoticed.
 */
import { registerHooks } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { installGlobals } from './stand-ins/globals.ts';

export interface Mutation {
  /** Beneath `src/`. */
  readonly file: string;
  /** Each has to be there exactly once. */
  readonly replace: readonly (readonly [from: string, to: string])[];
}

const SRC = path.resolve(import.meta.dirname, '../src');
const STAND_INS = path.join(import.meta.dirname, 'stand-ins');

const BUILT_IN: Readonly<Record<string, string>> = {
  'node:fs': 'fs.ts',
  'node:fs/promises': 'fs-promises.ts',
  'node:crypto': 'crypto.ts',
  'node:os': 'os.ts',
};

const WORKSPACE = 'worktrees release checkpoint changes include repository checkouts'.split(' ');
const SUPERVISOR = 'launcher watch records install'.split(' ');

/** By path beneath `src/`. */
const MODULES: Readonly<Record<string, string>> = {
  'platform/lock.ts': 'lock.ts',
  'platform/undici.ts': 'undici.ts',
  'platform/processes/pid.ts': 'processes.ts',
  'platform/git/git.ts': 'git.ts',
  'runner/shortages.ts': 'shortages.ts',
  ...Object.fromEntries(WORKSPACE.map((name) => [`runner/workspace/${name}.ts`, 'workspace.ts'])),
  ...Object.fromEntries(SUPERVISOR.map((name) => [`runner/supervisor/${name}.ts`, 'supervisor.ts'])),
};

/** What modules keep in variables belongs to a process; here several share the modules. */
const PROCESS_LOCAL: Mutation = {
  file: 'runner/turns.ts',
  replace: [
    ['= new Map<string, Promise<unknown>>();', "= globalThis[Symbol.for('aq.simulation.local')]('turns');"],
  ],
};

/** Before anything of `src/` is loaded in this thread. */
export function interpose(mutation?: Mutation): void {
  installGlobals();
  const mutations = [PROCESS_LOCAL, ...(mutation === undefined ? [] : [mutation])];
  registerHooks({
    resolve(specifier, context, next) {
      const builtIn = BUILT_IN[specifier];
      if (isOfProduct(context.parentURL)) {
        if (builtIn !== undefined) return standIn(builtIn);
        const found = next(specifier, context);
        const module = isOfProduct(found.url) ? MODULES[nameOf(found.url)] : undefined;
        return module === undefined ? found : standIn(module);
      }
      return next(specifier, context);
    },
    load(url, context, next) {
      const loaded = next(url, context);
      const own = isOfProduct(url) ? mutations.filter(({ file }) => file === nameOf(url)) : [];
      return own.length === 0
        ? loaded
        : { ...loaded, source: own.reduce(mutated, (loaded.source as Buffer).toString()) };
    },
  });
}

function mutated(source: string, { file, replace }: Mutation): string {
  return replace.reduce((text, [from, to]) => {
    if (text.split(from).length !== 2)
      throw new Error(
        `src/${file} has not exactly one “${from}”: the variant that replaces it has to be renewed.`,
      );
    return text.replace(from, () => to);
  }, source);
}

function standIn(file: string): { url: string; shortCircuit: true } {
  return { url: pathToFileURL(path.join(STAND_INS, file)).href, shortCircuit: true };
}

function isOfProduct(url: string | undefined): boolean {
  return url !== undefined && url.startsWith('file:') && fileURLToPath(url).startsWith(SRC + path.sep);
}

function nameOf(url: string): string {
  return path.relative(SRC, fileURLToPath(url)).split(path.sep).join('/');
}
