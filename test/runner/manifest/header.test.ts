import assert from 'node:assert/strict';
import { readHeader } from '../../../src/runner/manifest/header.ts';
import { parseJob } from '../../../src/runner/manifest/parse.ts';
import { chance, FULL, mutate, VALID } from './samples.ts';

/** What parseJob says of the fields that a header has. */
function expected(text: string): object | undefined {
  const { job } = parseJob(text, { fileName: 'name.md' });
  if (job === undefined) return undefined;
  const { title, engine, lock, tracker, priority, needs, requires } = job;
  return {
    title,
    ...(engine === undefined ? {} : { engine }),
    ...(lock === undefined ? {} : { lock }),
    ...(tracker === undefined ? {} : { tracker }),
    priority,
    needs,
    requires,
    partial: false,
  };
}

describe('readHeader', () => {
  it('agrees with parseJob on valid files of every form', () => {
    for (const text of VALID)
      assert.deepEqual(readHeader(text, { fileName: 'name.md' }), expected(text), text);
  });

  it('agrees with parseJob on whatever mutation is still valid, and never throws on the others', function () {
    this.timeout(20_000);
    const next = chance(7);
    let valid = 0;
    for (let round = 0; round < 4000; round += 1) {
      const text = mutate(VALID[next(VALID.length)] ?? '', next);
      const header = readHeader(text, { fileName: 'name.md' });
      const wanted = expected(text);
      if (wanted === undefined) continue;
      valid += 1;
      assert.deepEqual(header, wanted, JSON.stringify(text));
    }
    assert.ok(valid > 1000, `${valid} valid ones`);
  });

  it('agrees with parseJob on plain values that only look special', () => {
    // biome-ignore format: one to a line says no more
    const values = [
      'a', 'a b', 'a  b', 'a: b', 'a:', 'a:b', 'a #b', 'a#b', '~', '~a', 'null', 'Null', 'true', '1e3',
      '.5', '"a"', '"a', "'a'", "'a''b'", '"a\\"b"', "'a # b'", '"a" # b', '"a"b', '[a]', '[a, b] # c',
      '[a,b]', '[a b]', '[]', '[ ]', '[,]', '[a,]', '[null]', '[~]', '["a"]', '[a: b]', '[a:b]', '{a: b}',
      '-', '- a', '-a', '?', '? a', '!a', '&a b', '*a', '|', '>', '%a', '@a', '`a`', 'a, b', 'a]', 'a}',
      '$(x)', '/a', '#a', 'https://github.com/a/b/issues/7', 'http://x.y', '', ' ', '\ta', 'a\t', 'a\t# b', '\u00A0', 'ä', '😀',
    ];
    const keys = ['title', 'engine', 'lock', 'tracker', 'priority', 'needs', 'requires', 'cwd', 'other'];
    for (const key of keys) {
      for (const value of values) {
        const text = `---\n${key}: ${value}\n---\nbody\n`;
        const wanted = expected(text);
        const header = readHeader(text, { fileName: 'name.md' });
        if (wanted !== undefined) assert.deepEqual(header, wanted, text);
      }
    }
  });

  it('says so when the front matter does not end in what was read', () => {
    const header = readHeader(FULL.slice(0, 200));
    assert.equal(header.partial, true);
    assert.equal(header.engine, 'claude');
    assert.equal(readHeader(FULL).partial, false);
  });

  it('gives the defaults for a file that is no valid job', () => {
    assert.deepEqual(readHeader('---\npriority: high\nneeds: [a b]\nlock: "\n---\n# Still a title\n'), {
      title: 'Still a title',
      priority: 5,
      needs: [],
      requires: [],
      partial: false,
    });
    assert.deepEqual(readHeader('', { fileName: 'x y.md' }).title, 'x y');
  });

  it('keeps the good fields beside a bad one', () => {
    const { engine, priority } = readHeader('---\nengine: claude\npriority: high\n---\nx');
    assert.deepEqual([engine, priority], ['claude', 5]);
  });
});
