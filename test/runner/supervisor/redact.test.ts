import assert from 'node:assert/strict';
import { createRedactor, REDACTED } from '../../../src/runner/supervisor/redact.ts';

const SECRETS = ['hunter2-hunter2', 'pa"ss\\word\nline', 'überraschung-😀', 'abcabcX', 'cXdefg', 'hunter2'];
const PEM =
  '-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nMIIEow+/AB==\n-----END RSA PRIVATE KEY-----';

/** [text, what is shown of it] */
const CASES: readonly (readonly [string, string])[] = [
  [
    'nothing to hide, sk-short task-01234567890123456789abc\n',
    'nothing to hide, sk-short task-01234567890123456789abc\n',
  ],
  ['a hunter2 b hunter2-hunter2 c', `a ${REDACTED} b ${REDACTED} c`],
  ['{"x":"pa\\"ss\\\\word\\nline"}', `{"x":"${REDACTED}"}`],
  ['pa"ss\\word\nline.', `${REDACTED}.`],
  ['?t=%C3%BCberraschung-%F0%9F%98%80&', `?t=${REDACTED}&`],
  ['abcabcabcXdefg!', `abc${REDACTED}!`],
  ['überraschung-😀😀', `${REDACTED}😀`],
  [`ghp_${'a1'.repeat(18)} x`, `${REDACTED} x`],
  [`"github_pat_${'a_1'.repeat(20)}"`, `"${REDACTED}"`],
  [`\\nsk-${'aB3'.repeat(16)}-x_y.`, `\\n${REDACTED}.`],
  [`sk-ant-api03-${'a-_B'.repeat(10)};`, `${REDACTED};`],
  [
    'xoxb-1234567890-abcdef AKIAABCDEFGHIJKLMNOP glpat-abcdefghijklmnopqrst',
    `${REDACTED} ${REDACTED} ${REDACTED}`,
  ],
  [`Authorization: Bearer ${'eyJ.'.repeat(20)}\n`, `Authorization: ${REDACTED}\n`],
  [`${PEM}\nhello`, `${REDACTED}-----END RSA PRIVATE KEY-----\nhello`],
  [`{"k":"${JSON.stringify(PEM).slice(1, -1)}\\n"}`, `{"k":"${REDACTED}-----END RSA PRIVATE KEY-----\\n"}`],
  [`if (s.includes('-----BEGIN PRIVATE KEY-----')) hide();`, `if (s.includes('${REDACTED}')) hide();`],
  ['hunter', 'hunter'],
  ['ends with a\\', 'ends with a\\'],
];

describe('createRedactor', () => {
  for (const [text, shown] of CASES) {
    it(`shows ${JSON.stringify(shown)}, wherever the text is cut`, () => {
      const redactor = createRedactor(SECRETS);
      assert.equal(redactor.push(text) + redactor.flush(), shown);
      for (let first = 0; first <= text.length; first += 1) {
        const cut = redactor.push(text.slice(0, first)) + redactor.push(text.slice(first)) + redactor.flush();
        assert.equal(cut, shown, `cut at ${first}`);
        for (const width of [1, 2, 7]) {
          const second = Math.min(first + width, text.length);
          const pieces = [text.slice(0, first), text.slice(first, second), text.slice(second)];
          assert.equal(pieces.map((piece) => redactor.push(piece)).join('') + redactor.flush(), shown);
        }
      }
      const single = text.split('').map((character) => redactor.push(character));
      assert.equal(single.join('') + redactor.flush(), shown, 'one at a time');
    });
  }

  it('shows at once what cannot become a secret', () => {
    const redactor = createRedactor(SECRETS);
    assert.equal(redactor.push('Go on? [y/n] '), 'Go on? [y/n] ');
    assert.equal(redactor.push('a hunt'), 'a ');
    assert.equal(redactor.push('ing foxy'), 'hunting foxy');
  });

  it('keeps little back of a token that never ends', () => {
    const redactor = createRedactor(['aaaa']);
    assert.equal(redactor.push(`ghp_${'x'.repeat(40)}`), REDACTED);
    for (let i = 0; i < 100; i += 1) assert.equal(redactor.push('x'.repeat(10_000)), '');
    assert.equal(redactor.push(' end'), ' end');
    assert.equal(redactor.push(' aaaaaaaaa'), ` ${REDACTED}`);
    for (let i = 0; i < 100; i += 1) assert.equal(redactor.push('a'.repeat(1_000)), '');
    assert.equal(redactor.push('.'), '.');
    assert.equal(redactor.flush(), '');
  });

  it('leaves very short values alone', () => {
    const redactor = createRedactor(['', 'a', 'the']);
    assert.equal(redactor.push('a the') + redactor.flush(), 'a the');
  });
});
