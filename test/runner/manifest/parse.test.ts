import assert from 'node:assert/strict';
import { HOUR } from '../../../src/platform/clock.ts';
import { type Diagnostic, describeDiagnostic } from '../../../src/runner/manifest/diagnostic.ts';
import { KEY_NAMES, keySpec } from '../../../src/runner/manifest/keys.ts';
import { LONGEST_PROMPT, parseJob } from '../../../src/runner/manifest/parse.ts';
import { chance, FULL, mutate, OLD_RUNNER, VALID } from './samples.ts';

const inFrontMatter = (yaml: string) => parseJob(`---\n${yaml}\n---\nPrompt.\n`);

/** `line:character-line:character`, from 0. */
function place({ range: { start, end } }: Diagnostic): string {
  return `${start.line}:${start.character}-${end.line}:${end.character}`;
}

function theOnly(diagnostics: readonly Diagnostic[]): Diagnostic {
  assert.equal(diagnostics.length, 1, diagnostics.map(describeDiagnostic).join('\n'));
  return diagnostics[0] as Diagnostic;
}

describe('parseJob: valid files', () => {
  it('reads every key', () => {
    const { job, body, diagnostics } = parseJob(FULL);
    assert.deepEqual(diagnostics, []);
    assert.equal(body, 'The prompt, in Markdown.\n');
    assert.deepEqual(job && { ...job, extra: { ...job.extra } }, {
      engine: 'claude',
      cwd: '~/code/app',
      yolo: true,
      lock: 'app-db',
      timeoutMs: 4 * HOUR,
      title: 'Faster imports',
      priority: 7,
      base: 'main',
      worktree: true,
      setup: 'npm ci',
      verify: ['npm test'],
      ship: 'merge',
      review: 'person',
      retries: 2,
      needs: ['other-job'],
      requires: ['tool:docker'],
      tracker: 'https://github.com/acme/app/issues/7',
      extra: {},
    });
  });

  it('reads a file of the bash runner, and fills in the defaults', () => {
    const { job, diagnostics } = parseJob(OLD_RUNNER);
    assert.deepEqual(diagnostics, []);
    assert.deepEqual(job && { ...job, extra: { ...job.extra } }, {
      engine: 'devin',
      cwd: '/home/me/agent-queue',
      yolo: true,
      lock: 'agent-queue',
      timeoutMs: 4 * HOUR,
      title: 'ROLE: Senior engineer.',
      priority: 5,
      worktree: true,
      verify: [],
      review: 'person',
      retries: 0,
      needs: [],
      requires: [],
      extra: {},
    });
  });

  it('takes a file without front matter as a prompt for the default engine', () => {
    const { job, body } = parseJob('# Do it\n');
    assert.equal(job?.engine, undefined);
    assert.equal(job?.yolo, false);
    assert.equal(job?.timeoutMs, HOUR);
    assert.equal(body, '# Do it\n');
  });

  it('reads every form of YAML, and text as it is written', () => {
    for (const text of VALID) {
      const { job, diagnostics } = parseJob(text);
      assert.ok(job, `${text}\n${diagnostics.map(describeDiagnostic).join('\n')}`);
    }
    const { job } = parseJob(VALID[9] ?? '');
    assert.equal(job?.cwd, '~');
    assert.equal(job?.title, '2026-11-22');
    assert.equal(job?.lock, '1.0');
    assert.equal(job?.base, '0123');
    assert.deepEqual(job?.needs, ['007', '1e3']);
  });

  it('takes the examples and the defaults of the table of keys', () => {
    for (const name of KEY_NAMES) {
      const { example, fallback } = keySpec(name);
      for (const value of [example, fallback ?? example]) {
        assert.deepEqual(inFrontMatter(`${name}: ${value}`).diagnostics, [], name);
      }
    }
  });

  it('keeps unknown keys with their values, warns, and says what was probably meant', () => {
    const { job, diagnostics } = inFrontMatter(
      'engin: claude\nx-team: [a, {b: 1}]\nconstructor: 1\n__proto__: 2',
    );
    assert.deepEqual(Object.entries(job?.extra ?? {}), [
      ['engin', 'claude'],
      ['x-team', ['a', { b: 1 }]],
      ['constructor', 1],
      ['__proto__', 2],
    ]);
    assert.deepEqual(
      diagnostics.map((d) => [d.severity, d.code, d.suggestion, place(d)]),
      [
        ['warning', 'unknown-key', 'engine', '1:0-1:5'],
        ['warning', 'unknown-key', undefined, '2:0-2:6'],
        ['warning', 'unknown-key', undefined, '3:0-3:11'],
        ['warning', 'unknown-key', undefined, '4:0-4:9'],
      ],
    );
    assert.equal(diagnostics[0]?.message, 'engin: unknown key, kept without effect; did you mean engine?');
  });
});

