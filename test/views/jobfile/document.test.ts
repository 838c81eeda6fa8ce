import assert from 'node:assert/strict';
import path from 'node:path';
import { isJobDocument, stageOfFile } from '../../../src/views/jobfile/document.ts';

const HOME = path.resolve('/home/me/agent queue');
const inHome = (...parts: string[]) => path.join(HOME, ...parts);

describe('isJobDocument', () => {
  for (const [what, file, text, expected] of [
    ['any file of the inbox', inHome('inbox', 'x.md'), 'no front matter', true],
    ['a file of another stage', inHome('dead_letter', 'x.md'), '', true],
    ['a file elsewhere in the home', inHome('runs', 'x', 'prompt.md'), '# x', false],
    ['a folder that only begins like a stage', inHome('inbox-old', 'x.md'), '# x', false],
    ['a folder inside a stage', inHome('inbox', 'sub', 'x.md'), '# x', false],
    ['a log in a stage', inHome('inbox', 'x.txt'), '', false],
    ['a `.job.md` anywhere', '/tmp/fix.job.md', '', true],
    ['a README', '/tmp/README.md', '# engine: x\n', false],
    ['a text whose front matter names an engine', 'Untitled-1', '---\nengine: claude\n---\nx', true],
    ['one that is being written', 'Untitled-1', '---\r\ncwd: x\r\nengine:', true],
    ['a page of a website', '/tmp/page.md', '---\nlayout: x\nsearch:\n  engine: y\n---\nengine: z', false],
    ['a rule and a text', '/tmp/page.md', '---\n---\nengine: z', false],
  ] as const) {
    it(`${expected ? 'takes' : 'does not take'} ${what}`, () =>
      assert.equal(isJobDocument(file, text, HOME), expected));
  }
});

describe('stageOfFile', () => {
  it('names the stage of a folder', () => {
    assert.equal(stageOfFile(inHome('inbox', 'x.md'), HOME), 'queued');
    assert.equal(stageOfFile(inHome('review', 'x.md'), HOME), 'review');
    assert.equal(stageOfFile('/tmp/inbox/x.md', HOME), undefined);
    assert.equal(stageOfFile(inHome('x.md'), HOME), undefined);
  });
});
