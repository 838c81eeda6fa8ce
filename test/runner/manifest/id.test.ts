import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { jobIdFor } from '../../../src/runner/manifest/id.ts';

const LEGAL = /^[a-z0-9][a-z0-9._-]{0,127}$/;
const NASTY = [
  'fix imports.md',
  'Fix\nimports\t"now".md',
  "it's `done`.md",
  '..',
  '../../etc/passwd',
  'a..b.md',
  '.hidden.md',
  'x.lock',
  'x.lock.md',
  'x.lock.lock.md',
  'trailing.',
  'CON.md',
  'nul',
  'com1.txt',
  'LPT9.tar.md',
  '🎉🎉.md',
  '🎉',
  '修复',
  'Größe ändern',
  'x'.repeat(300),
  `${'y'.repeat(300)}.md`,
  'a.'.repeat(200),
  '-rf',
  '@{u}',
  'a~b^c:d?e*f[g\\h',
  '',
  '.md',
  'md.job.md',
  'a.md.md',
  '...md',
  'ﬁx',
  'K', // the Kelvin sign
  `${'z'.repeat(120)}.lock`,
  `${'z'.repeat(123)}.locks`,
];

describe('jobIdFor', () => {
  for (const [name, id] of [
    ['Fix imports.md', 'fix-imports'],
    ['fix-imports.job.md', 'fix-imports'],
    ['Fix README.md', 'fix-readme'],
    ['Größe ändern', 'grosse-andern'],
    ['a..b', 'a.b'],
    ['../../etc/passwd', 'etc-passwd'],
    ['x.lock.md', 'x-lock'],
    ['CON.md', 'job-con'],
    ['nul.txt', 'job-nul.txt'],
    ['console.md', 'console'],
    ['v1.2 notes!', 'v1.2-notes'],
    ['fix "it"\nnow', 'fix-it-now'],
  ] as const) {
    it(`makes ${id} of ${JSON.stringify(name)}`, () => assert.equal(jobIdFor(name), id));
  }

  it('is always legal, always the same, and its own id', () => {
    for (const name of NASTY) {
      const id = jobIdFor(name);
      assert.match(id, LEGAL, name);
      assert.equal(jobIdFor(name), id);
      assert.equal(jobIdFor(id), id, name);
      assert.doesNotMatch(id, /\.\.|\.lock$|\.$|\.md$/, name);
      assert.doesNotMatch(id, /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/, name);
    }
  });

  it('is taken by git as part of a ref', () => {
    const ids = NASTY.map(jobIdFor);
    for (const id of ids) {
      const { status } = spawnSync('git', ['check-ref-format', `refs/heads/aq/${id}`]);
      assert.equal(status, 0, id);
    }
  });

  it('keeps apart names without usable characters, and long ones with the same beginning', () => {
    assert.notEqual(jobIdFor('🎉'), jobIdFor('🚀'));
    assert.notEqual(jobIdFor(`${'x'.repeat(300)}1`), jobIdFor(`${'x'.repeat(300)}2`));
  });
});