describe('parseJob: bad values', () => {
  for (const [yaml, where, message] of [
    ['timeout: abc', '1:9-1:12', 'timeout: expected a duration such as 90s, 30m, 4h or 1d, found `abc`'],
    ['timeout: 0', '1:9-1:10', 'timeout: expected a duration such as 90s, 30m, 4h or 1d, found `0`'],
    [
      'timeout: 0s',
      '1:9-1:11',
      'timeout: expected a duration of at least 1s, such as 90s, 30m, 4h or 1d, found `0s`',
    ],
    [
      'timeout: 40d',
      '1:9-1:12',
      'timeout: expected a duration of at most 30d, such as 90s, 30m, 4h or 1d, found `40d`',
    ],
    ['engine: "a b" # x', '1:8-1:13', 'engine: expected the name of an engine, such as claude, found `a b`'],
    ['engine:', '1:0-1:6', 'engine: expected the name of an engine, such as claude, found nothing'],
    ['engine: null', '1:8-1:12', 'engine: expected the name of an engine, such as claude, found `null`'],
    ['# 😀\nyolo:   yes', '2:8-2:11', 'yolo: expected true or false, found `yes`'],
    ['yolo: tru', '1:6-1:9', 'yolo: expected true or false, found `tru`; did you mean true?'],
    ['priority: 10', '1:10-1:12', 'priority: expected a whole number from 0 to 9, found `10`'],
    ['priority: 1.5', '1:10-1:13', 'priority: expected a whole number from 0 to 9, found `1.5`'],
    ['priority: [1]', '1:10-1:13', 'priority: expected a whole number from 0 to 9, found a list'],
    ['retries: -1', '1:9-1:11', 'retries: expected a whole number from 0 to 20, found `-1`'],
    ['retries: 21', '1:9-1:11', 'retries: expected a whole number from 0 to 20, found `21`'],
    [
      'ship: merged',
      '1:6-1:12',
      'ship: expected merge, push, pr or none, found `merged`; did you mean merge?',
    ],
    ['review: nobody', '1:8-1:14', 'review: expected person or skip, found `nobody`'],
    ['worktree: 1', '1:10-1:11', 'worktree: expected true or false, found `1`'],
    ['lock: ~', '1:6-1:7', 'lock: expected a name of at most 128 characters on one line, found `~`'],
    ['cwd: "a\\0b"', '1:5-1:11', 'cwd: expected the path of a folder, such as ~/code/app, found `a b`'],
    [
      'base: a..b',
      '1:6-1:10',
      'base: expected the name of a branch, a tag or a commit, such as main, found `a..b`',
    ],
    [
      'tracker: http://x.y',
      '1:9-1:19',
      'tracker: expected an https:// address without a user name or password, found `http://x.y`',
    ],
    ['setup: ""', '1:0-1:5', undefined],
    ['title: " "', '1:7-1:10', 'title: expected a line of text, found nothing'],
    ['title: {a: b}', '1:7-1:13', 'title: expected a line of text, found `{a: b}`, a map'],
    [
      'verify: [npm test, ""]',
      '1:19-1:21',
      'verify: expected a command, such as npm test, or a list of such, found nothing',
    ],
    [
      'needs:\n  - a\n  - b c',
      '3:4-3:7',
      'needs: expected the id of a job: letters, digits, `.`, `_` and `-`, at most 128, or a list of such, found `b c`',
    ],
    [
      'requires: [tool: docker]',
      '1:11-1:23',
      'requires: expected a capability such as tool:docker, without blanks, or a list of such, found `tool: docker`, a map',
    ],
    [
      'repo: ~/code/app',
      '1:6-1:16',
      'repo: expected a repository such as github.com/acme/app (for a folder on this machine, use cwd), found `~/code/app`',
    ],
    [
      'repo: a/b/c\ncwd: ../x',
      '2:5-2:9',
      'cwd: expected a folder inside the repository, such as packages/web, because repo is given',
    ],
    [
      'repo: a/b/c\ncwd: ~/x',
      '2:5-2:8',
      'cwd: expected a folder inside the repository, such as packages/web, because repo is given',
    ],
  ] as const) {
    it(`says what was expected of ${JSON.stringify(yaml)}, and where`, () => {
      const { job, diagnostics } = inFrontMatter(yaml);
      const diagnostic = theOnly(diagnostics);
      assert.equal(job, undefined);
      assert.equal(diagnostic.severity, 'error');
      assert.equal(diagnostic.key, diagnostic.message.split(':')[0]);
      if (message === undefined) return;
      assert.equal(diagnostic.message, message);
      assert.equal(place(diagnostic), where);
    });
  }

  it('gives the same places with CRLF and a byte order mark', () => {
    const { diagnostics } = parseJob('\uFEFF---\r\nengine: claude\r\ntimeout: abc\r\n---\r\nPrompt.\r\n');
    assert.equal(place(theOnly(diagnostics)), '2:9-2:12');
    assert.equal(describeDiagnostic(theOnly(diagnostics)).slice(0, 16), 'line 3: timeout:');
  });

  it('names every fault, in the order of the text', () => {
    const { diagnostics } = inFrontMatter('priority: x\nengin: y\ntimeout: z\nneeds: ["", a b]');
    assert.deepEqual(
      diagnostics.map((d) => d.key),
      ['priority', 'engin', 'timeout', 'needs', 'needs'],
    );
  });

  it('knows the engines when it is told them', () => {
    const engines = ['claude', 'codex', 'shell'];
    assert.ok(parseJob(FULL, { engines }).job);
    assert.ok(parseJob('No engine named.', { engines }).job);
    const diagnostic = theOnly(parseJob('---\nengine: cluade\n---\nx', { engines }).diagnostics);
    assert.deepEqual(
      [diagnostic.code, diagnostic.suggestion, place(diagnostic)],
      ['unknown-engine', 'claude', '1:8-1:14'],
    );
    assert.match(diagnostic.message, /^engine: expected one of claude, codex, shell, found `cluade`/);
  });

  it('quotes at most 60 characters, on one line, and no credentials', () => {
    const long = theOnly(inFrontMatter(`engine: "${'secret '.repeat(50)}"`).diagnostics).message;
    assert.ok((/`(.*)`/.exec(long)?.[1] ?? '').length <= 60, long);
    const many = theOnly(inFrontMatter('lock: |\n  one\n  two').diagnostics).message;
    assert.match(many, /found `one two`$/);
    for (const yaml of ['repo: https://me:hunter2@github.com/a/b', 'tracker: https://hunter2@x.y/z']) {
      const { message } = theOnly(inFrontMatter(yaml).diagnostics);
      assert.doesNotMatch(message, /hunter2/);
    }
  });

  it('takes remotes and refs of any sensible spelling', () => {
    for (const repo of [
      'github.com/acme/app',
      'https://github.com/acme/app.git',
      'git@github.com:acme/app.git',
      'gitlab.com/a/b/c',
      'ssh://git@host.example:2222/a/b.git',
      'https://me@dev.azure.com/org/proj/_git/repo',
      'host:repo',
    ]) {
      assert.deepEqual(inFrontMatter(`repo: ${repo}`).diagnostics, [], repo);
    }
    for (const repo of [
      '/a/b',
      './a',
      '../a',
      'C:\\a',
      'C:/a',
      '-oProxy=x/y',
      'x',
      'ext::sh -c/x',
      'file:///a/b',
    ]) {
      assert.equal(theOnly(inFrontMatter(`repo: ${repo}`).diagnostics).code, 'bad-value', repo);
    }
    for (const base of ['main', 'feature/x-1', 'v1.2.3', 'origin/main', 'HEAD', '0a1b2c3']) {
      assert.deepEqual(inFrontMatter(`base: ${base}`).diagnostics, [], base);
    }
    for (const base of [
      '-x',
      'a b',
      'a~1',
      'x.lock',
      'a/.b',
      'a//b',
      'x/',
      'x.',
      '"@"',
      '"a@{1}"',
      "'a:b'",
      '"a\\\\b"',
    ]) {
      assert.equal(theOnly(inFrontMatter(`base: ${base}`).diagnostics).code, 'bad-value', base);
    }
  });

  it('warns of a base that has no effect', () => {
    const { job, diagnostics } = inFrontMatter('worktree: false\nbase: main');
    assert.ok(job);
    assert.deepEqual([theOnly(diagnostics).severity, place(theOnly(diagnostics))], ['warning', '2:6-2:10']);
  });
});

