/**
 * The real programs, from the npm registry: installed once into .cache/engines, without their install scripts and
 * apart from the project's dependencies. The versions are those that the recordings were made with.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

export interface Package {
  readonly name: string;
  /** Absent: the newest. */
  readonly version?: string;
}

export const PACKAGES = {
  claude: { name: '@anthropic-ai/claude-code', version: '2.1.332' },
  codex: { name: '@openai/codex', version: '0.169.0' },
  gemini: { name: '@google/gemini-cli', version: '0.61.0' },
  qwen: { name: '@qwen-code/qwen-code', version: '0.24.4' },
  opencode: { name: 'opencode-ai', version: '1.18.33' },
  copilot: { name: '@github/copilot', version: '1.0.102' },
  cline: { name: 'cline', version: '3.0.65' },
} as const satisfies Readonly<Record<string, Package>>;

const CACHE = path.resolve(import.meta.dirname, '../../.cache/engines');

/**
 * The program to start; installed first where it is missing, which takes some 200 MB of disk and a few seconds for
 * each. Where the package is only a loader, whose own install script would have put the program there, it is the
 * one of the platform's package. Undefined when it has none for this platform. @throws Error when npm fails
 */
export function installed(engine: string, spec: Package): string | undefined {
  const folder = path.join(CACHE, engine);
  const modules = path.join(folder, 'node_modules');
  const own = path.join(modules, ...spec.name.split('/'));
  const wanted = spec.version ?? 'latest';
  if (!existsSync(own) || (spec.version !== undefined && manifestOf(own).version !== spec.version)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, 'package.json'), '{"private":true}\n');
    console.log(`Installing ${spec.name} ${wanted} …`);
    const args = [
      'install',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
      `${spec.name}@${wanted}`,
    ];
    const { status } = spawnSync('npm', args, {
      cwd: folder,
      stdio: 'inherit',
      shell: process.platform === 'win32',
    });
    if (status !== 0) throw new Error(`npm could not install ${spec.name}@${wanted}.`);
  }
  return nativeProgram(modules, engine) ?? linkedProgram(modules, engine, own);
}

function nativeProgram(modules: string, engine: string): string | undefined {
  const packages = readdirSync(modules).flatMap((entry) =>
    entry.startsWith('@')
      ? readdirSync(path.join(modules, entry)).map((inner) => path.join(modules, entry, inner))
      : [path.join(modules, entry)],
  );
  const file = process.platform === 'win32' ? `${engine}.exe` : engine;
  const platform = `${process.platform}-${process.arch}`;
  for (const folder of packages.filter((folder) => folder.includes(platform)).sort()) {
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      if (entry.isFile() && entry.name === file) return path.join(entry.parentPath, entry.name);
    }
  }
  return undefined;
}

function linkedProgram(modules: string, engine: string, own: string): string | undefined {
  const link = path.join(modules, '.bin', process.platform === 'win32' ? `${engine}.cmd` : engine);
  return manifestOf(own).bin !== undefined && existsSync(link) ? link : undefined;
}

function manifestOf(folder: string): { readonly version?: string; readonly bin?: unknown } {
  return JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as {
    version?: string;
    bin?: unknown;
  };
}
