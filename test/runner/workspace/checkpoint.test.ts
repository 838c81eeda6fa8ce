import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { changedFiles } from '../../../src/runner/workspace/changes.ts';
import { type CheckpointRequest, checkpoint } from '../../../src/runner/workspace/checkpoint.ts';
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

describe('checkpoint', function () {
  this.timeout(30_000); // many processes: slow on a busy machine
  let app: string;
  const ref = 'refs/agent-queue/job/wip';
  beforeEach(() => {
    app = repositoryAt(join(scratch(), 'app'), { a: 'a', b: 'b', 'dir/c': 'c', '.gitignore': 'ignored\n' });
  });
  afterEach(removeScratch);
  const save = (more: Partial<CheckpointRequest> = {}) =>
    checkpoint(git, { worktree: app, ref, message: 'Job: wip', ...more });
  const filesOf = (oid: string) => person(app, 'ls-tree', '-r', '--name-only', oid).split('\n');

  it('records changed, new and deleted files, and nothing that is ignored', async () => {
    write(app, { a: 'changed', 'new/file': 'n', ignored: 'secret' });
    rmSync(join(app, 'b'));
    const head = person(app, 'rev-parse', 'HEAD');
    const saved = await save();
    assert.deepEqual(
      { ...saved, wipCommit: '' },
      { wipBranch: ref, wipCommit: '', changed: true, embedded: [], unreadable: [] },
    );
    assert.deepEqual(filesOf(saved.wipCommit), ['.gitignore', 'a', 'dir/c', 'new/file']);
    assert.equal(person(app, 'show', `${ref}:a`), 'changed');
    assert.equal(person(app, 'rev-parse', `${ref}^`), head);
    assert.equal(person(app, 'log', '-1', '--format=%an <%ae> %s', ref), 'Pat <pat@example.org> Job: wip');
  });

  it('leaves index, HEAD, branch, files and stash exactly as they were', async () => {
    write(app, { a: 'staged' });
    person(app, 'add', 'a');
    write(app, { a: 'and changed again', new: 'n' });
    const listRefs = () => person(app, 'for-each-ref', 'refs/heads', 'refs/stash');
    const look = () => [readFileSync(join(app, '.git/index'), 'hex'), listRefs(), person(app, 'reflog')];
    const before = look();
    await save();
    assert.deepEqual(look(), before);
    assert.equal(person(app, 'diff', '--cached', '--name-only'), 'a');
  });

  it('does not mind that the engine holds the index', async () => {
    writeFileSync(join(app, '.git/index.lock'), '');
    write(app, { a: 'changed' });
    assert.equal((await save()).changed, true);
    assert.equal(readFileSync(join(app, '.git/index.lock'), 'utf8'), '');
  });

  it('is HEAD itself when nothing has changed, and the same commit while nothing more has', async () => {
    const head = person(app, 'rev-parse', 'HEAD');
    assert.deepEqual(await save(), {
      wipBranch: ref,
      wipCommit: head,
      changed: false,
      embedded: [],
      unreadable: [],
    });
    assert.equal(person(app, 'rev-parse', ref), head);
    write(app, { a: 'changed' });
    const first = await save({ message: 'one' });
    assert.deepEqual(await save({ message: 'two' }), first);
    write(app, { a: 'a' });
    assert.equal((await save()).wipCommit, head, 'and back');
    assert.equal(person(app, 'rev-parse', ref), head);
  });

  it('sees a change of the same size in the same second as the add', async () => {
    // Git then has only the file's content to tell: the copied index must not look younger than the original.
    person(app, 'config', 'core.trustctime', 'false');
    person(app, 'config', 'core.checkStat', 'minimal');
    const past = new Date('2026-01-01T00:00:00Z');
    write(app, { a: 'X' });
    utimesSync(join(app, 'a'), past, past);
    person(app, 'add', 'a');
    utimesSync(join(app, '.git/index'), past, past);
    write(app, { a: 'Y' });
    utimesSync(join(app, 'a'), past, past);
    await save();
    assert.equal(person(app, 'show', `${ref}:a`), 'Y');
  });

  it('follows a commit that the engine makes', async () => {
    write(app, { a: '1' });
    await save();
    const own = commit(app, { a: '2' });
    write(app, { a: '3' });
    const { wipCommit } = await save();
    assert.equal(person(app, 'rev-parse', `${wipCommit}^`), own);
    assert.deepEqual(await save({ parent: 'HEAD~1' }).then(({ changed }) => changed), true);
  });

  it('reports repositories inside and keeps them out', async () => {
    repositoryAt(join(app, 'inner'));
    emptyRepositoryAt(join(app, 'empty one'));
    write(app, { 'empty one/x': 'x', new: 'n' });
    const saved = await save();
    assert.deepEqual([...saved.embedded].sort(), ['empty one', 'inner']);
    assert.deepEqual(saved.unreadable, []);
    assert.deepEqual(filesOf(saved.wipCommit), ['.gitignore', 'a', 'b', 'dir/c', 'new']);
  });

  it('never takes a repository around the worktree for its own', async () => {
    const inside = join(app, 'inside');
    mkdirSync(inside);
    await assert.rejects(checkpoint(git, { worktree: inside, ref, message: 'm' }), /not a git repository/);
    assert.equal(person(app, 'for-each-ref', 'refs/agent-queue'), '');
  });

  it('records a submodule that was added as one', async () => {
    const lib = repositoryAt(join(scratch(), 'lib'));
    person(app, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', lib, 'lib');
    repositoryAt(join(app, 'inner'));
    const saved = await save();
    assert.deepEqual(saved.embedded, ['inner']);
    const changes = await changedFiles(git, { cwd: app, base: 'HEAD', commit: saved.wipCommit });
    assert.deepEqual(
      changes.map(({ path, submodule }) => [path, submodule]),
      [
        ['.gitmodules', false],
        ['lib', true],
      ],
    );
  });

  it('looks again when a file vanishes while git reads', async () => {
    // The filter runs when git has listed the new files and reads the changed ones.
    person(app, 'config', 'filter.thief.clean', 'rm -f vanishing; cat');
    write(app, { '.gitattributes': 'a filter=thief\n', a: 'changed', vanishing: '', zlast: '' });
    const saved = await save();
    assert.deepEqual(saved.unreadable, []);
    assert.deepEqual(filesOf(saved.wipCommit), ['.gitattributes', '.gitignore', 'a', 'b', 'dir/c', 'zlast']);
  });

  it('records the rest when a file cannot be read, and says which', async () => {
    write(app, { new: '' });
    const complaint = 'error: open("locked"): Permission denied\nerror: unable to index file \'locked\'\n';
    const hindered = {
      ...git,
      run: async (args: readonly string[], options: Parameters<typeof git.run>[1]) => {
        const result = await git.run(args, options);
        return args.includes('add') ? { ...result, exitCode: 1, stderr: complaint } : result;
      },
    };
    const saved = await checkpoint(hindered, { worktree: app, ref, message: 'm' });
    assert.deepEqual(saved.unreadable, ['error: open("locked"): Permission denied']);
    assert.ok(filesOf(saved.wipCommit).includes('new'));
  });

  it('keeps weird names, links and modes', async () => {
    const names = [
      'new\nline',
      'tab\t',
      '"quotes" \'',
      ' space ',
      'ümlaut 🎉',
      '-dash',
      'back\\slash',
      ':(top)x',
    ];
    write(app, Object.fromEntries(names.map((name) => [name, name])));
    symlinkSync('/etc/passwd', join(app, 'link'));
    chmodSync(join(app, 'a'), 0o755);
    const { wipCommit } = await save();
    const changes = await changedFiles(git, { cwd: app, base: 'HEAD', commit: wipCommit });
    assert.deepEqual(changes.map(({ path }) => path).sort(), [...names, 'a', 'link'].sort());
    assert.equal(person(app, 'cat-file', '-p', `${wipCommit}:link`), '/etc/passwd');
  });

  it('works without a commit, without an identity, and in the middle of a merge', async () => {
    const empty = emptyRepositoryAt(join(scratch(), 'empty'));
    person(empty, 'config', '--unset', 'user.name');
    person(empty, 'config', '--unset', 'user.email');
    write(empty, { x: 'x' });
    const { wipCommit, changed } = await checkpoint(git, { worktree: empty, ref, message: 'm' });
    assert.equal(changed, true);
    assert.equal(
      person(empty, 'log', '--format=%an <%ae> %cn %P', wipCommit),
      'Agent Queue <agent-queue@localhost> Agent Queue ',
    );

    person(app, 'switch', '-q', '-c', 'other');
    commit(app, { a: 'theirs' });
    person(app, 'switch', '-q', 'main');
    commit(app, { a: 'ours' });
    assert.throws(() => person(app, 'merge', 'other'));
    await save();
    assert.match(person(app, 'show', `${ref}:a`), /<<<<<<<[^]*ours[^]*theirs/);
    assert.match(person(app, 'status', '--porcelain'), /^AA|UU a/m);
  });

  it('shows only what a job did in a checkout that was dirty before', async () => {
    write(app, { a: 'mine, uncommitted', mine: 'new of mine' });
    const base = await save({ ref: 'refs/agent-queue/job/base' });
    write(app, { b: 'by the job' });
    const after = await save({ parent: base.wipCommit });
    const changes = await changedFiles(git, { cwd: app, base: base.wipCommit, commit: after.wipCommit });
    assert.deepEqual(changes, [{ path: 'b', status: 'modified', binary: false, submodule: false }]);
    assert.equal(person(app, 'rev-parse', `${after.wipCommit}^`), base.wipCommit);
  });

  it('works in a linked worktree, from git’s point of view the same', async () => {
    const linked = join(scratch(), 'linked');
    person(app, 'worktree', 'add', '-q', linked);
    write(linked, { a: 'changed' });
    const { wipCommit } = await checkpoint(git, { worktree: linked, ref, message: 'm' });
    assert.equal(person(app, 'show', `${wipCommit}:a`), 'changed');
    mkdirSync(join(linked, 'void'));
    assert.equal((await checkpoint(git, { worktree: linked, ref, message: 'm' })).wipCommit, wipCommit);
  });
});

describe('changedFiles', function () {
  this.timeout(30_000); // many processes: slow on a busy machine
  afterEach(removeScratch);

  it('names each kind of change', async () => {
    const long = Array.from({ length: 40 }, (_, n) => `line ${n}`).join('\n');
    const app = repositoryAt(join(scratch(), 'app'), {
      'old name': long,
      edited: 'x',
      deleted: 'y',
      'image.png': Buffer.from([0, 1, 2]),
      'moved.bin': Buffer.from(`${long}\0`),
      link: 'z',
    });
    rmSync(join(app, 'old name'));
    rmSync(join(app, 'deleted'));
    rmSync(join(app, 'moved.bin'));
    rmSync(join(app, 'link'));
    symlinkSync('edited', join(app, 'link'));
    write(app, {
      'new\nname': `${long}\nmore`,
      edited: 'xx',
      'image.png': Buffer.from([0, 1, 3]),
      'moved\tto.bin': Buffer.from(`${long}\0!`),
      added: 'a',
    });
    const head = commit(app);
    const plain = { binary: false, submodule: false };
    assert.deepEqual(await changedFiles(git, { cwd: app, base: `${head}^`, commit: head }), [
      { path: 'added', status: 'added', ...plain },
      { path: 'deleted', status: 'deleted', ...plain },
      { path: 'edited', status: 'modified', ...plain },
      { path: 'image.png', status: 'modified', ...plain, binary: true },
      { path: 'link', status: 'type-changed', ...plain },
      { path: 'moved\tto.bin', status: 'renamed', oldPath: 'moved.bin', ...plain, binary: true },
      { path: 'new\nname', status: 'renamed', oldPath: 'old name', ...plain },
    ]);
    assert.deepEqual(await changedFiles(git, { cwd: app, base: head, commit: head }), []);
  });
});
