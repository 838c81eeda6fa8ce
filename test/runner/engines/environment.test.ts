import assert from 'node:assert/strict';
import { engineEnvironment, secretsOf } from '../../../src/runner/engines/environment.ts';
import { engineCatalog } from '../../../src/runner/engines/registry.ts';

describe('engineEnvironment', () => {
  const host = {
    PATH: '/bin',
    HOME: '/home/me',
    LC_TIME: 'de',
    https_proxy: 'http://proxy',
    GOPATH: '/go',
    npm_config_cache: '/cache',
    npm_config__authToken: 'npm-secret',
    UV_PUBLISH_TOKEN: 'uv-secret',
    GITHUB_TOKEN: 'forge',
    GH_TOKEN: 'forge',
    GITLAB_TOKEN: 'forge',
    SSH_AUTH_SOCK: '/agent',
    GIT_ASKPASS: '/askpass',
    AQ_FLEET_TOKEN: 'fleet',
    AQ_HOME: '/aq',
    VSCODE_PID: '1',
    ELECTRON_RUN_AS_NODE: '1',
    NODE_OPTIONS: '--inspect',
    ANTHROPIC_API_KEY: 'model',
    OPENAI_API_KEY: 'other',
    COPILOT_ALLOW_ALL: 'true',
    DATABASE_URL: 'postgres://x',
    TERM: 'xterm',
    GONE: undefined,
  };

  it('lets the common ones through and nothing else', () => {
    assert.deepEqual(engineEnvironment(host, {}), {
      PATH: '/bin',
      HOME: '/home/me',
      LC_TIME: 'de',
      https_proxy: 'http://proxy',
      GOPATH: '/go',
      npm_config_cache: '/cache',
      TERM: 'dumb',
      NO_COLOR: '1',
      GIT_TERMINAL_PROMPT: '0',
    });
  });

  it("adds the descriptor's own by name and by prefix, but guarded ones only in full", () => {
    const own = engineEnvironment(host, { env: ['ANTHROPIC_*', 'GH_TOKEN', 'GIT*', 'AQ_*', '*'] });
    assert.equal(own['ANTHROPIC_API_KEY'], 'model');
    assert.equal(own['GH_TOKEN'], 'forge');
    for (const name of [
      'GITHUB_TOKEN',
      'GITLAB_TOKEN',
      'AQ_FLEET_TOKEN',
      'AQ_HOME',
      'NODE_OPTIONS',
      'VSCODE_PID',
    ]) {
      assert.equal(own[name], undefined, name);
    }
  });

  it('gives no built-in engine a forge credential, the fleet token or a switch to act without asking', () => {
    for (const descriptor of engineCatalog().descriptors.values()) {
      const env = engineEnvironment(host, descriptor);
      for (const name of [
        'GITHUB_TOKEN',
        'GH_TOKEN',
        'SSH_AUTH_SOCK',
        'AQ_FLEET_TOKEN',
        'COPILOT_ALLOW_ALL',
      ]) {
        assert.equal(env[name], undefined, `${descriptor.name} ${name}`);
      }
    }
  });

  it('sets what the descriptor and the caller say, the caller last', () => {
    const descriptor = { setEnv: { GOOSE_MODE: 'approve', TERM: 'vt100' }, env: ['GOOSE_*'] };
    const env = engineEnvironment({ GOOSE_MODE: 'auto' }, descriptor, { TERM: 'mine' });
    assert.equal(env['GOOSE_MODE'], 'approve');
    assert.equal(env['TERM'], 'mine');
  });

  it('knows no case on Windows', () => {
    const env = engineEnvironment(
      { Path: 'C:\\bin', SYSTEMROOT: 'C:\\Windows', Gh_Token: 'forge', node_options: 'x' },
      {},
      { PATH: 'D:\\bin' },
      'win32',
    );
    assert.deepEqual(
      [env['PATH'], env['Path'], env['SYSTEMROOT'], env['Gh_Token'], env['node_options']],
      ['D:\\bin', undefined, 'C:\\Windows', undefined, undefined],
    );
  });
});

describe('secretsOf', () => {
  it('finds values by name and passwords in URLs, longest first', () => {
    const found = secretsOf({
      GITHUB_TOKEN: 'ghp_1234567890',
      DB_PASSWORD: 'hunter2hunter2',
      SHORT_TOKEN: 'abc',
      MAX_TOKENS: '100000000',
      DATABASE_URL: 'postgres://me:p%40ssword-1@db/x',
      DEPLOY_KEY: '-----BEGIN KEY-----\nAAAABBBBCCCC\n-----END KEY-----',
      HOME: '/home/somebody-long',
      KEYBOARD: 'qwertyuiop',
      EMPTY_SECRET: '',
    });
    assert.deepEqual(
      new Set(found),
      new Set([
        'ghp_1234567890',
        'hunter2hunter2',
        'p%40ssword-1',
        'p@ssword-1',
        '-----BEGIN KEY-----',
        'AAAABBBBCCCC',
        '-----END KEY-----',
      ]),
    );
    assert.deepEqual(
      found.map(({ length }) => length),
      found.map(({ length }) => length).sort((a, b) => b - a),
    );
  });
});
