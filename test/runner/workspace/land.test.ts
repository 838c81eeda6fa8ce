import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type LandRequest, landMerge } from '../../../src/runner/workspace/land.ts';
import { forgetRefs } from '../../../src/runner/workspace/refs.ts';
import type { Repository } from '../../../src/runner/workspace/repository.ts';
import {
  clock,
  commit,
  git,
  person,
  removeScratch,
  repositoryAt,
  repositoryOf,
  scratch,
  write,
} from './scratch.ts';

describe('landMerge', function () {
  this.timeout(30_000); // many processes: slow on a busy machine
  let app: string;
  let repository: Repository;
  let expected: string;
  let candidate: string;
  beforeEach(async () => {
    app = repositoryAt(join(scratch(), 'app'), { a: 'a\n', b: 'b\n', '.gitignore': 'ignored\n' });
    repository = await repositoryOf(app);
    expected = person(app, 'rev-parse', 'HEAD');
    person(app, 'switch', '-q', '-c', 'work');
    write(app, { ignored: 'by the job' });
    person(app, 'add', '-f', 'ignored');
    candidate = commit(app, { a: 'changed\n', 'new/file': 'n\n' });
    person(app, 'switch', '-q', 'main');
  });
  afterEach(removeScratch);

  const land = (more: Partial<LandRequest> = {}) =>
    landMerge(git, { repository, target: 'refs/heads/main', expected, candidate, clock, ...more });
  const tip = () => person(app, 'rev-parse', 'main');
  const blocked = async (pattern: RegExp, files: readonly string[] = []) => {
    const before = person(app, 'status', '--porcelain=v2', '--branch', '--ignored');
    const landing = await land();
    assert.ok(typeof landing === 'object' && 'blocked' in landing, JSON.stringify(landing));
    assert.match(landing.blocked, pattern);
    assert.deepEqual(landing.files, files);
    assert.equal(person(app, 'status', '--porcelain=v2', '--branch', '--ignored'), before);
  };

  it('moves a branch that is not checked out, and nothing else', async () => {
    person(app, 'switch', '-q', '-c', 'elsewhere');
    write(app, { a: 'mine' });
    assert.equal(await land(), 'landed');
    assert.equal(tip(), candidate);
    assert.equal(readFileSync(join(app, 'a'), 'utf8'), 'mine');
    assert.match(person(app, 'reflog', 'main'), /agent-queue: land/);
  });

  it('fast-forwards the checkout of the branch, sparing the person’s other files', async () => {
    write(app, { b: 'mine', mine: 'mine' });
    write(app, { staged: 's' });
    person(app, 'add', 'staged');
    assert.equal(await land(), 'landed');
    assert.equal(tip(), candidate);
    assert.equal(readFileSync(join(app, 'a'), 'utf8'), 'changed\n');
    assert.equal(person(app, 'status', '--porcelain'), ' M b\nA  staged\n?? mine');
  });

  it('finds the checkout among linked worktrees, whatever they are called', async () => {
    const linked = join(scratch(), 'li\nnked');
    person(app, 'switch', '-q', '--detach');
    person(app, 'worktree', 'add', '-q', linked, 'main');
    assert.equal(await land(), 'landed');
    assert.equal(readFileSync(join(linked, 'a'), 'utf8'), 'changed\n');
    assert.equal(person(linked, 'status', '--porcelain'), '');
    rmSync(linked, { recursive: true });
    const next = person(app, 'commit-tree', `${candidate}^{tree}`, '-p', candidate, '-m', 'next');
    assert.equal(await land({ expected: candidate, candidate: next }), 'landed', 'its folder is gone');
  });

  it('says that it has landed, when asked again after a crash', async () => {
    assert.equal(await land(), 'landed');
    assert.equal(await land(), 'landed');
    commit(app, { b: 'later' });
    assert.equal(await land(), 'landed');
  });

  it('says where the branch has moved to', async () => {
    const moved = commit(app, { b: 'somebody was faster' });
    assert.deepEqual(await land(), { moved });
    person(app, 'switch', '-q', '--detach');
    assert.deepEqual(await land(), { moved });
  });

  it('notices a branch that moves at the last moment', async () => {
    for (const checkedOut of [true, false]) {
      if (!checkedOut) person(app, 'switch', '-q', '--detach', 'main');
      person(app, 'update-ref', 'refs/heads/main', expected);
      person(app, 'reset', '-q', '--hard', expected);
      const faster = person(app, 'commit-tree', `${expected}^{tree}`, '-p', expected, '-m', 'faster');
      const racing = {
        ...git,
        run: (args: readonly string[], options: Parameters<typeof git.run>[1]) => {
          if (['merge', 'update-ref'].includes(args[0] ?? ''))
            person(app, 'update-ref', 'refs/heads/main', faster);
          return git.run(args, options);
        },
      };
      const request = { repository, target: 'refs/heads/main', expected, candidate, clock };
      assert.deepEqual(await landMerge(racing, request), { moved: faster });
      assert.equal(tip(), faster);
    }
  });

  it('is blocked by files of the person that it would overwrite', async () => {
    write(app, { a: 'mine' });
    await blocked(/uncommitted files/, ['a']);
    person(app, 'add', 'a');
    await blocked(/uncommitted files/, ['a']);
    person(app, 'reset', '-q', '--hard');
    write(app, { 'new/file': 'mine' });
    await blocked(/uncommitted files/, ['new/file']);
    rmSync(join(app, 'new'), { recursive: true });
    write(app, { new: 'a file where a folder is to be' });
    await blocked(/uncommitted files/, ['new']);
    rmSync(join(app, 'new'));
    write(app, { ignored: 'my secret' });
    await blocked(/uncommitted files/, ['ignored']);
    assert.equal(readFileSync(join(app, 'ignored'), 'utf8'), 'my secret');
    rmSync(join(app, 'ignored'));
    assert.equal(await land(), 'landed');
  });

  it('is blocked by something unfinished in that checkout', async () => {
    person(app, 'switch', '-q', '-c', 'other', 'main');
    commit(app, { b: 'other' });
    person(app, 'switch', '-q', 'main');
    person(app, 'merge', '-q', '--no-ff', '--no-commit', 'other');
    await blocked(/A merge is going on in .*app, which has main checked out/);
    person(app, 'merge', '--abort');

    person(app, 'bisect', 'start');
    await blocked(/A bisect is going on/);
    person(app, 'bisect', 'reset');

    person(app, '-c', 'sequence.editor=sed -i s/pick/edit/', 'rebase', '-i', '--root');
    assert.equal(person(app, 'rev-parse', '--abbrev-ref', 'HEAD'), 'HEAD');
    const landing = await land();
    assert.ok(typeof landing === 'object' && 'blocked' in landing);
    assert.match(landing.blocked, /A rebase is going on/);
    assert.equal(tip(), expected);
    person(app, 'rebase', '--abort');
    assert.equal(await land(), 'landed');
  });

  it('waits a moment for another git to leave the index, then says so', async () => {
    const lock = join(app, '.git/index.lock');
    writeFileSync(lock, '');
    const pauses: number[] = [];
    const patient = (freeAfter: number) => ({
      ...clock,
      sleep: async (ms: number) => {
        pauses.push(ms);
        if (pauses.length === freeAfter) rmSync(lock);
      },
    });
    const landing = await land({ clock: patient(99) });
    assert.match(JSON.stringify(landing), /A git command is going on/);
    assert.deepEqual(pauses.splice(0), [50, 100, 200, 400, 800]);
    assert.equal(await land({ clock: patient(2) }), 'landed');
    assert.equal(existsSync(lock), false);
  });

  it('refuses when the branch is gone', async () => {
    await assert.rejects(land({ target: 'refs/heads/gone' }), { code: 'target-missing' });
  });

  it('runs none of the person’s hooks', async () => {
    write(app, {
      '.git/hooks/post-merge': '#!/bin/sh\ntouch ran\n',
      '.git/hooks/reference-transaction': '#!/bin/sh\nexit 1\n',
    });
    person(app, 'config', 'core.hooksPath', '.git/hooks');
    for (const hook of ['post-merge', 'reference-transaction']) {
      writeFileSync(join(app, '.git/hooks', hook), readFileSync(join(app, '.git/hooks', hook)), {
        mode: 0o755,
      });
    }
    assert.equal(await land(), 'landed');
    assert.equal(existsSync(join(app, 'ran')), false);
  });
});

