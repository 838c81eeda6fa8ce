/** `npm run package`: builds, and packs what .vscodeignore names into .cache/agent-queue.vsix. */
import { cpSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { execa } from 'execa';

const ROOT = path.dirname(import.meta.dirname);
const CACHE = path.join(ROOT, '.cache');

/**
 * vsce looks at every file under its folder before it asks .vscodeignore, and .cache holds tens of thousands:
 * it gets a folder with no more than what may go in.
 */
const STAGED = [
  ...['dist', 'l10n', 'media'],
  ...['package.json', 'package.nls.json', 'CHANGELOG.md', 'LICENSE', 'README.md', '.vscodeignore'],
];

const run = execa({ stdout: 'inherit', stderr: 'inherit', node: true, reject: false });

/** Returns the exit code of what failed, or 0. */
async function pack(): Promise<number> {
  const build = await run({ cwd: ROOT })('scripts/build.ts');
  if (build.exitCode !== 0) return build.exitCode ?? 1;

  const stage = path.join(CACHE, 'package');
  rmSync(stage, { recursive: true, force: true });
  mkdirSync(stage, { recursive: true });
  for (const name of STAGED) {
    const source = path.join(ROOT, name);
    if (existsSync(source)) cpSync(source, path.join(stage, name), { recursive: true });
  }
  // No repository is named yet, so links of the README stay as they are, and its pictures come with the package.
  const flags = ['--no-dependencies', '--allow-missing-repository', '--no-rewrite-relative-links'];
  const out = path.join(CACHE, 'agent-queue.vsix');
  const vsce = path.join(ROOT, 'node_modules/@vscode/vsce/vsce');
  const packed = await run({ cwd: stage })(vsce, ['package', ...flags, '--out', out]);
  return packed.exitCode ?? 1;
}

process.exitCode = await pack();
