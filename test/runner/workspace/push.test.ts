import assert from 'node:assert/strict';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../../src/platform/errors.ts';
import { openPullRequest } from '../../../src/runner/workspace/pull-request.ts';
import { type PushRequest, pushBranch } from '../../../src/runner/workspace/push.ts';
import { chooseRemote, parseForgeUrl, remoteOf } from '../../../src/runner/workspace/remotes.ts';
import { git, person, removeScratch, repositoryAt, scratch, write } from './scratch.ts';

describe('pushBranch', function () {
  this.timeout(30_000); // many processes: slow on a busy machine
  let app: string;
  let remote: string;
  let first: string;
  beforeEach(() => {
    const dir = scratch();
    app = repositoryAt(join(dir, 'app'));
    remote = join(dir, 'remote.git');
    person(dir, 'init', '-q', '--bare', remote);
    person(app, 'remote', 'add', 'origin', remote);
    first = person(app, 'rev-parse', 'HEAD');
  });
  afterEach(removeScratch);
  const push = (commit: string, more: Partial<PushRequest> = {}) =>
    pushBranch(git, { cwd: app, remote: 'origin', branch: 'agent-queue/x', commit, ...more });
  const there = () => person(remote, 'rev-parse', 'agent-queue/x');

  it('pushes a commit that no branch has, twice if need be', async () => {
    const loose = person(app, 'commit-tree', 'HEAD^{tree}', '-p', 'HEAD', '-m', 'loose');
    await push(loose);
    await push(loose);
    assert.equal(there(), loose);
    assert.equal(person(app, 'config', '--list', '--local').includes('branch.'), false);
  });

  it('rewinds a branch only with the lease of what it pushed itself', async () => {
    const one = person(app, 'commit-tree', 'HEAD^{tree}', '-p', 'HEAD', '-m', 'one');
    const two = person(app, 'commit-tree', 'HEAD^{tree}', '-p', 'HEAD', '-m', 'two');
    await push(one);
    await assert.rejects(push(two), { code: 'push-rejected' });
    await assert.rejects(push(two, { lease: first }), { code: 'push-rejected' });
    assert.equal(there(), one);
    await push(two, { lease: one });
    assert.equal(there(), two);
  });

  it('runs no pre-push hook and pushes no tags', async () => {
    write(app, { '.git/hooks/pre-push': '#!/bin/sh\nexit 1\n' });
    chmodSync(join(app, '.git/hooks/pre-push'), 0o755);
    person(app, 'config', 'push.followTags', 'true');
    person(app, 'tag', '-a', '-m', 'v1', 'v1');
    await push(first);
    assert.equal(person(remote, 'tag'), '');
  });

  it('says what went wrong, without the credentials in the URL', async () => {
    person(app, 'remote', 'set-url', 'origin', 'http://pat:s3cret@127.0.0.1:1/x.git');
    const error = await push(first).catch((error: unknown) => error);
    assert.ok(error instanceof UserError);
    assert.equal(error.code, 'push-failed');
    assert.match(error.message, /127\.0\.0\.1:1/);
    assert.doesNotMatch(JSON.stringify([error.message, String(error.cause)]), /s3cret/);
  });
});

describe('remotes', function () {
  this.timeout(30_000); // many processes: slow on a busy machine
  afterEach(removeScratch);

  it('chooses as git does', async () => {
    const config = (entries: Record<string, string>) =>
      Object.entries(entries)
        .map(([key, value]) => `${key}\n${value}\0`)
        .join('');
    const two = { 'remote.origin.url': 'o', 'remote.up.url': 'u' };
    assert.deepEqual(chooseRemote(config(two), 'main'), { name: 'origin', url: 'o' });
    assert.equal(chooseRemote(config({ ...two, 'branch.main.remote': 'up' }), 'main')?.name, 'up');
    assert.equal(chooseRemote(config({ ...two, 'branch.main.remote': 'up' }), 'other')?.name, 'origin');
    const all = { ...two, 'branch.main.remote': 'origin', 'remote.pushdefault': 'up' };
    assert.equal(chooseRemote(config(all), 'main')?.name, 'up');
    assert.equal(
      chooseRemote(config({ ...all, 'branch.main.pushremote': 'origin' }), 'main')?.name,
      'origin',
    );
    assert.deepEqual(chooseRemote(config({ 'remote.a.b.url': 'x', 'remote.a.b.pushurl': 'p' }), undefined), {
      name: 'a.b',
      url: 'p',
    });
    const app = repositoryAt(join(scratch(), 'app'));
    await assert.rejects(remoteOf(git, { cwd: app }), { code: 'no-remote' });
    person(app, 'remote', 'add', 'mine', '/somewhere');
    assert.deepEqual(await remoteOf(git, { cwd: app, branch: 'refs/heads/main' }), {
      name: 'mine',
      url: '/somewhere',
    });
  });

  it('reads every spelling of a forge’s URL', () => {
    const acme = { host: 'github.com', owner: 'acme', name: 'app' };
    for (const url of [
      'https://github.com/acme/app',
      'https://github.com/acme/app.git',
      'https://user:token@GitHub.com/acme/app/',
      'git@github.com:acme/app.git',
      'github.com:acme/app',
      'ssh://git@github.com:22/acme/app.git',
    ]) {
      assert.deepEqual(parseForgeUrl(url), acme, url);
    }
    assert.equal(parseForgeUrl('https://gitlab.com/group/sub/app')?.owner, 'group/sub');
    for (const url of ['/srv/git/app.git', '../app', 'C:\\code\\app', 'C:/code/app', 'file:///srv/app']) {
      assert.equal(parseForgeUrl(url), undefined, url);
    }
  });
});

