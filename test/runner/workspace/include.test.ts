import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { copyIncluded } from '../../../src/runner/workspace/include.ts';
import { acquireWorktree } from '../../../src/runner/workspace/worktrees.ts';
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

describe('copyIncluded', function () {
  this.timeout(30_000); // many processes: slow on a busy machine
  let app: string;
  let home: string;
  beforeEach(() => {
    const dir = scratch();
    home = join(dir, 'home');
    app = repositoryAt(join(dir, 'app'), {
      a: 'a',
      '.gitignore': '.env*\nnode_modules/\nsecrets/\nlink\ntracked.env\n',
    });
  });
  afterEach(removeScratch);

  const copy = async () => {
    const repository = await repositoryOf(app);
    const { path } = await acquireWorktree(git, {
      repository,
      home,
      commit: person(app, 'rev-parse', 'HEAD'),
      clock,
    });
    return { path, ...(await copyIncluded(git, { repository, worktree: path })) };
  };

  it('copies what git ignores and a pattern matches, with its mode, and nothing else', async () => {
    write(app, {
      '.worktreeinclude': '# local settings\n.env*\n!.env.never\nsecrets/\nnot-ignored\n',
      '.env': 'KEY=1',
      '.env.never': '',
      'sub/.env.local': 'KEY=2',
      'secrets/deep/new\nline': 's',
      'not-ignored': '',
      'node_modules/x/index.js': '',
    });
    chmodSync(join(app, '.env'), 0o600);
    const { path, copied, skipped } = await copy();
    assert.deepEqual([...copied].sort(), ['.env', 'secrets/deep/new\nline', 'sub/.env.local']);
    assert.deepEqual(skipped, []);
    assert.equal(readFileSync(join(path, '.env'), 'utf8'), 'KEY=1');
    assert.equal(statSync(join(path, '.env')).mode & 0o777, 0o600);
    assert.equal(person(path, 'status', '--porcelain'), '');
    assert.equal(existsSync(join(path, 'node_modules')), false);
  });

  it('does nothing without the file', async () => {
    write(app, { '.env': '' });
    assert.deepEqual((await copy()).copied, []);
  });

  it('copies no secret to where git would take it for work', async () => {
    person(app, 'rm', '-q', '--cached', '.gitignore');
    person(app, 'commit', '-q', '-m', 'no ignore file');
    write(app, { '.worktreeinclude': '.env\n', '.env': 'KEY' });
    const { path, copied, skipped } = await copy();
    assert.deepEqual(copied, []);
    assert.match(skipped[0]?.reason ?? '', /does not ignore it/);
    assert.equal(existsSync(join(path, '.env')), false);
  });

  it('neither follows nor leaves through links, and overwrites nothing', async () => {
    const outside = scratch();
    write(outside, { target: 'outside' });
    symlinkSync(outside, join(app, 'sub'));
    write(app, { 'tracked.env': 'committed' });
    person(app, 'add', '-f', 'tracked.env');
    commit(app);
    // In the worktree `sub` is now a link to somewhere else; here it becomes a real folder.
    person(app, 'rm', '-q', 'sub', 'tracked.env');
    write(app, { '.worktreeinclude': '.env\nlink\ntracked.env\n', 'sub/.env': 'KEY', 'tracked.env': 'mine' });
    symlinkSync(join(outside, 'target'), join(app, 'link'));
    const { path, copied, skipped } = await copy();
    assert.deepEqual(copied, []);
    const reasons = Object.fromEntries(skipped.map(({ path, reason }) => [path, reason]));
    assert.equal(reasons['link'], 'it is a symbolic link');
    assert.equal(existsSync(join(outside, '.env')), false);
    assert.equal(readFileSync(join(path, 'tracked.env'), 'utf8'), 'committed');
    assert.equal(Object.keys(reasons).length, 3, JSON.stringify(reasons));
  });
});
