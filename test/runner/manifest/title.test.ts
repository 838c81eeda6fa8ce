import assert from 'node:assert/strict';
import { LONGEST_TITLE, titleOf } from '../../../src/runner/manifest/title.ts';

describe('titleOf', () => {
  for (const [what, body, title] of [
    ['the first heading', 'Some text.\n\n## Faster *imports* ##\n# Later', 'Faster imports'],
    ['an underlined heading', 'Faster imports\r\n===\r\ntext', 'Faster imports'],
    ['an underlined heading below text', 'intro\n\nFaster\n---\n', 'Faster'],
    ['else the first line', '\n\n  Do this.\nAnd that.', 'Do this.'],
    ['no `#` in a code fence', '```sh\n# build\nmake\n```\n# Real', 'Real'],
    ['a fence closed only by its own kind', '~~~\n```\n# no\n~~~\n# Yes', 'Yes'],
    ['text before code', '```sh\nmake\n```\nBuild it', 'Build it'],
    ['code when there is nothing else', '```sh\n\nnpm test\n```\n', 'npm test'],
    ['no heading without a blank', '#hashtag first', '#hashtag first'],
    ['an empty heading skipped', '#\n##  ##\ntext\n# Named', 'Named'],
    [
      'links, images and code',
      '# See [the docs](http://x.y "t") ![alt](a.png) `x*y`',
      'See the docs alt x*y',
    ],
    ['list marks and tasks', '- [ ] **Fix** the __thing__', 'Fix the thing'],
    ['snake_case kept', '# Rename my_old_name and 2 * 3 * 4', 'Rename my_old_name and 2 * 3 * 4'],
    ['HTML', '<!-- note -->\n<b>Bold</b> move', 'Bold move'],
    ['escapes', '# 1\\. Not \\*this\\*', '1. Not *this*'],
    ['no rule as a title', '***\n\nAfter', 'After'],
    ['control and direction characters removed', '# a\u0007b\u202Ec\u001B[31m\td', 'abc[31m d'],
  ] as const) {
    it(`takes ${what}`, () => assert.equal(titleOf(body), title));
  }

  it('cuts at 120 characters', () => {
    const title = titleOf(`# ${'long '.repeat(60)}`);
    assert.ok(title.length <= LONGEST_TITLE && title.endsWith('…'));
  });

  it('falls back on the file name, then on words', () => {
    assert.equal(titleOf('\n```\n```\n', 'fix it.job.md'), 'fix it');
    assert.equal(titleOf(''), 'Untitled job');
  });

  it('is quick on a megabyte of one line, however nasty', () => {
    const started = performance.now();
    for (const piece of ['*', '[', '`', '<', '_a', '# ', '![](', '<!--', '- ', '\\', '#\n'])
      titleOf(piece.repeat(1e6 / piece.length));
    assert.ok(performance.now() - started < 5000);
  });
});
