import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { UserError } from '../../../src/platform/errors.ts';
import { findShell, shellScript } from '../../../src/runner/engines/shell.ts';
import { Scratch } from './scratch.ts';

function run(markdown: string): { status: number | null; output: string; lines: string[] } {
  using scratch = new Scratch();
  const script = shellScript(markdown);
  const file = scratch.program('script', script.text);
  const shell = findShell(script);
  const { status, stdout, stderr } = spawnSync(shell.command, [...shell.args, file], { encoding: 'utf8' });
  return { status, output: stdout + stderr, lines: stdout.split('\n').filter(Boolean) };
}

describe('shellScript', () => {
  it('runs the blocks in their order as one script, and passes over others', () => {
    const { status, lines } = run(
      '# Title\n```sh\ncd /\necho one\n```\ntext\n```js\nconsole.log(1)\n```\n~~~shell title=x\necho two in "$PWD"\n~~~\n',
    );
    assert.deepEqual([status, lines], [0, ['one', 'two in /']]);
  });

  it('stops at the first command that fails', () => {
    const { status, lines } = run('```sh\necho one\nsh -c "exit 7"\necho two\n```\n```sh\necho three\n```\n');
    assert.deepEqual([status, lines], [7, ['one']]);
  });

  it('reads CRLF, longer fences, upper case, indentation and a fence without end', () => {
    const text =
      'Do:\r\n````SH\r\ncat <<"E"\r\n```\r\nE\r\n````\r\n  ```bash\r\n  echo a\r\n    echo b\r\n  ```\r\n~~~sh\r\necho c';
    const { status, lines } = run(text);
    assert.deepEqual([status, lines], [0, ['```', 'a', 'b', 'c']]);
  });

  it('keeps out what only looks like a block: nested, commented out, indented as code, inline', () => {
    const script = shellScript(
      [
        '````markdown',
        '```sh',
        'echo nested',
        '```',
        '````',
        '<!--',
        '```sh',
        'echo commented',
        '```',
        '-->',
        '',
        '    ```sh',
        '    echo indented',
        '    ```',
        '```sh echo `inline` ```',
        '```sh-session',
        '$ echo session',
        '```',
        '~~~sh',
        'echo real',
        '```',
        '~~~',
      ].join('\n'),
    );
    assert.equal(script.text, 'set -e\n# line 19 of the job\necho real\n```\n');
  });

  it('says what to write when there is nothing to run', () => {
    for (const text of ['', 'echo hello', '```\necho\n```', '```sh\n\n```', '```python\nprint()\n```']) {
      assert.throws(
        () => shellScript(text),
        (error) => error instanceof UserError && error.code === 'no-script' && error.action.includes('```sh'),
      );
    }
  });
});

describe('findShell', () => {
  it('takes bash only where a block says so and there is one', () => {
    using scratch = new Scratch();
    const bash = scratch.program('bash', '#!/bin/sh\n');
    const place = { env: { PATH: scratch.folder }, platform: 'linux' as const };
    assert.equal(shellScript('```bash\n:\n```').bash, true);
    assert.equal(findShell({ bash: true }, place).path, bash);
    assert.equal(findShell({ bash: false }, place).path, '/bin/sh');
    assert.equal(findShell({ bash: true }, { env: {}, platform: 'linux' }).path, '/bin/sh');
  });

  it('says what is needed on Windows without Git', () => {
    assert.throws(
      () => findShell({ bash: false }, { env: { Path: 'C:\\Windows\\System32' }, platform: 'win32' }),
      (error) =>
        error instanceof UserError && error.code === 'no-shell' && /Git for Windows/.test(error.action),
    );
  });
});
