import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gitEnvironment } from '../../src/platform/git/environment.ts';
import { GitError, machineFault, redactUrls } from '../../src/platform/git/error.ts';
import { createGit } from '../../src/platform/git/git.ts';

describe('git', function () {
  this.timeout(30_000); // many processes: slow on a busy machine
  let dir: string;
  let repository: string;
  const env = { PATH: process.env['PATH'], HOME: '/nonexistent', GIT_CONFIG_NOSYSTEM: '1' };
  const git = createGit({ env });
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'aq-git-'));
    repository = join(dir, 'repository');
    execFileSync('git', ['init', '-q', '-b', 'main', repository], { env });
  });
  after(() => rmSync(dir, { recursive: true, force: true }));

  /** A stand-in for git that shows what it was given. */
  const fake = (name: string, script: string) => {
    const executable = join(dir, name);
    writeFileSync(executable, `#!/bin/sh\n${script}\n`);
    chmodSync(executable, 0o755);
    return executable;
  };

  it('returns what the command printed, and reads its input', async () => {
    const input = 'größer\n'.repeat(50_000);
    const { stdout } = await git.run(['hash-object', '-w', '--stdin'], { cwd: repository, input });
    const read = await git.run(['cat-file', 'blob', stdout.trim()], { cwd: repository });
    assert.equal(read.stdout, input);
    assert.equal(read.exitCode, 0);
    const bytes = Buffer.from([0, 0xff, 0xfe]);
    const { stdout: id } = await git.run(['hash-object', '-w', '--stdin'], { cwd: repository, input: bytes });
    assert.deepEqual(
      (await git.runBytes(['cat-file', 'blob', id.trim()], { cwd: repository })).stdout,
      bytes,
    );
  });

  it('throws for any exit code that is no answer', async () => {
    const args = ['rev-parse', '--verify', 'HEAD'];
    await assert.rejects(git.run(args, { cwd: repository }), (error) => {
      assert.ok(error instanceof GitError);
      assert.equal(error.exitCode, 128);
      assert.deepEqual(error.args, args);
      assert.match(
        error.message,
        /^git rev-parse --verify HEAD failed \(exit code 128\): fatal: Needed a single revision$/,
      );
      return true;
    });
    assert.equal((await git.run(args, { cwd: repository, answers: [128] })).exitCode, 128);
  });

  it('sees nothing of the surrounding repository, secrets or prompts', async () => {
    const surrounding = {
      ...env,
      GIT_DIR: '/elsewhere',
      GIT_INDEX_FILE: '/x',
      GITHUB_TOKEN: 't',
      AQ_TOKEN: 't',
      SSH_ASKPASS: 'ask',
      Path: 'p',
    };
    const passed = gitEnvironment(surrounding);
    for (const name of ['GIT_DIR', 'GIT_INDEX_FILE', 'GITHUB_TOKEN', 'AQ_TOKEN'])
      assert.equal(name in passed, false, name);
    assert.equal(passed['Path'], 'p', 'Windows spells it so');
    assert.equal(passed['SSH_ASKPASS'], 'false');
    assert.equal(passed['GIT_TERMINAL_PROMPT'], '0');
    const { stdout } = await createGit({ env: surrounding }).run(['rev-parse', '--git-dir'], {
      cwd: repository,
    });
    assert.equal(stdout, '.git\n');
  });

  it('runs neither hooks nor a file system monitor of the repository', async () => {
    const at = createGit({ env });
    for (const hook of ['post-index-change', 'monitor', 'reference-transaction']) {
      fake(`repository/.git/hooks/${hook}`, `touch "${dir}/ran-${hook}"`);
    }
    execFileSync('git', ['config', 'core.fsmonitor', '.git/hooks/monitor'], { cwd: repository, env });
    writeFileSync(join(repository, 'file'), '');
    await at.run(['add', 'file'], { cwd: repository });
    await at.run(['status'], { cwd: repository });
    const tree = (await at.run(['write-tree'], { cwd: repository })).stdout.trim();
    await at.run(['update-ref', 'refs/trees/x', tree], { cwd: repository });
    for (const hook of ['post-index-change', 'monitor', 'reference-transaction']) {
      assert.equal(existsSync(join(dir, `ran-${hook}`)), false, hook);
    }
  });

  it('uses another index when told to', async () => {
    const indexFile = join(dir, 'other index');
    await git.run(['add', '--all'], { cwd: repository, indexFile });
    assert.ok(existsSync(indexFile));
  });

  it('ends the command when the signal says so', async () => {
    const slow = createGit({ env, executable: fake('slow', 'exec sleep 60') });
    const abort = new AbortController();
    const running = slow.run(['x'], { cwd: dir, signal: abort.signal });
    abort.abort();
    await assert.rejects(running, { name: 'AbortError' });
  });

  it('tells a missing git from a missing folder', async () => {
    const none = createGit({ env, executable: join(dir, 'no-git') });
    await assert.rejects(none.run(['version'], { cwd: dir }), { code: 'git-missing' });
    await assert.rejects(git.run(['version'], { cwd: join(dir, 'gone') }), { code: 'folder-missing' });
  });

  it('knows the floor, and asks again after a refusal', async () => {
    await git.requireFloor();
    const script = join(dir, 'version.txt');
    const executable = fake('versioned', `cat "${script}"`);
    const versioned = createGit({ env, executable });
    for (const old of ['2.37.9', '1.99.0', 'nonsense']) {
      writeFileSync(script, `git version ${old}\n`);
      await assert.rejects(versioned.requireFloor(), { code: 'git-too-old' });
    }
    for (const good of ['2.38.0', '2.100.1.windows.1', '3.0.0 (Apple Git-1)']) {
      writeFileSync(script, `git version ${good}\n`);
      await createGit({ env, executable }).requireFloor();
    }
    await versioned.requireFloor();
    writeFileSync(script, '');
    await versioned.requireFloor();
  });

  it('turns faults of the machine into sentences, even among the answers', async () => {
    const full = createGit({
      env,
      executable: fake('full', 'echo "fatal: write error: No space left on device" >&2; exit 128'),
    });
    await assert.rejects(full.run(['add'], { cwd: dir, answers: [128] }), { code: 'disk-full' });
    assert.equal(machineFault('error: unable to create x: Read-only file system')?.code, 'disk-read-only');
    const untrusted = "fatal: detected dubious ownership in repository at '/srv/app'\nTo add an exception…";
    assert.match(machineFault(untrusted)?.action ?? '', /safe\.directory '\/srv\/app'/);
    assert.equal(machineFault('fatal: anything else'), undefined);
  });

  it('keeps credentials out of errors', () => {
    const text =
      "fatal: unable to access 'https://pat:t0ken@host/x.git/': and http://t0ken@host, ssh://git:t0ken@h@host/x";
    assert.doesNotMatch(redactUrls(text), /t0ken/);
    assert.match(redactUrls(text), /'https:\/\/host\/x\.git\/'/);
    assert.equal(redactUrls('https://host/a@b git@host:a/b a@{1}'), 'https://host/a@b git@host:a/b a@{1}');
    assert.doesNotMatch(new GitError(['push', 'https://u:t0ken@host/'], 1, text).message, /t0ken/);
  });
});
