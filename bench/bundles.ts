/** The size of each bundle. */
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../test/vscode/packages.ts';
import { printTable } from './support.ts';

export function benchBundles(): Promise<void> {
  const dist = path.join(ROOT, 'dist');
  const sizes = readdirSync(dist)
    .filter((name) => name.endsWith('.js'))
    .map((name) => ({ name, size: statSync(path.join(dist, name)).size }));
  const entries = sizes.filter(({ name }) => !name.startsWith('chunk-'));
  const chunks = sizes.filter(({ name }) => name.startsWith('chunk-'));
  const row = (name: string, size: number) => [name, (size / 1024).toFixed(1)];
  printTable('Bundles (KB)', [
    ['', 'KB'],
    ...entries.map(({ name, size }) => row(name, size)),
    row(
      `${chunks.length} chunks, loaded when first needed`,
      chunks.reduce((sum, { size }) => sum + size, 0),
    ),
  ]);
  return Promise.resolve();
}
