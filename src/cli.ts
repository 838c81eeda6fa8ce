#!/usr/bin/env node
/** `aq`: sees to a Node that is new enough, then hands over to cli/main.ts. Must run on old ones too. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** What the libraries of the core need. */
const NEEDED = [22, 19] as const;

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1])) {
  const { main } = await import('./cli/main.ts');
  process.exitCode = await main(process.argv.slice(2));
} else {
  process.exitCode = runUnderOwnNode();
}

/** The Node that comes with the project's dependencies, when `aq` is run from a clone. */
function runUnderOwnNode(): number {
  const here = path.dirname(fileURLToPath(import.meta.url));
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  for (const name of [`node-${platform}-${process.arch}`, `node-bin-${platform}-${process.arch}`]) {
    const file = path.join(here, '..', 'node_modules', name, 'bin', platform === 'win' ? 'node.exe' : 'node');
    if (!existsSync(file)) continue;
    const child = spawnSync(file, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
      stdio: 'inherit',
    });
    return child.status ?? 1;
  }
  console.error(
    `aq needs Node ${NEEDED.join('.')} or newer, and this is ${process.versions.node}. Nothing was done. Install a newer Node, then run it again.`,
  );
  return 69;
}
