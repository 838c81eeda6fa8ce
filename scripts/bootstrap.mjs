// `node scripts/bootstrap.mjs SCRIPT.ts [args]`: what `npm start`, `npm test` and the like run through on a
// fresh clone. Installs the dependencies of the lock file once, then runs SCRIPT under Node 24 or newer
// (the one on the machine, else the one that the dependencies bring). Plain JavaScript, for any Node >= 20.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import path from 'node:path';

const root = path.dirname(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname));
const windows = process.platform === 'win32';

/** Brings node_modules to what the lock file says, or does nothing when a stamp says that it is. */
function installOnce() {
  const lock = createHash('sha256').update(readFileSync(path.join(root, 'package-lock.json')));
  const want = lock.update(`${process.platform} ${process.arch}`).digest('hex');
  const stamp = path.join(root, 'node_modules', '.agent-queue-lock');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === want) return;
  console.log('Installing dependencies (once per lock file) …');
  const npm = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: windows,
  });
  if (npm.status !== 0) {
    console.error(
      'npm ci failed. Nothing was started. Look at its message above, mend it, and run this again.',
    );
    process.exit(npm.status ?? 1);
  }
  mkdirSync(path.dirname(stamp), { recursive: true });
  writeFileSync(stamp, want);
}

/** The Node that can run TypeScript as it stands. */
function modernNode() {
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath;
  const own = path.join(root, 'node_modules', '.bin', windows ? 'node.cmd' : 'node');
  if (existsSync(own)) {
    const target = readPackagedNode();
    if (target !== undefined) return target;
  }
  console.error(
    `Node ${process.versions.node} is too old to develop Agent Queue, and no newer one came with the dependencies for ${process.platform} ${process.arch}. Install Node 24 or newer, then run this again.`,
  );
  process.exit(1);
}

function readPackagedNode() {
  for (const name of [
    `node-${windows ? 'win' : process.platform}-${process.arch}`,
    `node-bin-${process.platform}-${process.arch}`,
  ]) {
    const file = path.join(root, 'node_modules', name, 'bin', windows ? 'node.exe' : 'node');
    if (existsSync(file)) return file;
  }
  return undefined;
}

installOnce();
const [script, ...args] = process.argv.slice(2);
const node = modernNode();
const env = { ...process.env, PATH: `${path.dirname(node)}${path.delimiter}${process.env.PATH ?? ''}` };
const child = spawn(node, [path.join(root, script), ...args], { stdio: 'inherit', env });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => {
  process.exitCode = signal === null ? (code ?? 1) : 128 + (constants.signals[signal] ?? 0);
});
