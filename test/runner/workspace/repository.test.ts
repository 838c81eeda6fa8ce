import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../../src/platform/errors.ts';
import {
  folderInWorktree,
  resolveWorkplace,
  type WorkplaceRequest,
} from '../../../src/runner/workspace/repository.ts';
import {
  commit,
  emptyRepositoryAt,
  git,
  person,
  removeScratch,
  repositoryAt,
  scratch,
  write,
} from './scratch.ts';

describe('resolveWorkplace', function () {
  this.timeout(30_000); // many processes: slow on a busy machine
  let dir: string;
  let app: string;
  before(() => {
    dir = scratch();
    app = repositoryAt(join(dir, 'app'), { 'a.txt': 'a', 'packages/x/x.txt': 'x' });
  });
  after(removeScratch);

  const resolve = (request: Partial<WorkplaceRequest>) =>
    resolveWorkplace(git, { cwd: app, worktree: true, ...request });
  const refused = async (request: Partial<WorkplaceRequest>, code: string) => {
    const error = await resolve(request).then(
      () => assert.fail(`expected ${code}`),
      (error: unknown) => error,
    );
    assert.ok(error instanceof UserError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, /Nothing has been changed\.$/);
    assert.notEqual(error.action, '');
  };

  it('takes HEAD as the base and its branch as the target', async () => {
    assert.deepEqual(await resolve({}), {
      kind: 'worktree',
      cwd: app,
      repository: { name: 'app', commonDir: join(app, '.git'), root: app, bare: false },
      base: { name: 'HEAD', commit: person(app, 'rev-parse', 'HEAD') },
      target: 'refs/heads/main',
      subdirectory: '',
      uncommitted: 0,
    });
  });

  it('keeps a subfolder, and follows links to real paths', async () => {
    symlinkSync(join(app, 'packages'), join(dir, 'link'));
    const found = await resolve({ cwd: join(dir, 'link', 'x') });
    assert.ok(found.kind === 'worktree');
    assert.equal(found.cwd, join(app, 'packages', 'x'));
    assert.equal(found.subdirectory, join('packages', 'x'));
    assert.equal(found.repository.root, app);
  });

  it('targets the branch that base names, however it is spelled, but nothing else', async () => {
    const first = person(app, 'rev-parse', 'HEAD');
    person(app, 'branch', 'feature');
    person(app, 'tag', 'v1');
    person(app, 'update-ref', 'refs/remotes/origin/main', first);
    const target = async (base: string) => {
      const found = await resolve({ base });
      assert.ok(found.kind === 'worktree');
      assert.equal(found.base.commit, first);
      return found.target;
    };
    assert.equal(await target('feature'), 'refs/heads/feature');
    assert.equal(await target('refs/heads/feature'), 'refs/heads/feature');
    assert.equal(await target('HEAD'), 'refs/heads/main');
    for (const base of ['v1', 'origin/main', first, 'main~0'])
      assert.equal(await target(base), undefined, base);
    person(app, 'tag', 'feature');
    assert.equal(
      await target('feature'),
      'refs/heads/feature',
      'a branch goes before a tag of the same name',
    );
  });

  it('has no target at a detached HEAD', async () => {
    const other = repositoryAt(join(dir, 'detached'));
    person(other, 'checkout', '-q', '--detach');
    const found = await resolve({ cwd: other });
    assert.ok(found.kind === 'worktree');
    assert.equal('target' in found, false);
  });

  it('counts uncommitted changes', async () => {
    const dirty = repositoryAt(join(dir, 'dirty'), { a: '1', b: '1', '.gitignore': 'ignored' });
    write(dirty, { a: '2', new: '', ignored: '' });
    person(dirty, 'rm', '-q', 'b');
    for (const worktree of [true, false]) {
      const found = await resolve({ cwd: dirty, worktree });
      assert.equal(found.kind !== 'plain' && found.uncommitted, 3);
    }
  });

  it('works in place outside any repository, or where the job says so', async () => {
    const plain = join(dir, 'plain');
    mkdirSync(plain);
    assert.deepEqual(await resolve({ cwd: plain }), { kind: 'plain', cwd: plain });
    await refused({ cwd: plain, base: 'main' }, 'base-without-repository');
    const found = await resolve({ cwd: join(app, 'packages'), worktree: false });
    assert.equal(found.kind, 'in-place');
    assert.equal(found.cwd, join(app, 'packages'));
    await refused({ worktree: false, base: 'feature' }, 'base-without-worktree');
  });

  it('knows linked worktrees, submodules and bare repositories', async () => {
    person(app, 'worktree', 'add', '-q', '-b', 'linked', join(dir, 'linked'));
    const linked = await resolve({ cwd: join(dir, 'linked') });
    assert.ok(linked.kind === 'worktree');
    assert.deepEqual(linked.repository, {
      name: 'app',
      commonDir: join(app, '.git'),
      root: join(dir, 'linked'),
      bare: false,
    });
    assert.equal(linked.target, 'refs/heads/linked');

    const outer = repositoryAt(join(dir, 'outer'));
    person(outer, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', app, 'sub');
    const sub = await resolve({ cwd: join(outer, 'sub') });
    assert.ok(sub.kind === 'worktree');
    assert.equal(sub.repository.commonDir, join(outer, '.git', 'modules', 'sub'));
    assert.equal(sub.repository.root, join(outer, 'sub'));

    person(dir, 'clone', '-q', '--bare', app, 'bare.git');
    const bare = await resolve({ cwd: join(dir, 'bare.git') });
    assert.ok(bare.kind === 'worktree');
    assert.equal(bare.repository.bare, true);
    assert.equal(bare.repository.name, 'bare');
    assert.equal(bare.target, 'refs/heads/main');
    await refused({ cwd: join(dir, 'bare.git'), worktree: false }, 'bare-repository');
    await refused({ cwd: join(dir, 'bare.git'), base: 'nope' }, 'base-not-found');
  });

  it('refuses what cannot work, with a reason', async () => {
    await refused({ cwd: join(dir, 'nowhere') }, 'cwd-missing');
    await refused({ cwd: join(app, 'a.txt') }, 'cwd-not-a-folder');
    await refused({ cwd: join(app, 'a.txt', 'below') }, 'cwd-missing');
    await refused({ cwd: join(app, '.git') }, 'cwd-inside-git-folder');
    for (const base of ['nope', '--all', '-', 'main..feature', '^main', 'a.txt', '']) {
      await refused({ base }, 'base-not-found');
    }
    const empty = emptyRepositoryAt(join(dir, 'empty'));
    await refused({ cwd: empty }, 'empty-repository');
    assert.equal((await resolve({ cwd: empty, worktree: false })).kind, 'in-place');
    const orphan = repositoryAt(join(dir, 'orphan'));
    person(orphan, 'checkout', '-q', '--orphan', 'fresh');
    await refused({ cwd: orphan }, 'base-not-found');
    await refused({ cwd: repositoryAt(join(dir, 'two\nlines')) }, 'cwd-unsupported');
  });

  it('finds the folder in a worktree, but not through a link out of it', async () => {
    const tree = join(dir, 'tree');
    write(tree, { 'sub/x': '' });
    symlinkSync(dir, join(tree, 'out'));
    writeFileSync(join(tree, 'file'), '');
    assert.equal(await folderInWorktree(tree, 'sub'), join(tree, 'sub'));
    assert.equal(await folderInWorktree(tree, ''), tree);
    for (const sub of ['out', 'gone', 'file', join('file', 'x')]) {
      await assert.rejects(folderInWorktree(tree, sub), { code: 'cwd-not-in-base' });
    }
  });

  it('has a commit for a branch and a file of one name', async () => {
    const both = repositoryAt(join(dir, 'both'), { same: 'x' });
    person(both, 'branch', 'same');
    const tip = commit(both);
    const found = await resolve({ cwd: both, base: 'same' });
    assert.ok(found.kind === 'worktree');
    assert.notEqual(found.base.commit, tip);
    assert.equal(found.target, 'refs/heads/same');
  });
});
