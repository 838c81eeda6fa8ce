import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '../..');

/** What may be in the package, and nothing else. */
const ALLOWED = [
  /^dist\/[\w-]+\.js$/,
  /^l10n\/bundle\.l10n(\.[\w-]+)?\.json$/,
  /^media\/(walkthrough\/)?[\w-]+\.(svg|png|md)$/,
  /^package(\.nls(\.[\w-]+)?)?\.json$/,
  /^(changelog|readme)\.md$/,
  /^LICENSE\.txt$/,
];

/** The names in a zip archive, from its central directory (APPNOTE.TXT 4.3.12). */
function namesIn(archive: Buffer): string[] {
  const names: string[] = [];
  const signature = Buffer.from('PK\x01\x02');
  for (let at = archive.indexOf(signature); at !== -1; at = archive.indexOf(signature, at + 4)) {
    names.push(archive.subarray(at + 46, at + 46 + archive.readUInt16LE(at + 28)).toString());
  }
  return names;
}

describe('the package', () => {
  let files: string[];
  before(() => {
    const names = namesIn(readFileSync(path.join(ROOT, '.cache/agent-queue.vsix')));
    files = names
      .filter((name) => name.startsWith('extension/'))
      .map((name) => name.slice('extension/'.length));
  });

  it('holds only what the extension needs', () => {
    const strangers = files.filter((file) => !ALLOWED.some((allowed) => allowed.test(file)));
    assert.deepEqual(strangers, []);
  });

  it('holds what package.json points to', () => {
    const manifest = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as Record<
      string,
      unknown
    >;
    const pointers = JSON.stringify(manifest).match(/"(?:\.\/)?(?:dist|media)\/[^"]+"/g) ?? [];
    assert.ok(pointers.length > 0);
    const missing = pointers
      .map((pointer) => path.posix.normalize(JSON.parse(pointer) as string))
      .filter((file) => !files.includes(file));
    assert.deepEqual(missing, []);
    assert.ok(files.includes('dist/supervisor.js'));
    assert.ok(files.includes('package.nls.json'));
  });
});

describe('dist', () => {
  const imports = (file: string) =>
    [...readFileSync(file, 'utf8').matchAll(/(?:import|from)\s*"\.\/(chunk-[\w]+\.js)"/g)].map(
      ([, chunk = '']) => chunk,
    );

  it('has an entry under 20 KB, with all that it imports at once', () => {
    const folder = path.join(ROOT, 'dist');
    const seen = new Set<string>();
    const visit = (name: string): number => {
      if (seen.has(name)) return 0;
      seen.add(name);
      const file = path.join(folder, name);
      return imports(file).reduce((sum, chunk) => sum + visit(chunk), statSync(file).size);
    };
    const bytes = visit('extension.js');
    assert.ok(bytes < 20 * 1024, `${bytes} bytes`);
  });

  it('has a supervisor that stands alone', () => {
    const scratch = mkdtempSync(path.join(os.tmpdir(), 'aq-alone-'));
    try {
      const copy = path.join(scratch, 'supervisor.mjs');
      execFileSync('cp', [path.join(ROOT, 'dist/supervisor.js'), copy]);
      const { status, stderr } = spawnSync(process.execPath, [copy], { input: '', encoding: 'utf8' });
      assert.equal(status, 0, stderr);
    } finally {
      rmSync(scratch, { recursive: true });
    }
  });

  it('says under an old Node which one aq needs', () => {
    // An old Node is not at hand: the entry is run by this one, which is told that it is old.
    const scratch = mkdtempSync(path.join(os.tmpdir(), 'aq-old-'));
    try {
      execFileSync('cp', [path.join(ROOT, 'dist/cli.js'), path.join(scratch, 'cli.mjs')]);
      const pretend = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '18.0.0' } })`;
      const { status, stderr } = spawnSync(
        process.execPath,
        [
          '--import',
          `data:text/javascript,${encodeURIComponent(pretend)}`,
          path.join(scratch, 'cli.mjs'),
          '--version',
        ],
        { encoding: 'utf8' },
      );
      assert.match(stderr, /needs Node \d+\.\d+ or newer, and this is 18\.0\.0/);
      assert.notEqual(status, 0);
    } finally {
      rmSync(scratch, { recursive: true });
    }
  });
});
