/** `aq` and its supervisor as bundles in a folder of their own; broken on purpose, where a test wants to see that found. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { build as bundle, type Plugin } from 'esbuild';

const ROOT = path.resolve(import.meta.dirname, '../..');

/** One place in the sources, as it is and as it is to be. */
export interface Mutation {
  /** From the project's root. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

export interface Programs {
  /** The bundle of `aq`. */
  readonly cli: string;
  remove(): void;
}

/** @throws Error when a mutation's `from` is not exactly once in its file: the sources have changed, and so must it */
export async function makePrograms(mutations: readonly Mutation[] = []): Promise<Programs> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'aq-chaos-programs-'));
  await bundle({
    absWorkingDir: ROOT,
    entryPoints: { cli: 'src/cli.ts', supervisor: 'src/runner/supervisor/main.ts' },
    outdir: folder,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node22',
    logLevel: 'silent',
    plugins: [mutating(mutations)],
    banner: {
      js: "import { createRequire as createRequire_ } from 'node:module'; const require = createRequire_(import.meta.url);",
    },
  });
  writeFileSync(path.join(folder, 'package.json'), '{"type":"module"}');
  const remove = () => rmSync(folder, { recursive: true, force: true });
  return { cli: path.join(folder, 'cli.js'), remove };
}

function mutating(mutations: readonly Mutation[]): Plugin {
  const changed = new Map<string, string>();
  for (const { file, from, to } of mutations) {
    const whole = path.join(ROOT, file);
    const parts = (changed.get(whole) ?? readFileSync(whole, 'utf8')).split(from);
    if (parts.length !== 2)
      throw new Error(`${file} holds this ${parts.length - 1} times, not once: ${from}`);
    changed.set(whole, parts.join(to));
  }
  return {
    name: 'mutations',
    setup: (build) => {
      build.onLoad({ filter: /\.ts$/ }, ({ path: file }) => {
        const contents = changed.get(file);
        return contents === undefined ? undefined : { contents, loader: 'ts' };
      });
    },
  };
}