describe('parseJob: bad YAML', () => {
  // Without a limit, each of the parser's thousand errors would describe a stack of thousands of frames.
  const { stackTraceLimit } = Error;
  before(() => {
    Error.stackTraceLimit = 10;
  });
  after(() => {
    Error.stackTraceLimit = stackTraceLimit;
  });

  for (const [yaml, where, message] of [
    ['engine: claude\n\tcwd: x', '2:1-2:7', /^cwd: expected spaces at the start of the line, found a tab$/],
    ['title: Fix: it', '1:0-1:14', /^title: expected a value in quotes, because it contains a colon/],
    ['title: @me', '1:0-1:10', /^title: expected a value in quotes, because it begins with `@`$/],
    ['cwd: "C:\\Users"', '1:0-1:15', /^cwd: .*single quotes$/],
    ['title: "open\ncwd: y', '1:0-1:12', /^title: expected a closing " /],
    ['needs: [a, b\nyolo: true', '1:0-1:12', /^needs: expected a closing ] /],
    ['engine: "a" b', '1:0-1:13', /^engine: expected nothing behind the closing quote/],
    ['engine: a\n  cwd: b', '1:0-1:9', /^engine: .* found an indented line below it$/],
    ['verify: - npm test', '1:0-1:18', /^verify: expected a list as \[one, two]/],
    ['engine:claude', '1:0-1:13', /^expected a blank after the colon, found `engine:claude`$/],
    ['just words', '1:0-1:10', /^expected one `key: value` a line, found `just words`$/],
    ['- a\n- b', '1:0-1:3', /^expected one `key: value` a line, found `- a`$/],
    ['engine: a\n...\ncwd: b', '2:0-2:3', /^expected one `key: value` a line, found `\.\.\.`$/],
    ['%YAML 1.2', '1:0-1:9', /^expected one `key: value` a line, found `%YAML 1.2`$/],
    ['lock: &x 1', '1:6-1:8', /^lock: expected the value itself, found a YAML anchor/],
    ['lock: *x', '1:6-1:8', /^lock: expected the value itself, found a YAML alias/],
    ['lock: !secret 1', '1:6-1:13', /^lock: expected the value itself, found a YAML tag/],
    ['1: x', '1:0-1:1', /^expected a word as the key, such as engine, found `1`$/],
    ['? [a]\n: x', '1:2-1:5', /^expected a word as the key, such as engine, found `\[a]`$/],
    ['timeout: 1h\nengine: a\ntimeout: 2h', '3:0-3:7', /^timeout: expected once, found again$/],
    ['x: 1\nx: 2', undefined, /x: expected once/],
  ] as const) {
    it(`says in plain words what is wrong with ${JSON.stringify(yaml)}`, () => {
      const { job, diagnostics } = inFrontMatter(yaml);
      const errors = diagnostics.filter(({ severity }) => severity === 'error');
      assert.equal(job, undefined);
      assert.match(theOnly(errors).message, message);
      if (where !== undefined) assert.equal(place(theOnly(errors)), where);
    });
  }

  it('does not follow an alias bomb', () => {
    const levels = Array.from(
      { length: 30 },
      (_, i) => `l${i + 1}: &l${i + 1} [${`*l${i}, `.repeat(9)}*l${i}]`,
    );
    const started = performance.now();
    const { job, diagnostics } = inFrontMatter(`l0: &l0 [lol]\n${levels.join('\n')}`);
    assert.equal(job, undefined);
    assert.ok(diagnostics.every(({ code }) => code === 'yaml-unsupported') && diagnostics.length <= 10);
    assert.ok(performance.now() - started < 2000);
  });

  for (const piece of ['[', '{a: ', 'a:\n', '? ', '- ', 'x: &a ']) {
    it(`bears 32 KiB of ${JSON.stringify(piece)}`, function () {
      this.timeout(20_000);
      const { job, diagnostics } = inFrontMatter(piece.repeat(32_000 / piece.length));
      assert.equal(job, undefined);
      assert.ok(diagnostics.length > 0 && diagnostics.length <= 100);
      assert.ok(diagnostics.some(({ severity }) => severity === 'error'));
    });
  }

  it('refuses a front matter of more than 32 KiB', () => {
    assert.equal(
      theOnly(inFrontMatter(`x: ${'y'.repeat(33_000)}`).diagnostics).code,
      'front-matter-too-long',
    );
  });
});

