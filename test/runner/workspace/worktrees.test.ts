import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type ReleaseRequest, releaseWorktree } from '../../../src/runner/workspace/release.ts';
import type { Repository } from '../../../src/runner/workspace/repository.ts';
import { listSlots } from '../../../src/runner/workspace/slots.ts';
import { acquireWorktree, jobBranch } from '../../../src/runner/workspace/worktrees.ts';
import {
  clock,
  commit,
  environment,
  git,
  person,
  removeScratch,
  repositoryAt,
  repositoryOf,
  scratch,
  write,
} from './scratch.ts';

describe('worktrees', function () {
  this.timeout(30_000); // many processes: slow on a busy machine
  let app: string;
  let home: string;
  let repository: Repository;
  let tip: string;
  beforeEach(async () => {
    const dir = scratch();
    home = join(dir, 'the home');
    app = repositoryAt(join(dir, 'app'), {
      'a.txt': 'a\n',
      'sub/b.txt': 'b\n',
      '.gitignore': 'ignored\n.env\n',
    });
    repository = await repositoryOf(app);
    tip = person(app, 'rev-parse', 'HEAD');
  });
  afterEach(removeScratch);

  const acquire = (branch?: string, at = tip) =>
    acquireWorktree(git, {
      repository,
      home,
      commit: at,
      clock,
      ...(branch === undefined ? {} : { branch }),
    });
  const release = (path: string, more: Partial<ReleaseRequest> = {}) =>
    releaseWorktree(git, { repository, path, clock, ...more });
  const keptFor = async (path: string, code: string, more: Partial<ReleaseRequest> = {}) => {
    const released = await release(path, more);
    assert.ok(released.outcome === 'kept', `expected it to be kept for ${code}, was ${released.outcome}`);
    assert.equal(released.code, code);
    assert.ok(existsSync(path));
    return released.files;
  };

  it('makes a worktree on a branch of its own, and nothing changes for the person', async () => {
    write(app, { 'a.txt': 'mine' });
    const made = await acquire(jobBranch('one'));
    assert.equal(made.branch, 'refs/heads/agent-queue/one');
    assert.equal(made.reused, false);
    assert.match(made.path, /the home\/worktrees\/app-[0-9a-f]{8}\/app-1$/);
    assert.equal(readFileSync(join(made.path, 'a.txt'), 'utf8'), 'a\n');
    assert.equal(person(made.path, 'symbolic-ref', 'HEAD'), made.branch);
    assert.equal(person(made.path, 'status', '--porcelain'), '');
    assert.equal(person(app, 'symbolic-ref', 'HEAD'), 'refs/heads/main');
    assert.equal(readFileSync(join(app, 'a.txt'), 'utf8'), 'mine');
    assert.doesNotMatch(person(app, 'config', '--list', '--local'), /^branch\./m);
  });

  it('takes the next name when the branch is taken, and says who blocks it', async () => {
    person(app, 'branch', 'agent-queue/x');
    assert.equal((await acquire('agent-queue/x')).branch, 'refs/heads/agent-queue/x-2');
    const pooled = await acquire();
    assert.equal((await release(pooled.path)).outcome, 'pooled');
    const again = await acquire('agent-queue/x');
    assert.equal(again.reused, true);
    assert.equal(again.branch, 'refs/heads/agent-queue/x-3');
    person(app, 'branch', 'blocker');
    await assert.rejects(acquire('blocker/x'), { code: 'branch-name-blocked' });
  });

  it('uses a clean one again, at another commit', async () => {
    const first = await acquire('agent-queue/1');
    write(first.path, { ignored: 'litter', 'sub/ignored': 'litter' });
    assert.deepEqual(await release(first.path), { outcome: 'pooled' });
    assert.deepEqual(await release(first.path), { outcome: 'pooled' }, 'twice is harmless');
    const next = commit(app, { 'c.txt': 'c' });
    const second = await acquire('agent-queue/2', next);
    assert.equal(second.path, first.path);
    assert.equal(second.reused, true);
    assert.deepEqual(readdirSync(second.path).sort(), ['.git', '.gitignore', 'a.txt', 'c.txt', 'sub']);
    assert.equal(existsSync(join(second.path, 'sub/ignored')), false, 'a fresh worktree has no litter');
    assert.equal(person(second.path, 'rev-parse', 'HEAD'), next);
    assert.equal(person(second.path, 'status', '--porcelain', '--ignored'), '');
    person(app, 'branch', '-D', 'agent-queue/1'); // is not checked out any more
  });

  it('gives work back whose every file is in a saved commit, though its own branch never moved', async () => {
    const { path } = await acquire('agent-queue/1');
    write(path, { 'a.txt': 'changed', 'new.txt': 'new' });
    rmSync(join(path, 'sub/b.txt'));
    await keptFor(path, 'unsaved-files');
    const saved = person(path, 'commit-tree', treeOf(path), '-p', 'HEAD', '-m', 'wip');
    await keptFor(path, 'unreachable-commit', { saved });
    person(app, 'update-ref', 'refs/agent-queue/1/wip', saved);
    write(path, { 'later.txt': 'not saved' });
    assert.deepEqual(await keptFor(path, 'unsaved-files', { saved }), ['later.txt']);
    assert.equal(person(path, 'symbolic-ref', 'HEAD'), 'refs/heads/agent-queue/1', 'kept means unchanged');
    rmSync(join(path, 'later.txt'));
    assert.deepEqual(await release(path, { saved }), { outcome: 'pooled' });
    assert.equal(person(path, 'status', '--porcelain', '--ignored'), '');
    assert.equal((await acquire('agent-queue/2')).reused, true);
    assert.equal(readFileSync(join(path, 'a.txt'), 'utf8'), 'a\n');
  });

  function treeOf(path: string): string {
    person(path, 'add', '-A');
    const tree = person(path, 'write-tree');
    person(path, 'reset', '-q');
    return tree;
  }

  it('keeps what holds somebody’s work', async () => {
    const { path } = await acquire('agent-queue/1');
    write(path, { 'a.txt': 'staged' });
    person(path, 'add', 'a.txt');
    write(path, { 'a.txt': 'a\n' });
    assert.deepEqual(await keptFor(path, 'unsaved-files'), ['a.txt'], 'only the index has it');
    person(path, 'add', 'a.txt');
    assert.equal((await release(path, { poolSize: 0 })).outcome, 'removed');

    const detached = await acquire();
    person(
      detached.path,
      '-c',
      'user.name=x',
      '-c',
      'user.email=x',
      'commit',
      '-q',
      '--allow-empty',
      '-m',
      'x',
    );
    await keptFor(detached.path, 'unreachable-commit');

    const embedded = await acquire('agent-queue/2');
    repositoryAt(join(embedded.path, 'ignored/deep/inner'));
    assert.deepEqual(await keptFor(embedded.path, 'embedded-repository'), ['ignored/deep/inner/']);
    const visible = await acquire('agent-queue/3');
    repositoryAt(join(visible.path, 'inner'));
    await keptFor(visible.path, 'embedded-repository');

    const locked = await acquire('agent-queue/4');
    person(app, 'worktree', 'lock', locked.path);
    await keptFor(locked.path, 'locked');
  });

  it('drops everything but commits from a disposable checkout', async () => {
    const { path } = await acquire();
    const loose = person(app, 'commit-tree', `${tip}^{tree}`, '-m', 'candidate of no ref');
    const verify = await acquire(undefined, loose);
    write(verify.path, { 'a.txt': 'changed by a test', report: '', 'ignored/x': '' });
    repositoryAt(join(verify.path, 'fixture'));
    assert.deepEqual(await release(verify.path, { saved: loose, disposable: true }), { outcome: 'pooled' });
    assert.equal(person(verify.path, 'status', '--porcelain', '--ignored'), '');
    person(path, '-c', 'user.name=x', '-c', 'user.email=x', 'commit', '-q', '--allow-empty', '-m', 'x');
    await keptFor(path, 'unreachable-commit', { saved: tip, disposable: true });
  });

  it('never hands out an idle one in which somebody has been since', async () => {
    const spoil: Record<string, (path: string) => void> = {
      edited: (path) => write(path, { 'a.txt': 'mine' }),
      'new file': (path) => write(path, { 'mine.txt': 'mine' }),
      'ignored file': (path) => write(path, { '.env': 'mine' }),
      'on a branch': (path) => person(path, 'switch', '-q', '-c', 'mine'),
      committed: (path) => commit(path, { 'mine.txt': 'mine' }),
      locked: (path) => person(path, 'worktree', 'lock', '.'),
      'link deleted': (path) => rmSync(join(path, '.git')),
      'index corrupt': (path) => writeFileSync(person(path, 'rev-parse', '--git-path', 'index'), 'garbage'),
    };
    for (const [name, act] of Object.entries(spoil)) {
      const { path } = await acquire();
      assert.equal((await release(path)).outcome, 'pooled', name);
      act(path);
      const next = await acquire();
      assert.notEqual(next.path, path, name);
      assert.deepEqual(
        next.setAside.map((slot) => slot.path),
        [path],
        name,
      );
      await release(next.path, { poolSize: 0 });
      assert.ok(existsSync(path), name);
    }
  });

  it('does not take a repository around the home for its own', async () => {
    const { path } = await acquire();
    person(home, 'init', '-q', '..');
    rmSync(join(path, '.git'));
    await keptFor(path, 'unreadable');
  });

  it('copes with slots deleted by hand', async () => {
    const used = await acquire('agent-queue/1');
    rmSync(used.path, { recursive: true });
    assert.deepEqual(await release(used.path), { outcome: 'removed' });
    assert.doesNotMatch(person(app, 'worktree', 'list'), /prunable/);
    const idle = await acquire();
    await release(idle.path);
    rmSync(idle.path, { recursive: true });
    const next = await acquire();
    assert.equal(next.path, idle.path);
    assert.deepEqual(
      (await listSlots(home)).map((slot) => slot.idleAt),
      [undefined],
      'in use, not idle',
    );
  });

  it('removes what does not fit in the pool, submodules or not', async () => {
    const lib = repositoryAt(join(scratch(), 'lib'));
    person(app, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', lib, 'lib');
    const at = commit(app);
    const [one, two, three] = [
      await acquire(undefined, at),
      await acquire(undefined, at),
      await acquire('b', at),
    ];
    assert.equal((await release(one.path, { poolSize: 1 })).outcome, 'pooled');
    assert.equal((await release(two.path, { poolSize: 1 })).outcome, 'removed');
    person(three.path, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'update', '--init');
    await keptFor(three.path, 'embedded-repository');
    assert.equal((await release(three.path, { disposable: true, poolSize: 9 })).outcome, 'removed');
    assert.deepEqual(
      (await listSlots(home)).map((slot) => slot.path),
      [one.path],
    );
    assert.equal(existsSync(two.path), false);
  });

  it('works in a bare repository and in a submodule', async () => {
    const dir = scratch();
    person(dir, 'clone', '-q', '--bare', app, 'bare.git');
    const outer = repositoryAt(join(dir, 'outer'));
    person(outer, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', app, 'sub');
    for (const cwd of [join(dir, 'bare.git'), join(outer, 'sub')]) {
      repository = await repositoryOf(cwd);
      const { path } = await acquire('agent-queue/1');
      assert.equal(readFileSync(join(path, 'a.txt'), 'utf8'), 'a\n');
      assert.equal((await release(path)).outcome, 'pooled');
      assert.equal((await acquire('agent-queue/2')).reused, true);
    }
  });

  it('takes its own back when filling fails', async () => {
    const full = {
      ...git,
      run: (args: readonly string[], options: Parameters<typeof git.run>[1]) =>
        args.includes('reset') ? Promise.reject(new Error('disk full')) : git.run(args, options),
    };
    const request = { repository, home, commit: tip, branch: 'agent-queue/1', clock };
    await assert.rejects(acquireWorktree(full, request), /disk full/);
    assert.deepEqual(await listSlots(home), []);
    assert.equal(person(app, 'for-each-ref', 'refs/heads/agent-queue'), '');
  });

  it('turns any id into a branch name', () => {
    const ids = [
      'a b',
      '..',
      'x.lock',
      '-n',
      'a..b',
      'ä 🎉',
      'a@{1}',
      'a/b',
      'a\nb',
      '.hidden',
      '~^:?*[\\',
      '',
      '@',
    ];
    for (const id of ids) person(app, 'check-ref-format', '--branch', jobBranch(id));
    assert.equal(jobBranch('2026-fix it'), 'agent-queue/2026-fix-it');
  });

  it('does many at once, from two processes, and none fails', async () => {
    const script = `
      import { acquireWorktree } from ${JSON.stringify(join(import.meta.dirname, '../../../src/runner/workspace/worktrees.ts'))};
      import { releaseWorktree } from ${JSON.stringify(join(import.meta.dirname, '../../../src/runner/workspace/release.ts'))};
      import { createGit } from ${JSON.stringify(join(import.meta.dirname, '../../../src/platform/git/git.ts'))};
      import { systemClock as clock } from ${JSON.stringify(join(import.meta.dirname, '../../../src/platform/clock.ts'))};
      const { who, repository, home, commit } = JSON.parse(process.argv[1]);
      const git = createGit({ env: process.env });
      await Promise.all(Array.from({ length: 8 }, async (_, lane) => {
        for (let n = 0; n < 3; n++) {
          const made = await acquireWorktree(git, { repository, home, commit, clock, branch: \`job/\${who}-\${lane}-\${n}\` });
          const done = await releaseWorktree(git, { repository, path: made.path, clock, poolSize: 3 });
          if (done.outcome === 'kept') throw new Error(done.reason);
        }
      }));`;
    const run = (who: string) =>
      promisify(execFile)(
        process.execPath,
        ['--input-type=module', '-e', script, JSON.stringify({ who, repository, home, commit: tip })],
        { env: environment },
      );
    await Promise.all([run('a'), run('b')]);
    assert.equal(person(app, 'for-each-ref', 'refs/heads/job').split('\n').length, 48);
    assert.equal((await listSlots(home)).length, 3);
    assert.equal(person(app, 'fsck', '--connectivity-only'), '');
  });
});
