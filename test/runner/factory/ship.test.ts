/** How work leaves: merges into branches that are or are not checked out, pushes, pull requests, nothing. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Factory } from '../../../src/runner/factory.ts';
import { program } from '../support/engines.ts';
import { closeFactories, openTestFactory, waitForStage } from '../support/factory.ts';
import { jobFile, script } from '../support/job-file.ts';
import {
  commit,
  environment,
  git,
  scratchFolder,
  scratchHome,
  scratchRepo,
  write,
} from '../support/scratch.ts';

describe('ship', function () {
  this.timeout(20_000);
  afterEach(closeFactories);

  let factory: Factory;
  async function open(options: Parameters<typeof openTestFactory>[1] = {}): Promise<string> {
    const home = scratchHome();
    factory = await openTestFactory(home, options);
    await factory.startRunner();
    return home;
  }

  /** A job that has passed and waits for Ship. */
  async function passed(front: Record<string, unknown>, name = 'one'): Promise<string> {
    const id = await factory.add(jobFile(front), name);
    await waitForStage(factory, id, 'review');
    assert.deepEqual(await factory.execute({ verb: 'approve', id }), {
      ok: true,
      message: `${id} has passed and is ready to ship.`,
    });
    return id;
  }

  it('leaves a person’s other uncommitted files alone, and refuses where it would disturb them', async () => {
    await open();
    const repo = scratchRepo({ files: { 'a.txt': 'a\n', 'b.txt': 'b\n' } });
    write(repo, { 'b.txt': 'mine\n', 'new.txt': 'mine\n' });
    const apart = await passed({ cwd: repo }, 'apart');
    assert.equal((await factory.execute({ verb: 'ship', id: apart })).ok, true);
    assert.equal(git(repo, 'status', '--porcelain'), ' M b.txt\n?? new.txt');
    assert.equal(readFileSync(path.join(repo, 'result.txt'), 'utf8'), 'done\n');

    const same = await passed(
      { cwd: repo, body: script('echo engine > b.txt; echo engine > new.txt') },
      'same',
    );
    const refused = await factory.execute({ verb: 'ship', id: same });
    assert.equal(refused.code, 'checkout-busy');
    assert.match(refused.message, /b\.txt.*new\.txt|new\.txt.*b\.txt/);
    assert.equal(readFileSync(path.join(repo, 'b.txt'), 'utf8'), 'mine\n');
    assert.equal((await factory.job(same))?.stage, 'testing');
    git(repo, 'checkout', '-q', '--', 'b.txt');
    git(repo, 'clean', '-qf');
    assert.equal((await factory.execute({ verb: 'ship', id: same })).ok, true);
    assert.equal(readFileSync(path.join(repo, 'b.txt'), 'utf8'), 'engine\n');
  });

  it('lands on a branch that nobody has checked out', async () => {
    await open();
    const repo = scratchRepo();
    git(repo, 'checkout', '-q', '-b', 'elsewhere');
    const id = await passed({ cwd: repo, base: 'main' });
    assert.equal((await factory.execute({ verb: 'ship', id })).ok, true);
    assert.equal(git(repo, 'show', 'main:result.txt'), 'done');
    assert.equal(existsSync(path.join(repo, 'result.txt')), false);
    assert.equal(git(repo, 'status', '--porcelain'), '');
  });

  it('verifies again what has to be built again, because the branch moved between verify and Ship', async () => {
    await open();
    const repo = scratchRepo();
    const counter = path.join(scratchFolder(), 'verified');
    const id = await passed({ cwd: repo, verify: [`ls >> '${counter}'; echo -- >> '${counter}'`] });
    commit(repo, { 'late.txt': 'x' }, 'late');
    assert.equal((await factory.execute({ verb: 'ship', id })).ok, true);
    const [first = '', second = ''] = readFileSync(counter, 'utf8').split('--\n');
    assert.deepEqual([first.includes('late.txt'), second.includes('late.txt')], [false, true]);
    assert.equal(git(repo, 'show', 'main:late.txt'), 'x');
    assert.equal(git(repo, 'show', 'main:result.txt'), 'done');
  });

  it('goes back to review when the branch that moved makes verify fail', async () => {
    await open();
    const repo = scratchRepo();
    const id = await passed({ cwd: repo, verify: ['test ! -e late.txt'] });
    const late = commit(repo, { 'late.txt': 'x' }, 'late');
    assert.equal((await factory.execute({ verb: 'ship', id })).code, 'verify');
    assert.equal((await factory.job(id))?.stage, 'review');
    assert.equal(git(repo, 'rev-parse', 'main'), late);
  });

  it('pushes a branch of its own', async () => {
    await open();
    const repo = scratchRepo();
    const remote = path.join(scratchFolder(), 'far.git');
    git(repo, 'init', '-q', '--bare', remote);
    git(repo, 'remote', 'add', 'origin', remote);
    const before = git(repo, 'rev-parse', 'main');
    const id = await passed({ cwd: repo, ship: 'push' });
    assert.deepEqual(await factory.execute({ verb: 'ship', id }), {
      ok: true,
      message: 'one has shipped: pushed to origin as agent-queue/one.',
    });
    assert.equal(git(remote, 'show', 'agent-queue/one:result.txt'), 'done');
    assert.equal(git(repo, 'rev-parse', 'main'), before);
  });

  it('a push that cannot be done leaves the job waiting, with the reason', async () => {
    await open();
    const repo = scratchRepo();
    git(repo, 'remote', 'add', 'origin', path.join(scratchFolder(), 'nowhere.git'));
    const id = await passed({ cwd: repo, ship: 'push' });
    const answer = await factory.execute({ verb: 'ship', id });
    assert.equal(answer.code, 'push-failed');
    assert.deepEqual(
      [(await factory.job(id))?.stage, (await factory.job(id))?.readyToShip],
      ['testing', true],
    );
  });

  it('pushes to the same branch again, although the one here goes by another name by then', async () => {
    await open();
    const remote = path.join(scratchFolder(), 'remote.git');
    const repo = scratchRepo();
    git(repo, 'clone', '-q', '--bare', '.', remote);
    git(repo, 'remote', 'add', 'origin', path.join(remote, 'not-there'));
    const id = await passed({ cwd: repo, ship: 'push', body: script('echo again >> work.txt') });
    assert.equal((await factory.execute({ verb: 'ship', id })).code, 'push-failed');
    const { folder = '' } = (await factory.job(id)) ?? {};
    // Whoever has the branch checked out elsewhere keeps it from being made anew.
    git(repo, 'worktree', 'remove', '--force', folder);
    git(repo, 'worktree', 'add', '-q', path.join(scratchFolder(), 'elsewhere'), 'agent-queue/one');
    git(repo, 'remote', 'set-url', 'origin', remote);
    await factory.execute({ verb: 'sendBack', id, text: 'Once more.' });
    await waitForStage(factory, id, ['queued', 'assigned', 'building']);
    const row = await waitForStage(factory, id, 'review');
    assert.equal(git(row.folder ?? '', 'branch', '--show-current'), 'agent-queue/one-2');
    assert.equal((await factory.execute({ verb: 'approve', id })).ok, true);
    assert.deepEqual(await factory.execute({ verb: 'ship', id }), {
      ok: true,
      message: 'one has shipped: pushed to origin as agent-queue/one.',
    });
    assert.equal(
      git(remote, 'branch', '--list', '--format=%(refname:short)', 'agent-queue/*'),
      'agent-queue/one',
    );
    assert.equal(git(remote, 'show', 'agent-queue/one:work.txt'), 'again\nagain');
  });

  it('opens a pull request', async () => {
    const said = path.join(scratchFolder(), 'said');
    const gh = program(
      `echo "$@" >> '${said}'; cat >> '${said}'; echo '{"html_url":"https://github.com/acme/app/pull/7","number":7}'`,
      'gh',
    );
    const remote = path.join(scratchFolder(), 'far.git');
    const repo = scratchRepo();
    git(repo, 'init', '-q', '--bare', remote);
    git(repo, 'remote', 'add', 'origin', 'https://github.com/acme/app.git');
    git(repo, 'config', `url.${remote}.insteadOf`, 'https://github.com/acme/app.git');
    await open({ env: environment({ PATH: `${path.dirname(gh)}:${process.env['PATH']}` }) });
    const id = await passed({ cwd: repo, ship: 'pr', title: 'Faster -- "imports"' });
    const answer = await factory.execute({ verb: 'ship', id });
    assert.deepEqual(answer, { ok: true, message: 'one has shipped: pull request #7 opened.' });
    assert.equal((await factory.job(id))?.landed?.url, 'https://github.com/acme/app/pull/7');
    assert.equal(git(remote, 'show', 'agent-queue/one:result.txt'), 'done');
    const { title, head, base } = JSON.parse(readFileSync(said, 'utf8').replace(/^.*\n/, '')) as Record<
      string,
      string
    >;
    assert.deepEqual([title, head, base], ['Faster -- "imports"', 'agent-queue/one', 'main']);
  });

  it('with `none` leaves the work on its branch', async () => {
    await open();
    const repo = scratchRepo();
    const id = await passed({ cwd: repo, ship: 'none' });
    assert.equal((await factory.execute({ verb: 'ship', id })).ok, true);
    const { landed } = (await factory.job(id)) ?? {};
    assert.equal(git(repo, 'show', `${landed?.commit}:result.txt`), 'done');
    assert.equal(landed?.text, 'done; the work is on agent-queue/one');
    assert.equal(git(repo, 'show', 'agent-queue/one:result.txt'), 'done', 'it is where we say it is');
  });

  it('uses a finished worktree again', async () => {
    const home = await open();
    const repo = scratchRepo();
    for (const name of ['one', 'two', 'three']) {
      const id = await factory.add(
        jobFile({ cwd: repo, review: 'skip', body: script(`echo ${name} > ${name}.txt`), verify: ['true'] }),
        name,
      );
      await waitForStage(factory, id, 'shipped');
    }
    const [pool = ''] = readdirSync(path.join(home, 'worktrees'));
    const slots = readdirSync(path.join(home, 'worktrees', pool)).filter((name) => !name.endsWith('.idle'));
    assert.ok(slots.length <= 2, slots.join());
    assert.equal(git(repo, 'show', 'main:three.txt'), 'three');
  });
});