describe('forgetRefs', function () {
  this.timeout(30_000); // many processes: slow on a busy machine
  afterEach(removeScratch);

  it('deletes only what the target reaches, nobody has checked out, and has not moved', async () => {
    const app = repositoryAt(join(scratch(), 'app'));
    const ref = (name: string, at = 'HEAD') => {
      person(app, 'update-ref', name, at);
      return name;
    };
    const merged = ref('refs/heads/agent-queue/x');
    const wip = ref('refs/agent-queue/x/wip');
    const used = ref('refs/heads/agent-queue/used');
    person(app, 'worktree', 'add', '-q', join(scratch(), 'used'), 'agent-queue/used');
    const below = ref('refs/agent-queue/other/wip');
    const loose = ref('refs/agent-queue/x/loose', person(app, 'commit-tree', 'HEAD^{tree}', '-m', 'loose'));
    const refs = [merged, wip, used, loose, 'refs/heads/none', 'refs/agent-queue/other'];
    const { deleted, kept } = await forgetRefs(git, { cwd: app, refs, target: 'refs/heads/main' });
    assert.deepEqual([...deleted].sort(), [wip, merged]);
    assert.deepEqual([...kept].sort(), [loose, used]);
    const left = person(app, 'for-each-ref', '--format=%(refname)').split('\n');
    assert.deepEqual(left, [below, loose, used, 'refs/heads/main']);
    assert.deepEqual(await forgetRefs(git, { cwd: app, refs: [], target: 'refs/heads/main' }), {
      deleted: [],
      kept: [],
    });
  });
});
