import assert from 'node:assert/strict';
import { chmodSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { createGit } from '../../../src/platform/git/git.ts';
import { buildCandidate } from '../../../src/runner/workspace/candidate.ts';
import { commit, type Files, git, person, removeScratch, repositoryAt, scratch, write } from './scratch.ts';

describe('buildCandidate', function () {
  this.timeout(30_000); // many processes: slow on a busy machine
  let app: string;
  afterEach(removeScratch);

  const LONG = Array.from({ length: 30 }, (_, n) => `line ${n}\n`).join('');
  const start = (files: Files = { a: 'a\n', b: 'b\n' }) => {
    app = repositoryAt(join(scratch(), 'app'), files);
  };
  /** Commits `ours` on main and `theirs` on a branch from the same start, and merges the second into the first. */
  const merge = async (ours: () => void, theirs: () => void) => {
    person(app, 'switch', '-q', '-c', 'work');
    theirs();
    const wipCommit = commit(app);
    person(app, 'switch', '-q', '-f', 'main');
    ours();
    const targetTip = commit(app);
    const before = [person(app, 'status', '--porcelain=v2', '--branch'), person(app, 'for-each-ref')];
    const result = await buildCandidate(git, { cwd: app, targetTip, wipCommit, message: 'Merge job' });
    assert.deepEqual(
      [person(app, 'status', '--porcelain=v2', '--branch'), person(app, 'for-each-ref')],
      before,
    );
    return { result, targetTip, wipCommit };
  };
  const conflictsOf = async (ours: () => void, theirs: () => void) => {
    const { result } = await merge(ours, theirs);
    assert.ok('conflicts' in result, 'expected a conflict');
    return Object.fromEntries(result.conflicts.map(({ path, kinds }) => [path, kinds.join('+')]));
  };

  it('merges what both have changed, without touching a checkout', async () => {
    start();
    const { result, targetTip, wipCommit } = await merge(
      () => write(app, { a: 'ours\n' }),
      () => write(app, { b: 'theirs\n' }),
    );
    assert.ok('commit' in result);
    assert.equal(result.fastForward, false);
    assert.equal(
      person(app, 'show', `${result.tree}:a`) + person(app, 'show', `${result.tree}:b`),
      'ourstheirs',
    );
    assert.equal(
      person(app, 'log', '-1', '--format=%P %s %an', result.commit),
      `${targetTip} ${wipCommit} Merge job Pat`,
    );
  });

  it('needs no merge where one is ahead of the other', async () => {
    start();
    const first = person(app, 'rev-parse', 'HEAD');
    const second = commit(app, { a: '2' });
    const tree = person(app, 'rev-parse', 'HEAD^{tree}');
    for (const [targetTip, wipCommit] of [
      [first, second],
      [second, first],
      [second, second],
    ] as const) {
      const result = await buildCandidate(git, { cwd: app, targetTip, wipCommit, message: 'm' });
      assert.deepEqual(result, { commit: second, tree, fastForward: true });
    }
  });

  it('refuses histories that have nothing in common, and a git that is too old', async () => {
    start();
    const targetTip = person(app, 'rev-parse', 'HEAD');
    const wipCommit = person(app, 'commit-tree', 'HEAD^{tree}', '-m', 'root');
    const request = { cwd: app, targetTip, wipCommit, message: 'm' };
    await assert.rejects(buildCandidate(git, request), { code: 'unrelated-histories' });
    const old = join(scratch(), 'old-git');
    write(join(old, '..'), { 'old-git': '#!/bin/sh\necho git version 2.37.9\n' });
    chmodSync(old, 0o755);
    const oldGit = createGit({ env: process.env, executable: old });
    await assert.rejects(buildCandidate(oldGit, request), {
      code: 'git-too-old',
      message: /2\.38.*2\.37\.9/,
    });
  });

  it('names a conflict of content, also in a weird name', async () => {
    start({ 'a\nb "ü"': 'x\n', c: 'x\n' });
    const conflicts = await conflictsOf(
      () => write(app, { 'a\nb "ü"': 'ours\n', c: 'ours\n' }),
      () => write(app, { 'a\nb "ü"': 'theirs\n', c: 'theirs\n' }),
    );
    assert.deepEqual(conflicts, { 'a\nb "ü"': 'contents', c: 'contents' });
  });

  it('names deleted against modified', async () => {
    start();
    assert.deepEqual(
      await conflictsOf(
        () => rmSync(join(app, 'a')),
        () => write(app, { a: 'theirs\n' }),
      ),
      { a: 'modify/delete' },
    );
  });

  it('names both added', async () => {
    start();
    assert.deepEqual(
      await conflictsOf(
        () => write(app, { n: 'ours\n' }),
        () => write(app, { n: 'theirs\n' }),
      ),
      { n: 'contents' },
    );
  });

  it('names renamed against deleted, and renamed twice', async () => {
    start({ a: LONG });
    assert.deepEqual(
      await conflictsOf(
        () => rmSync(join(app, 'a')),
        () => person(app, 'mv', 'a', 'moved'),
      ),
      { a: 'rename/delete', moved: 'rename/delete' },
    );
    start({ a: LONG });
    const twice = await conflictsOf(
      () => person(app, 'mv', 'a', 'ours'),
      () => person(app, 'mv', 'a', 'theirs'),
    );
    assert.deepEqual(Object.keys(twice).sort(), ['a', 'ours', 'theirs']);
    assert.equal(twice['a'], 'rename/rename');
  });

  it('names a binary file', async () => {
    start({ 'i.png': Buffer.from([0, 1]) });
    const conflicts = await conflictsOf(
      () => write(app, { 'i.png': Buffer.from([0, 2]) }),
      () => write(app, { 'i.png': Buffer.from([0, 3]) }),
    );
    assert.deepEqual(Object.keys(conflicts), ['i.png']);
    assert.match(conflicts['i.png'] ?? '', /binary/);
  });

  it('names a mode, a link and a folder that collide', async () => {
    start({ n: '' });
    const mode = await conflictsOf(
      () => write(app, { m: 'same' }),
      () => {
        write(app, { m: 'same' });
        chmodSync(join(app, 'm'), 0o755);
      },
    );
    assert.deepEqual(Object.keys(mode), ['m']);
    start({ n: '' });
    const link = await conflictsOf(
      () => symlinkSync('x', join(app, 'l')),
      () => symlinkSync('y', join(app, 'l')),
    );
    assert.deepEqual(Object.keys(link), ['l']);
    start({ n: '' });
    const folder = await conflictsOf(
      () => write(app, { d: 'a file' }),
      () => write(app, { 'd/x': 'in a folder' }),
    );
    assert.ok(
      Object.values(folder).some((kinds) => kinds.includes('file/directory')),
      JSON.stringify(folder),
    );
    start({ n: '' });
    const types = await conflictsOf(
      () => write(app, { t: 'a file' }),
      () => symlinkSync('y', join(app, 't')),
    );
    assert.ok(
      Object.values(types).some((kinds) => kinds.includes('distinct')),
      JSON.stringify(types),
    );
  });

  it('names a submodule that both have moved', async () => {
    const lib = repositoryAt(join(scratch(), 'lib'));
    start();
    person(app, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', lib, 'lib');
    commit(app);
    const base = person(join(app, 'lib'), 'rev-parse', 'HEAD');
    const move = (name: string) => {
      person(join(app, 'lib'), 'checkout', '-q', base);
      person(
        join(app, 'lib'),
        '-c',
        'user.name=x',
        '-c',
        'user.email=x',
        'commit',
        '-q',
        '--allow-empty',
        '-m',
        name,
      );
    };
    const conflicts = await conflictsOf(
      () => move('ours'),
      () => move('theirs'),
    );
    assert.deepEqual(Object.keys(conflicts), ['lib']);
    assert.match(conflicts['lib'] ?? '', /submodule/);
  });
});
