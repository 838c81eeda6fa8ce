/**
 * `npm run build`: makes dist/ of the sources, minified. `npm run watch` (--watch) makes it readable, and again
 * after every change, until it is stopped.
 *
 * | bundle | what |
 * | --- | --- |
 * | extension.js | VS Code's entry; what it needs later is in chunks that it loads then |
 * | cli.js | `aq`; shares the chunks |
 * | supervisor.js | one file, because it is copied into the home and runs from there |
 */
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type BuildOptions, type BuildResult, context, type Plugin } from 'esbuild';
import { messageOf } from '../src/platform/errors.ts';
import { eagerBytes, sizeTable } from './lib/bundle-sizes.ts';

const ROOT = path.dirname(import.meta.dirname);
const DIST = path.join(ROOT, 'dist');

/** What VS Code reads at activation: the entry and what that imports at once (house.md, "Flag off means absent"). */
const ENTRY_LIMIT = 20 * 1024;

const COMMON = {
  absWorkingDir: ROOT,
  bundle: true,
  format: 'esm',
  platform: 'node',
  // cli.js must be read by an old Node to say there that it is too old; newer ones lose nothing by it.
  target: 'node18',
  external: ['vscode'],
  metafile: true,
  write: false,
  // CommonJS dependencies call require(), which a module does not have.
  banner: {
    js: "import { createRequire as createRequire_ } from 'node:module'; const require = createRequire_(import.meta.url);",
  },
} as const satisfies BuildOptions;

type Result = BuildResult<{ metafile: true; write: false }>;

async function build(watch: boolean): Promise<void> {
  // Source maps of a minified build are kept for reading users' stack traces; .vscodeignore leaves them out.
  const mode: BuildOptions = watch ? { sourcemap: 'linked' } : { minify: true, sourcemap: 'external' };
  const output = new Output(watch);
  const contexts = await Promise.all([
    context({
      ...COMMON,
      ...mode,
      entryPoints: { extension: 'src/extension.ts', cli: 'src/cli.ts' },
      outdir: 'dist',
      splitting: true,
      chunkNames: 'chunk-[hash]',
      plugins: [output.plugin('shared')],
    }),
    context({
      ...COMMON,
      ...mode,
      entryPoints: ['src/runner/supervisor/main.ts'],
      outfile: 'dist/supervisor.js',
      plugins: [output.plugin('supervisor')],
    }),
  ]);
  if (watch) {
    await Promise.all(contexts.map((each) => each.watch()));
    console.log('Watching the sources; Ctrl+C ends it.');
    return;
  }
  try {
    const results = await Promise.all(contexts.map((each) => each.rebuild()));
    const metafiles = results.flatMap((result) => (result.metafile === undefined ? [] : [result.metafile]));
    console.log(sizeTable(metafiles));
    const eager = eagerBytes(metafiles, 'dist/extension.js');
    if (eager > ENTRY_LIMIT) {
      throw new Error(
        `The extension's entry and what it imports at once are ${eager} bytes; ${ENTRY_LIMIT} are allowed. Load the rest with import() when it is first needed.`,
      );
    }
  } finally {
    await Promise.all(contexts.map((each) => each.dispose()));
  }
}

/**
 * Writes what the builds made, then removes what none of them makes any more: dist/ never lacks a file in
 * between, so that a program which runs from it goes on.
 */
class Output {
  readonly #watch: boolean;
  readonly #made = new Map<string, ReadonlySet<string>>();

  constructor(watch: boolean) {
    this.#watch = watch;
  }

  plugin(name: string): Plugin {
    return {
      name: `write ${name}`,
      setup: (build) => {
        build.onEnd(async (result) => {
          if (result.errors.length === 0) await this.#write(name, result);
        });
      },
    };
  }

  async #write(name: string, { outputFiles }: Result): Promise<void> {
    await mkdir(DIST, { recursive: true });
    for (const file of outputFiles) await writeFile(file.path, file.contents, { mode: 0o755 });
    this.#made.set(name, new Set(outputFiles.map((file) => path.basename(file.path))));
    if (this.#made.size < 2) return;
    const current = [...this.#made.values()].reduce((all, names) => all.union(names));
    for (const file of await readdir(DIST)) {
      if (!current.has(file)) await rm(path.join(DIST, file), { recursive: true });
    }
    if (this.#watch) console.log(`${new Date().toLocaleTimeString()} built ${name}`);
  }
}

try {
  await build(process.argv.includes('--watch'));
} catch (error) {
  // esbuild has printed what is wrong in the sources already.
  if (!(error instanceof Error && 'errors' in error)) console.error(messageOf(error));
  console.error('The build failed; dist/ is as it was, where it was not made anew.');
  process.exitCode = 1;
}
