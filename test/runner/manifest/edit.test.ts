import assert from 'node:assert/strict';
import { UserError } from '../../../src/platform/errors.ts';
import { setFrontMatterValue } from '../../../src/runner/manifest/edit.ts';
import { parseJob } from '../../../src/runner/manifest/parse.ts';
import { newJobTemplate } from '../../../src/runner/manifest/template.ts';
import { VALID } from './samples.ts';

describe('setFrontMatterValue', () => {
  for (const [what, before, after] of [
    [
      'replaces a value and keeps its comment',
      '---\npriority: 5   # mine\nlock: x\n---\nb',
      '---\npriority: 9   # mine\nlock: x\n---\nb',
    ],
    ['replaces a quoted value', '---\npriority: "5"\n---\nb', '---\npriority: 9\n---\nb'],
    ['fills in an empty value', '---\npriority:\nlock: x\n---\nb', '---\npriority: 9\nlock: x\n---\nb'],
    [
      'fills in an empty value before a comment',
      '---\npriority: # ?\n---\nb',
      '---\npriority: 9 # ?\n---\nb',
    ],
    [
      'replaces one that spans lines',
      '---\npriority: >\n  5\nlock: x\n---\nb',
      '---\npriority: 9\nlock: x\n---\nb',
    ],
    [
      'adds the key as the last one',
      '---\n# why\nlock: x # y\n---\nb',
      '---\n# why\nlock: x # y\npriority: 9\n---\nb',
    ],
    ['adds it as indented as the others', '---\n  lock: x\n---\nb', '---\n  lock: x\n  priority: 9\n---\nb'],
    [
      'adds it behind a text of several lines',
      '---\nsetup: |\n  a\n  b\n---\nb',
      '---\nsetup: |\n  a\n  b\npriority: 9\n---\nb',
    ],
    ['adds it to an empty front matter', '---\n---\nb', '---\npriority: 9\n---\nb'],
    ['adds a front matter', '# Do it\n', '---\npriority: 9\n---\n# Do it\n'],
    [
      'keeps CRLF and the byte order mark',
      '\uFEFF---\r\nlock: x\r\n---\r\nb',
      '\uFEFF---\r\nlock: x\r\npriority: 9\r\n---\r\nb',
    ],
    ['keeps a flow map', '---\n{priority: 5, lock: x}\n---\nb', '---\n{priority: 9, lock: x}\n---\nb'],
    [
      'works beside a bad value',
      '---\ntimeout: abc\npriority: 5\n---\nb',
      '---\ntimeout: abc\npriority: 9\n---\nb',
    ],
  ] as const) {
    it(what, () => assert.equal(setFrontMatterValue(before, 'priority', 9), after));
  }

  it('puts text in quotes where YAML needs them, and reads it back', () => {
    for (const title of [
      'Plain',
      'Fix: it',
      '# x',
      '- a',
      "it's",
      '"q"',
      'null',
      '5',
      'a #b',
      '@x',
      'tab\\t',
      '😀',
    ]) {
      const edited = setFrontMatterValue('---\nengine: claude\n---\nb', 'title', title);
      assert.equal(parseJob(edited).job?.title, title, edited);
    }
  });

  it('changes nothing else in any valid file', () => {
    for (const text of VALID) {
      const was = parseJob(text).job;
      let edited: string;
      try {
        edited = setFrontMatterValue(text, 'priority', 2);
      } catch {
        assert.match(text, /^---\n\{/);
        continue;
      }
      assert.deepEqual(parseJob(edited).job, { ...was, priority: 2 });
      assert.equal(parseJob(edited).body, parseJob(text).body);
    }
  });

  it('refuses in words, and changes nothing, when the front matter cannot be read', () => {
    for (const text of [
      '---\npriority: 5\n',
      '---\npriority: "\n---\nb',
      '---\npriority: 1\npriority: 2\n  x\n---\nb',
      '---\n{lock: x}\n---\nb',
    ]) {
      assert.throws(
        () => setFrontMatterValue(text, 'priority', 9),
        (error) => error instanceof UserError && error.code === 'front-matter-unreadable',
        text,
      );
    }
  });

  it('refuses a value that the key does not take', () => {
    assert.throws(
      () => setFrontMatterValue('b', 'priority', 10),
      /priority: expected a whole number from 0 to 9/,
    );
  });
});

describe('newJobTemplate', () => {
  it('is a valid job', () => {
    for (const engine of ['claude', 'shell']) {
      const { job, body, diagnostics } = parseJob(newJobTemplate({ engine, cwd: '~/code' }));
      assert.deepEqual(diagnostics, []);
      assert.equal(job?.engine, engine);
      assert.equal(job.cwd, '~/code');
      assert.equal(/^```sh$/m.test(body), engine === 'shell');
    }
  });
});