describe('openPullRequest', function () {
  this.timeout(30_000); // many processes: slow on a busy machine
  afterEach(removeScratch);

  /** A stand-in for gh that writes down how it was called and answers with `script`. */
  const withGh = (script: string) => {
    const dir = scratch();
    const executable = join(dir, 'gh');
    const record = `printf '%s\\n' "$@" >> '${dir}/argv'; env > '${dir}/env'; case "$*" in *POST*) cat > '${dir}/stdin';; esac`;
    writeFileSync(executable, `#!/bin/sh\n${record}\n${script}\n`, { mode: 0o755 });
    const read = (name: string) => readFileSync(join(dir, name), 'utf8');
    const request = {
      repository: { host: 'github.com', owner: 'acme', name: 'app' },
      head: 'agent-queue/x',
      base: 'main',
      title: 'Faster imports',
      body: 'Done.\n"quoted"',
      cwd: dir,
      env: { PATH: process.env['PATH'], GH_TOKEN: 'theirs', AQ_TOKEN: 'ours' },
      executable,
    };
    return { request, read };
  };
  const pull = '{"html_url":"https://github.com/acme/app/pull/7","number":7,"more":1}';

  it('passes title and text by standard input only', async () => {
    const { request, read } = withGh(`echo '${pull}'`);
    assert.deepEqual(await openPullRequest(request), {
      url: 'https://github.com/acme/app/pull/7',
      number: 7,
    });
    const { title, body, head, base } = request;
    assert.deepEqual(JSON.parse(read('stdin')), { title, body, head, base });
    assert.equal(
      read('argv'),
      'api\n--hostname\ngithub.com\n--method\nPOST\nrepos/acme/app/pulls\n--input\n-\n',
    );
    assert.match(read('env'), /^GH_TOKEN=theirs$/m);
    assert.doesNotMatch(read('env'), /AQ_TOKEN/);
  });

  it('finds the one that is open already', async () => {
    const { request, read } = withGh(
      `case "$*" in *POST*) echo '{"errors":[{"message":"A pull request already exists for acme:agent-queue/x."}]}'; echo 'gh: Validation Failed (HTTP 422)' >&2; exit 1;; esac; echo '[${pull}]'`,
    );
    assert.equal((await openPullRequest(request)).number, 7);
    assert.match(read('argv'), /^repos\/acme\/app\/pulls\?head=acme%3Aagent-queue%2Fx&state=open$/m);
  });

  it('tells a missing gh, a missing login and a refusal apart', async () => {
    const { request } = withGh('exit 4');
    await assert.rejects(openPullRequest(request), {
      code: 'gh-login',
      action: /gh auth login --hostname github.com/,
    });
    await assert.rejects(openPullRequest({ ...request, executable: join(request.cwd, 'no-gh') }), {
      code: 'gh-missing',
    });
    const refused = withGh("echo 'gh: Not Found (HTTP 404)' >&2; exit 1").request;
    await assert.rejects(openPullRequest(refused), {
      code: 'pull-request-failed',
      message: /Not Found \(HTTP 404\)/,
    });
    const nonsense = withGh('echo nonsense').request;
    await assert.rejects(openPullRequest(nonsense), { code: 'pull-request-failed' });
  });
});
