/** `aq` as a real process: bundled, as it is shipped, which also starts five times as fast as the sources do. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { buildSync } from 'esbuild';
import { environment } from '../runner/support/scratch.ts';

const CLI = bundle();

function bundle(): string {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'aq-cli-bundle-'));
  process.on('exit', () => rmSync(dir, { recursive: true, force: true }));
  const source = path.resolve(import.meta.dirname, '../../src');
  buildSync({
    entryPoints: {
      cli: path.join(source, 'cli.ts'),
      supervisor: path.join(source, 'runner/supervisor/main.ts'),
    },
    outdir: dir,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node22',
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
  });
  writeFileSync(path.join(dir, 'package.json'), '{"type":"module"}');
  return path.join(dir, 'cli.js');
}

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface AqOptions {
  readonly cwd?: string;
  readonly input?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** Starts it; `ended` resolves with what it printed. */
export function start(
  home: string,
  args: readonly string[],
  options: AqOptions = {},
): { child: ChildProcess; ended: Promise<Outcome> } {
  const { cwd = '/', input = '', env = {} } = options;
  const child = spawn(process.execPath, [CLI, ...args], {
    cwd,
    env: environment({ AQ_HOME: home, ...env }),
    stdio: 'pipe',
  });
  child.stdin.end(input);
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  const ended = (async () => {
    const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), exited]);
    return { code, stdout, stderr };
  })();
  return { child, ended };
}

/** Runs it to its end. */
export function aq(home: string, args: readonly string[], options?: AqOptions): Promise<Outcome> {
  return start(home, args, options).ended;
}
