/**
 * What an engine sees of our environment: an allow-list, so that a credential which nobody thought of stays out.
 * Its own variables are named by its descriptor.
 */
import type { EngineDescriptor } from './descriptor.ts';

/** Names that any engine, and the tools it calls, may see. A trailing `*` matches any rest. */
const COMMON = [
  // The person and the machine
  'PATH HOME USER LOGNAME SHELL LANG LANGUAGE LC_* TZ TMPDIR TMP TEMP HOSTNAME XDG_*',
  // Proxies and certificates
  'HTTP_PROXY HTTPS_PROXY NO_PROXY ALL_PROXY http_proxy https_proxy no_proxy all_proxy SSL_CERT_FILE SSL_CERT_DIR',
  'NODE_EXTRA_CA_CERTS REQUESTS_CA_BUNDLE CURL_CA_BUNDLE GIT_SSL_CAINFO GIT_SSL_CAPATH',
  // Windows
  'SystemRoot SystemDrive windir ComSpec PATHEXT OS ProgramFiles* ProgramW6432 CommonProgramFiles* ProgramData',
  'ALLUSERSPROFILE APPDATA LOCALAPPDATA PUBLIC USERPROFILE USERNAME USERDOMAIN HOMEDRIVE HOMEPATH COMPUTERNAME',
  'PSModulePath PROCESSOR_ARCHITECTURE NUMBER_OF_PROCESSORS',
  // Toolchains
  'JAVA_HOME JDK_HOME ANDROID_HOME ANDROID_SDK_ROOT M2_HOME MAVEN_HOME MAVEN_OPTS GRADLE_HOME GRADLE_USER_HOME',
  'GRADLE_OPTS GOPATH GOROOT GOBIN GOCACHE GOPROXY GOPRIVATE GOFLAGS GOTOOLCHAIN CARGO_HOME RUSTUP_HOME',
  'RUSTUP_TOOLCHAIN NVM_DIR NVM_BIN FNM_* VOLTA_* ASDF_* MISE_* PNPM_HOME BUN_INSTALL DENO_DIR DENO_INSTALL',
  'COREPACK_* npm_config_* NPM_CONFIG_* YARN_* PYENV_ROOT VIRTUAL_ENV CONDA_* PIP_* PIPX_* UV_* POETRY_HOME',
  'RBENV_ROOT GEM_HOME GEM_PATH BUNDLE_PATH DOTNET_ROOT NUGET_PACKAGES CC CXX CFLAGS CXXFLAGS LDFLAGS',
  'CMAKE_PREFIX_PATH PKG_CONFIG_PATH LD_LIBRARY_PATH DYLD_LIBRARY_PATH HOMEBREW_* NIX_* DOCKER_HOST',
  'DOCKER_CONTEXT PLAYWRIGHT_BROWSERS_PATH',
].flatMap((line) => line.split(' '));

/** What passes only where a descriptor names it in full: forge credentials, our own variables, the editor's. */
const GUARDED = [
  'GH_TOKEN GITHUB_TOKEN GH_ENTERPRISE_TOKEN GITHUB_ENTERPRISE_TOKEN GITHUB_PAT GH_PAT GITLAB_TOKEN',
  'GITLAB_PRIVATE_TOKEN GLAB_TOKEN CI_JOB_TOKEN BITBUCKET_* GITEA_* FORGEJO_* AZURE_DEVOPS_* SYSTEM_ACCESSTOKEN',
  'GIT_ASKPASS SSH_ASKPASS SSH_AUTH_SOCK AQ_* VSCODE_* ELECTRON_* NODE_OPTIONS',
].flatMap((line) => line.split(' '));

/** No engine runs on a terminal: nothing may draw on one, or wait for somebody to type. */
const NO_TERMINAL = { TERM: 'dumb', NO_COLOR: '1', GIT_TERMINAL_PROMPT: '0' };

const SECRET_NAME =
  /TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|CREDENTIAL|AUTH$|_PAT$|_KEY$|^KEY$/i;
const URL_PASSWORD = /^[a-z][a-z0-9+.-]*:\/\/[^\s/@:]*:([^\s/@]+)@/i;
/** Shorter values would blot out half of a log. */
const SHORTEST_SECRET = 8;

/**
 * The environment of an engine's processes: what the allow-list and the descriptor's `env` let through of
 * `hostEnv`, then the descriptor's `setEnv`, then `extra` (among it a command's own `env`).
 */
export function engineEnvironment(
  hostEnv: Readonly<NodeJS.ProcessEnv>,
  descriptor: Pick<EngineDescriptor, 'env' | 'setEnv'>,
  extra: Readonly<Record<string, string>> = {},
  platform: NodeJS.Platform = process.platform,
): Record<string, string> {
  const anyCase = platform === 'win32';
  const own = descriptor.env ?? [];
  const result: Record<string, string> = {};
  const set = (name: string, value: string) => {
    if (anyCase) {
      for (const key of Object.keys(result)) {
        if (key.toUpperCase() === name.toUpperCase()) delete result[key];
      }
    }
    result[name] = value;
  };
  for (const [name, value] of Object.entries(hostEnv)) {
    if (value === undefined) continue;
    const named = own.some((pattern) => same(name, pattern, anyCase));
    const guarded = matchesAny(name, GUARDED, true);
    const common = matchesAny(name, COMMON, anyCase) && !SECRET_NAME.test(name);
    if (named || (!guarded && (common || matchesAny(name, own, anyCase)))) set(name, value);
  }
  for (const source of [NO_TERMINAL, descriptor.setEnv ?? {}, extra]) {
    for (const [name, value] of Object.entries(source)) set(name, value);
  }
  return result;
}

/**
 * The values in an environment that must not reach a log: those of variables with a secret-looking name, and
 * passwords in URLs. Longest first, so that a secret which contains another is taken out whole.
 */
export function secretsOf(hostEnv: Readonly<NodeJS.ProcessEnv>): string[] {
  const found = new Set<string>();
  const add = (value: string) => {
    if (value.length >= SHORTEST_SECRET) found.add(value);
  };
  for (const [name, value] of Object.entries(hostEnv)) {
    if (value === undefined) continue;
    const password = URL_PASSWORD.exec(value)?.[1];
    if (password !== undefined) {
      add(password);
      add(decoded(password));
    }
    // MAX_TOKENS=100000000 is a count.
    if (!SECRET_NAME.test(name) || /^\d+$/.test(value)) continue;
    // A log is redacted line by line, so that each line of a private key counts.
    for (const line of value.split(/[\r\n]+/)) add(line.trim());
  }
  return [...found].sort((a, b) => b.length - a.length);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function matchesAny(name: string, patterns: readonly string[], anyCase: boolean): boolean {
  return patterns.some((pattern) =>
    pattern.endsWith('*')
      ? same(name.slice(0, pattern.length - 1), pattern.slice(0, -1), anyCase)
      : same(name, pattern, anyCase),
  );
}

function same(a: string, b: string, anyCase: boolean): boolean {
  return anyCase ? a.toUpperCase() === b.toUpperCase() : a === b;
}
