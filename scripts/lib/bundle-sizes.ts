import type { Metafile } from 'esbuild';

type Outputs = Metafile['outputs'];

/** Bytes of a bundle together with every chunk that it imports statically, directly or not. */
export function eagerBytes(metafiles: readonly Metafile[], bundle: string): number {
  const outputs: Outputs = Object.assign({}, ...metafiles.map((metafile) => metafile.outputs));
  const seen = new Set<string>();
  const visit = (file: string): number => {
    const output = outputs[file];
    if (output === undefined || seen.has(file)) return 0;
    seen.add(file);
    const imported = output.imports.filter(({ kind }) => kind === 'import-statement');
    return imported.reduce((sum, { path }) => sum + visit(path), output.bytes);
  };
  return visit(bundle);
}

/** Chunks under this size (bytes) are counted together. */
const SMALL = 10 * 1024;

/** A table of the bundles, entries first, for people. */
export function sizeTable(metafiles: readonly Metafile[]): string {
  const bundles = metafiles
    .flatMap(({ outputs }) => Object.entries(outputs).map(([file, { bytes }]) => ({ file, bytes })))
    .filter(({ file }) => file.endsWith('.js'))
    .sort((a, b) => b.bytes - a.bytes);
  const chunks = bundles.filter(({ file }) => file.includes('/chunk-'));
  const small = chunks.filter(({ bytes }) => bytes < SMALL);
  const row = (name: string, bytes: number) => `${name.padEnd(28)}${kilobytes(bytes).padStart(10)}`;
  return [
    ...bundles
      .filter(({ file }) => !file.includes('/chunk-'))
      .map(
        ({ file, bytes }) =>
          `${row(file, bytes)}, ${kilobytes(eagerBytes(metafiles, file))} with what it imports at once`,
      ),
    ...chunks.filter(({ bytes }) => bytes >= SMALL).map(({ file, bytes }) => row(file, bytes)),
    row(
      `${small.length} smaller chunks`,
      small.reduce((sum, { bytes }) => sum + bytes, 0),
    ),
  ].join('\n');
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1024).toFixed(1)} KB`;
}
