/** Adoption with real repositories: the whole or chosen files, on top of what the branch has now, and every conflict. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import type { Factory } from '../../../src/runner/factory.ts';
import { closeFactories, waitForStage } from '../support/factory.ts';
import { jobFile } from '../support/job-file.ts';
import { commit, git, scratchHome, scratchRepo, write } from '../support/scratch.ts';
import { quarantined } from './support/quarantined.ts';

const LONG = Array.from({ length: 30 }, (_, n) => `line ${n}\n`).join('');
const BINARY = Buffer.from([0, 1, 2, 3, 0, 255]);

describe('adopting a result', function () {
  this.timeout(30_000);
  let home: string;
  let repo: string;
  beforeEach(() => {
    home = scratchHome();
    repo = scratchRepo({
      files: {
        'a.txt': 'a\n',
        'long.txt': LONG,
        'old.txt': LONG.replaceAll('line', 'row'),
        'b.bin': BINARY,
        'run.sh': 'true\n',
      },
    });
    symlinkSync('a.txt', path.join(repo, 'link'));
    // A submodule is a pointer: what it points to need not be here.
    git(repo, 'update-index', '--add', '--cacheinfo', `160000,${'1'.repeat(40)},sub`);
    mkdirSync(path.join(repo, 'sub'));
    git(repo, 'add', 'link');
    git(repo, 'commit', '-q', '-m', 'link and submodule');
  });
  afterEach(closeFactories);

  const inRepo = (name: string) => path.join(repo, name);
  const adopt = (factory: Factory, id: string, files?: readonly string[]) =>
    factory.execute({ verb: 'adopt', id, ...(files && { files }) });
  const pointTo = (n: number) => `git update-index --cacheinfo 160000,${String(n).repeat(40)},sub`;
  /** What is different from main in the work of a job, as git tells it. */
  const workOf = async (factory: Factory, job: string) => {
    const { base, commit: work } = await factory.changes(job);
    assert.equal(base, git(repo, 'rev-parse', 'main'));
    return git(repo, 'diff-tree', '-r', '-M', '--name-status', base, work).split('\n');
  };

  it('makes a job in review of its own, on top of what has come to the branch since', async () => {
    const { factory, id } = await quarantined(home, repo, ['echo done > result.txt'], {
      manifest: { verify: ['test -f result.txt && test -f since.txt'], review: 'person', engine: 'shell' },
    });
    commit(repo, { 'since.txt': 'x\n' }, 'since');
    assert.deepEqual(await adopt(factory, id), {
      ok: true,
      message: `${id} is adopted: its work is now the job job-7, in review.`,
    });
    const row = await factory.job('job-7');
    assert.deepEqual(
      [row?.stage, row?.claim, row?.title, row?.files],
      ['review', undefined, 'Faster imports', 1],
    );
    assert.deepEqual(await workOf(factory, 'job-7'), ['A\tresult.txt']);
    assert.equal(
      git(repo, 'log', '-1', '--format=%s|%an', (await factory.changes('job-7')).commit),
      'Faster imports|Pat',
    );
    assert.ok(existsSync(path.join(row?.folder ?? '', 'since.txt')), 'it has a worktree, and that has both');
    assert.equal(
      (await factory.execute({ verb: 'approve', id: 'job-7' })).message,
      'job-7 has passed and is ready to ship.',
    );
    await factory.execute({ verb: 'ship', id: 'job-7' });
    assert.equal(git(repo, 'show', 'main:result.txt'), 'done');
    assert.equal(git(repo, 'for-each-ref', '--format=%(refname)', 'refs/agent-queue/job-7'), '');
    const entry = await factory.quarantine.entry(id);
    assert.deepEqual([entry?.settled?.as, entry?.settled?.job], ['adopted', 'job-7']);
    assert.equal(
      git(repo, 'rev-parse', entry?.work?.workRef ?? ''),
      entry?.work?.commit,
      'what it was made of is kept',
    );
    assert.equal((await adopt(factory, id)).code, 'settled');
  });

  it('can be sent back to its engine, and does not ship by itself', async () => {
    const { factory, id } = await quarantined(home, repo, ['echo more >> result.txt']);
    await adopt(factory, id);
    assert.equal((await factory.execute({ verb: 'sendBack', id: 'job-7', text: 'Again.' })).ok, true);
    await waitForStage(factory, 'job-7', ['queued', 'assigned', 'building']);
    await waitForStage(factory, 'job-7', 'review');
    const { commit: work } = await factory.changes('job-7');
    assert.equal(git(repo, 'show', `${work}:result.txt`), 'more\nmore');
  });

  it('that is sent back does not wait for jobs that only the coordinator knows', async () => {
    const { factory, id } = await quarantined(home, repo, ['echo more >> result.txt'], {
      manifest: { needs: ['only-the-coordinator-knows'] },
    });
    await adopt(factory, id);
    assert.equal((await factory.execute({ verb: 'sendBack', id: 'job-7', text: 'Again.' })).ok, true);
    await waitForStage(factory, 'job-7', ['assigned', 'building']);
  });

  it('of a job that was to ship by itself waits for a person', async () => {
    const { factory, fleet } = await quarantined(home, repo, ['true']);
    Object.assign(fleet, { permit: () => Promise.resolve('fenced') });
    const claim = { jobId: 'skipping', epoch: 1, leaseMs: 900_000 };
    await fleet.runner?.materialise({ claim, text: jobFile({ cwd: repo, review: 'skip' }) });
    await waitForStage(factory, 'skipping-e1', 'quarantine');
    Object.assign(fleet, { permit: () => Promise.resolve('accepted') });
    await adopt(factory, 'skipping-e1');
    await factory.execute({ verb: 'approve', id: 'skipping' });
    assert.equal((await factory.job('skipping'))?.readyToShip, true);
  });

  it('takes what is binary, renamed, deleted, executable, a link or a submodule as it is', async () => {
    const { factory, id } = await quarantined(home, repo, [
      'printf "\\001\\000\\002" > b.bin; git mv long.txt moved.txt; echo end >> moved.txt; git rm -q a.txt',
      'chmod +x run.sh; rm link; ln -s moved.txt link; printf "\\000" > new.bin',
      pointTo(2),
    ]);
    commit(repo, { 'since.txt': 'x\n' });
    assert.equal((await adopt(factory, id)).ok, true);
    assert.deepEqual(
      (await workOf(factory, 'job-7')).map((line) => line.replace(/^R\d+/, 'R')),
      ['D\ta.txt', 'M\tb.bin', 'M\tlink', 'R\tlong.txt\tmoved.txt', 'A\tnew.bin', 'M\trun.sh', 'M\tsub'],
    );
    const { commit: work } = await factory.changes('job-7');
    const tree = git(repo, 'ls-tree', '-r', work);
    assert.match(tree, /^100755 .*\trun\.sh$/m);
    assert.match(tree, /^120000 .*\tlink$/m);
    assert.match(tree, new RegExp(`^160000 commit 2{40}\tsub$`, 'm'));
    assert.equal(git(repo, 'show', `${work}:link`), 'moved.txt');
    const { folder = '' } = (await factory.job('job-7')) ?? {};
    assert.ok((lstatSync(path.join(folder, 'run.sh')).mode & 0o100) !== 0);
    assert.equal(readlinkSync(path.join(folder, 'link')), 'moved.txt');
  });

  interface Case {
    readonly what: string;
    /** What the job did, and what came to the branch meanwhile. */
    readonly ours: readonly string[];
    readonly since: () => void;
    readonly file: string;
    readonly kind: RegExp;
  }
  const CONFLICTS: readonly Case[] = [
    {
      what: 'a file that both have changed',
      ours: ['echo ours > a.txt'],
      since: () => write(repo, { 'a.txt': 'since\n' }),
      file: 'a.txt',
      kind: /contents/,
    },
    {
      what: 'a file that it has changed and that was deleted',
      ours: ['echo ours > a.txt'],
      since: () => rmSync(inRepo('a.txt')),
      file: 'a.txt',
      kind: /modify\/delete/,
    },
    {
      what: 'a file that it has deleted and that was changed',
      ours: ['rm a.txt'],
      since: () => write(repo, { 'a.txt': 'since\n' }),
      file: 'a.txt',
      kind: /modify\/delete/,
    },
    {
      what: 'a file that both have renamed, differently',
      ours: ['git mv long.txt mine.txt'],
      since: () => git(repo, 'mv', 'long.txt', 'since.txt'),
      file: 'mine.txt',
      kind: /rename\/rename/,
    },
    {
      what: 'a file that it has renamed and that was deleted',
      ours: ['git mv long.txt mine.txt'],
      since: () => rmSync(inRepo('long.txt')),
      file: 'mine.txt',
      kind: /rename\/delete/,
    },
    {
      what: 'a binary file that both have changed',
      ours: ['printf "\\000ours" > b.bin'],
      since: () => write(repo, { 'b.bin': Buffer.from([0, 9, 9]) }),
      file: 'b.bin',
      kind: /binary|contents/,
    },
    {
      what: 'a file that became executable and was deleted',
      ours: ['chmod +x run.sh'],
      since: () => rmSync(inRepo('run.sh')),
      file: 'run.sh',
      kind: /modify\/delete/,
    },
    {
      what: 'a submodule that both have moved',
      ours: [pointTo(2)],
      since: () => git(repo, 'update-index', '--cacheinfo', `160000,${'3'.repeat(40)},sub`),
      file: 'sub',
      kind: /submodule/,
    },
    {
      what: 'a link that both have pointed elsewhere',
      ours: ['ln -sfn ours link'],
      since: () => {
        rmSync(inRepo('link'));
        symlinkSync('since', inRepo('link'));
      },
      file: 'link',
      kind: /contents/,
    },
    {
      what: 'a file that became a link and was changed',
      ours: ['rm a.txt; ln -s run.sh a.txt'],
      since: () => write(repo, { 'a.txt': 'since\n' }),
      file: 'a.txt',
      kind: /distinct modes/,
    },
    {
      what: 'a file that both have added',
      ours: ['echo ours > new.txt'],
      since: () => write(repo, { 'new.txt': 'since\n' }),
      file: 'new.txt',
      kind: /add\/add|contents/,
    },
    {
      what: 'a file where there is a folder now',
      ours: ['echo ours > place'],
      since: () => write(repo, { 'place/file.txt': 'since\n' }),
      file: 'place',
      kind: /file\/directory/,
    },
  ];

  for (const { what, ours, since, file, kind } of CONFLICTS) {
    it(`shows ${what}, guesses nothing, and lets the rest be chosen`, async () => {
      const { factory, id } = await quarantined(home, repo, [...ours, 'echo fine > fine.txt']);
      since();
      git(repo, 'add', '-A', '--', '.', ':!sub');
      git(repo, 'commit', '-q', '-m', 'since');
      const before = git(repo, 'for-each-ref');
      const refused = await adopt(factory, id);
      assert.deepEqual([refused.ok, refused.code], [false, 'conflict']);
      const [, named = '', kinds = ''] =
        new RegExp(`(${file})(?: \\(([^)]*)\\))`).exec(refused.message) ?? [];
      assert.equal(named, file, refused.message);
      assert.match(kinds, kind);
      assert.match(refused.message, /conflicts with main in .* Nothing was adopted\.$/);
      assert.match(refused.action ?? '', /fine\.txt/);
      assert.equal(git(repo, 'for-each-ref'), before, 'nothing was made');
      assert.deepEqual(readdirSync(path.join(home, 'review')), []);
      assert.equal((await adopt(factory, id, [file])).code, 'conflict');
      assert.equal((await adopt(factory, id, ['fine.txt'])).ok, true);
      assert.deepEqual(await workOf(factory, 'job-7'), ['A\tfine.txt']);
    });
  }

  it('is clean where both have changed a file in different lines, or done the same', async () => {
    const { factory, id } = await quarantined(home, repo, [
      "sed -i 's/line 2$/ours 2/' long.txt; echo same > a.txt; chmod +x run.sh",
    ]);
    write(repo, {
      'long.txt': LONG.replace('line 27\n', 'since 27\n'),
      'a.txt': 'same\n',
      'run.sh': 'false\n',
    });
    git(repo, 'commit', '-q', '-am', 'since');
    assert.equal((await adopt(factory, id)).ok, true);
    assert.deepEqual(await workOf(factory, 'job-7'), ['M\tlong.txt', 'M\trun.sh']);
    const { commit: work } = await factory.changes('job-7');
    assert.match(git(repo, 'show', `${work}:long.txt`), /ours 2[^]*since 27/);
    assert.match(git(repo, 'ls-tree', work, 'run.sh'), /^100755/);
    assert.equal(git(repo, 'show', `${work}:run.sh`), 'false');
  });

  it('takes chosen files only, a renamed one as a whole, and refuses what is not there', async () => {
    const { factory, id } = await quarantined(home, repo, [
      'git mv old.txt new-name.txt; echo x > one.txt; rm a.txt; chmod +x run.sh',
      pointTo(2),
    ]);
    const missing = await adopt(factory, id, ['one.txt', 'nowhere.txt']);
    assert.deepEqual([missing.code, missing.ok], ['no-such-file', false]);
    assert.equal((await adopt(factory, id, [])).code, 'no-files');
    assert.equal((await adopt(factory, id, ['old.txt', 'sub', 'run.sh'])).ok, true);
    assert.deepEqual(await workOf(factory, 'job-7'), ['R100\told.txt\tnew-name.txt', 'M\trun.sh', 'M\tsub']);
  });

  it('refuses chosen files that stand where others were, unless those are chosen too', async () => {
    const { factory, id } = await quarantined(home, repo, ['rm a.txt; mkdir a.txt; echo x > a.txt/in']);
    const refused = await adopt(factory, id, ['a.txt/in']);
    assert.deepEqual([refused.ok, refused.code], [false, 'needs-others']);
    assert.equal((await adopt(factory, id, ['a.txt/in', 'a.txt'])).ok, true);
    assert.deepEqual(await workOf(factory, 'job-7'), ['D\ta.txt', 'A\ta.txt/in']);
  });

  it('has nothing to make where the branch has it all, or where the branch is gone', async () => {
    const { factory, id } = await quarantined(home, repo, ['echo done > result.txt']);
    commit(repo, { 'result.txt': 'done\n' });
    assert.equal((await adopt(factory, id)).code, 'nothing-new');
    git(repo, 'switch', '-q', '-c', 'elsewhere');
    git(repo, 'branch', '-D', 'main');
    const refused = await adopt(factory, id);
    assert.equal(refused.code, 'target-gone');
    assert.match(refused.message, /The branch main/);
  });

  it('of work in a person’s own checkout takes what the job did, and nothing of theirs', async () => {
    writeFileSync(inRepo('private.txt'), 'mine\n');
    const { factory, id } = await quarantined(home, repo, ['echo done > result.txt'], {
      manifest: { worktree: false },
    });
    git(repo, 'clean', '-qfd');
    git(repo, 'checkout', '-q', '--', '.');
    chmodSync(inRepo('run.sh'), 0o644);
    assert.equal((await adopt(factory, id)).ok, true);
    const { base, commit: work } = await factory.changes('job-7');
    assert.equal(git(repo, 'diff-tree', '-r', '--name-status', base, work), 'A\tresult.txt');
    assert.equal(existsSync(inRepo('result.txt')), false, 'the checkout is as it was');
  });

  it('asked for twice at once makes one job', async () => {
    const { factory, id } = await quarantined(home, repo, ['echo done > result.txt']);
    const answers = await Promise.all([
      adopt(factory, id),
      adopt(factory, id),
      factory.execute({ verb: 'requeue', id }),
    ]);
    assert.deepEqual(
      answers.map(({ ok, code }) => [ok, code]),
      [
        [true, undefined],
        [false, 'settled'],
        [false, 'settled'],
      ],
    );
    assert.deepEqual(readdirSync(path.join(home, 'review')), ['job-7.md']);
  });
});
