import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { findExecutable, shimTarget } from '../../../src/runner/engines/executable.ts';
import { Scratch } from './scratch.ts';

describe('findExecutable', () => {
  it('takes the first name that is a program in a folder of the PATH', () => {
    using scratch = new Scratch();
    mkdirSync(scratch.path('empty'));
    mkdirSync(scratch.path('tool'));
    writeFileSync(scratch.path('plain'), 'not executable');
    const file = scratch.program('agent', '#!/bin/sh\n');
    const env = { PATH: `${scratch.path('empty')}:/nowhere:${scratch.folder}` };
    const place = { env, platform: 'linux' as const };
    assert.deepEqual(findExecutable(['absent', 'agent'], place), { path: file, command: file, args: [] });
    assert.equal(findExecutable(['tool'], place), undefined, 'a folder is no program');
    assert.equal(findExecutable(['plain'], place), undefined, 'no permission to run');
    assert.equal(findExecutable([file], { env: {}, platform: 'linux' })?.path, file);
    symlinkSync(file, scratch.path('link'));
    assert.equal(findExecutable(['link'], place)?.path, scratch.path('link'));
  });

  it('searches no relative folder, and takes no name with a folder in it', () => {
    using scratch = new Scratch();
    scratch.program('evil', '#!/bin/sh\n');
    const relative = path.relative(process.cwd(), scratch.folder);
    for (const PATH of [relative, `.:${relative}`, '']) {
      assert.equal(findExecutable(['evil'], { env: { PATH }, platform: 'linux' }), undefined);
    }
    assert.equal(findExecutable([`${relative}/evil`], { env: { PATH: '/' }, platform: 'linux' }), undefined);
  });

  it('finds nothing without a PATH', () => {
    assert.equal(findExecutable(['sh'], { env: {}, platform: 'linux' }), undefined);
  });
});

describe('shimTarget', () => {
  const head =
    '@ECHO off\r\nGOTO start\r\n:find_dp0\r\nSET dp0=%~dp0\r\nEXIT /b\r\n:start\r\nSETLOCAL\r\nCALL :find_dp0\r\n';

  it('reads what an npm shim starts', () => {
    const script = `${head}IF EXIST "%dp0%\\node.exe" (\r\n  SET "_prog=%dp0%\\node.exe"\r\n) ELSE (\r\n  SET "_prog=node"\r\n)\r\nendLocal & goto #_undefined_# 2>NUL || title %COMSPEC% & "%_prog%"  "%dp0%\\node_modules\\@openai\\codex\\bin\\codex.js" %*\r\n`;
    assert.equal(shimTarget(script), 'node_modules\\@openai\\codex\\bin\\codex.js');
    const binary = `${head}"%dp0%\\node_modules\\@anthropic-ai\\claude-code\\bin\\claude.exe"   %*\r\n`;
    assert.equal(shimTarget(binary), 'node_modules\\@anthropic-ai\\claude-code\\bin\\claude.exe');
    assert.equal(shimTarget('"%~dp0\\node_modules\\x\\cli.mjs" %*'), 'node_modules\\x\\cli.mjs');
  });

  it('reads nothing from any other batch file', () => {
    assert.equal(shimTarget('@echo off\r\ncall something.bat %*\r\n'), undefined);
    assert.equal(shimTarget('"%dp0%\\run.sh" %*'), undefined);
  });
});
