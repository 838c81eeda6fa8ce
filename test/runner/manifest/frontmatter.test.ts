import assert from 'node:assert/strict';
import { splitFrontMatter } from '../../../src/runner/manifest/frontmatter.ts';
import { Lines, shorten } from '../../../src/runner/manifest/text.ts';

function split(text: string): { kind: string; yaml?: string; body?: string } {
  const front = splitFrontMatter(text);
  const cut = ({ start, end }: { start: number; end: number }) => text.slice(start, end);
  if (front.kind === 'closed') {
    assert.equal(cut(front.opening), '---');
    assert.equal(cut(front.closing), '---');
    return { kind: 'closed', yaml: cut(front.yaml), body: cut(front.body) };
  }
  return front.kind === 'none' ? { kind: 'none', body: cut(front.body) } : { kind: 'unclosed' };
}

describe('splitFrontMatter', () => {
  const closed = (yaml: string, body: string) => ({ kind: 'closed', yaml, body });
  for (const [what, text, expected] of [
    ['an ordinary file', '---\na: 1\n---\nbody\n', closed('a: 1\n', 'body\n')],
    ['CRLF', '---\r\na: 1\r\n---\r\nbody\r\n', closed('a: 1\r\n', 'body\r\n')],
    ['lone CR', '---\ra: 1\r---\rbody', closed('a: 1\r', 'body')],
    ['a byte order mark', '\uFEFF---\na: 1\n---\nb', closed('a: 1\n', 'b')],
    ['an empty front matter', '---\n---\nb', closed('', 'b')],
    ['blanks behind the delimiters', '--- \t\na: 1\n---  \nb', closed('a: 1\n', 'b')],
    ['`---` in the body', '---\na: 1\n---\nb\n---\nc', closed('a: 1\n', 'b\n---\nc')],
    ['a closing line at the very end', '---\na: 1\n---', closed('a: 1\n', '')],
    ['no front matter', '# Title\n---\nx', { kind: 'none', body: '# Title\n---\nx' }],
    ['four dashes', '----\na: 1\n---\n', { kind: 'none', body: '----\na: 1\n---\n' }],
    ['an empty file', '', { kind: 'none', body: '' }],
    ['only a byte order mark', '\uFEFF', { kind: 'none', body: '' }],
    ['no closing line', '---\na: 1\n', { kind: 'unclosed' }],
    ['an indented closing line', '---\na: 1\n ---\n', { kind: 'unclosed' }],
    ['a closing line with text', '---\na: 1\n--- x\n', { kind: 'unclosed' }],
    ['only the opening line', '---', { kind: 'unclosed' }],
  ] as const) {
    it(`splits ${what}`, () => assert.deepEqual(split(text), expected));
  }
});

describe('Lines', () => {
  it('counts lines as an editor does, whatever ends them, and UTF-16 units in a line', () => {
    const lines = new Lines('a\r\n😀b\rc\nd');
    const at = (offset: number) => lines.position(offset);
    assert.deepEqual(at(0), { line: 0, character: 0 });
    assert.deepEqual(at(5), { line: 1, character: 2 });
    assert.deepEqual(at(7), { line: 2, character: 0 });
    assert.deepEqual(at(9), { line: 3, character: 0 });
    assert.deepEqual(at(99), { line: 3, character: 1 });
  });

  it('does not count a byte order mark', () => {
    assert.deepEqual(new Lines('\uFEFFab').position(2), { line: 0, character: 1 });
  });
});

describe('shorten', () => {
  it('never cuts through a surrogate pair', () => {
    assert.equal(shorten('ab😀cd', 4), 'ab…');
    assert.equal(shorten('abcd', 4), 'abcd');
  });
});
