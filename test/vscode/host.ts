import { copyFile, mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { exists, installPackages } from './packages.ts';

/** The oldest VS Code that package.json promises to run on. */
export const FLOOR = '1.115';
/** The newest VS Code that the registry has. */
export const NEWEST = '1.139';
export type HostVersion = typeof FLOOR | typeof NEWEST;

/** A VS Code server with its web workbench and the real Node extension host, ready to be started. */
export interface Host {
  readonly version: HostVersion;
  /** The Node that runs server and extension host: for the floor, the one of its time. */
  readonly node: string;
  /** The server's entry, a JavaScript file. */
  readonly main: string;
}

/**
 * Brings VS Code from the package registry (about half a gigabyte, once per lock file), or says at once where
 * it is. Throws where there is none for this platform: code-server is not made for Windows.
 */
export async function ensureHost(version: HostVersion = NEWEST): Promise<Host> {
  if (process.platform === 'win32') {
    throw new Error(
      'The registry has no VS Code for Windows. Set AQ_TEST_CODE to a Code.exe, and run this again.',
    );
  }
  const folder = await installPackages(`vscode-${version}`, linkModules);
  const main = path.join(folder, 'node_modules/code-server/lib/vscode/out/server-main.js');
  return { version, main, node: await nodeFor(version, folder) };
}

/** The floor's lock file brings the Node of its time; the newest VS Code runs on the Node that runs us. */
async function nodeFor(version: HostVersion, folder: string): Promise<string> {
  if (version === NEWEST) return process.execPath;
  const target = `${process.platform}-${process.arch}`;
  for (const name of [`node-${target}`, `node-bin-${target}`]) {
    const node = path.join(folder, 'node_modules', name, 'bin/node');
    if (await exists(node)) return node;
  }
  throw new Error(
    `The lock file of VS Code ${version} has no Node for ${target}. Add one to its package.json.`,
  );
}

/**
 * Without code-server's own postinstall the server, the page and the built-in extensions do not find their
 * modules: all of them get this folder's. Native modules without prebuilt binaries get a stand-in.
 */
async function linkModules(folder: string): Promise<void> {
  const modules = path.join(folder, 'node_modules');
  const vscode = path.join(modules, 'code-server/lib/vscode');
  for (const place of [vscode, path.join(vscode, 'extensions')]) {
    await rm(path.join(place, 'node_modules'), { recursive: true, force: true });
    await symlink(path.relative(place, modules), path.join(place, 'node_modules'));
  }
  const shims = path.join(import.meta.dirname, 'shims');
  for (const file of await readdir(shims)) {
    const name = path.basename(file, '.cjs');
    const target = path.join(modules, '@vscode', name);
    await mkdir(target, { recursive: true });
    await copyFile(path.join(shims, file), path.join(target, 'index.cjs'));
    await writeFile(
      path.join(target, 'package.json'),
      JSON.stringify({ name: `@vscode/${name}`, version: '0.0.0', main: 'index.cjs' }),
    );
  }
}