describe('parseJob: the file as a whole', () => {
  for (const [what, text, code, where] of [
    ['an empty file', '', 'prompt-empty', '0:0-0:0'],
    ['a blank file', ' \n\n', 'prompt-empty', '0:0-2:0'],
    ['no prompt', '---\nengine: a\n---\n \n', 'prompt-empty', '2:0-2:3'],
    ['an unclosed front matter', '---\nengine: a\n\nDo it.\n', 'front-matter-unclosed', '0:0-0:3'],
    ['a blank line first', '\n---\nengine: a\n---\nDo it.\n', 'front-matter-not-first', '1:0-1:3'],
    ['no opening line', 'engine: a\ncwd: b\n---\nDo it.\n', 'front-matter-unopened', '0:0-0:9'],
  ] as const) {
    it(`refuses ${what}`, () => {
      const { job, diagnostics } = parseJob(text);
      assert.equal(job, undefined);
      assert.deepEqual([theOnly(diagnostics).code, place(theOnly(diagnostics))], [code, where]);
    });
  }

  it('takes Markdown rules for what they are', () => {
    for (const text of [
      'Do it.\n---\nAnd that.\n',
      '\n---\nNote: a rule first.\n',
      'Note: text\n---\nmore\n',
    ]) {
      assert.ok(parseJob(text).job, text);
    }
  });

  it('takes a prompt of 1 MiB and no more, in bytes', () => {
    const front = '---\nengine: claude\n---\n';
    assert.ok(parseJob(front + 'x'.repeat(LONGEST_PROMPT)).job);
    assert.ok(parseJob(front + 'ä'.repeat(LONGEST_PROMPT / 2)).job);
    for (const body of ['x'.repeat(LONGEST_PROMPT + 1), 'ä'.repeat(LONGEST_PROMPT / 2) + 'x']) {
      const { job, diagnostics } = parseJob(front + body);
      assert.equal(job, undefined);
      assert.equal(theOnly(diagnostics).code, 'prompt-too-long');
      assert.match(theOnly(diagnostics).message, /at most 1 MiB, found 1048577 bytes/);
    }
  });

  it('never quotes the prompt', () => {
    const secret = 'TOP-SECRET-PROMPT';
    for (const text of [
      `---\nengine: !x\n---\n${secret}`,
      `---\nengine: "\n---\n${secret}`,
      `\n---\nengine: a\n---\n${secret}`,
    ]) {
      assert.doesNotMatch(JSON.stringify(parseJob(text).diagnostics), /TOP-SECRET/);
    }
  });

  it('never throws, never invents a job beside an error, and keeps its places inside the text', function () {
    this.timeout(20_000);
    const next = chance(20261122);
    for (let round = 0; round < 4000; round += 1) {
      const text = mutate(VALID[next(VALID.length)] ?? '', next);
      const { job, diagnostics } = parseJob(text, { fileName: 'x.md', engines: ['claude'] });
      assert.equal(
        job === undefined,
        diagnostics.some(({ severity }) => severity === 'error'),
        JSON.stringify(text),
      );
      const lines = text.split(/\r\n|\r|\n/);
      for (const { range, message } of diagnostics) {
        for (const { line, character } of [range.start, range.end]) {
          assert.ok(
            line < lines.length && character <= (lines[line] ?? '').length,
            JSON.stringify([text, range]),
          );
        }
        assert.ok(
          range.start.line < range.end.line ||
            (range.start.line === range.end.line && range.start.character <= range.end.character),
        );
        assert.ok(!/[\n\r]/.test(message) && message.length < 400, message);
      }
    }
  });
});
