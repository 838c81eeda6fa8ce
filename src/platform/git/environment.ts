/**
 * The surroundings of our own git calls: what they may see of the environment, and the settings that override
 * the person's because they would make a background call run foreign code, wait for a person, or do more than
 * it was asked to.
 */

/** Variables that git, its filters (LFS), transports and credential helpers need. Nothing else is passed on. */
const PASSED_ON = new Set(
  [
    'PATH HOME USER LOGNAME TMPDIR EMAIL XDG_CONFIG_HOME XDG_CACHE_HOME',
    // Agents and helpers that hold credentials. Any command may need them: a partial clone or LFS fetches when it
    // checks out.
    'SSH_AUTH_SOCK SSH_AGENT_PID XDG_RUNTIME_DIR DBUS_SESSION_BUS_ADDRESS GNUPGHOME',
    'HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY SSL_CERT_FILE SSL_CERT_DIR CURL_CA_BUNDLE',
    // Windows.
    'SYSTEMROOT SYSTEMDRIVE WINDIR COMSPEC PATHEXT TEMP TMP USERPROFILE USERNAME HOMEDRIVE HOMEPATH',
    'APPDATA LOCALAPPDATA PROGRAMDATA PROGRAMFILES',
    // Of git's own only those that say who and by which means, never those that say which repository or index.
    'GIT_CONFIG_GLOBAL GIT_CONFIG_SYSTEM GIT_CONFIG_NOSYSTEM GIT_EXEC_PATH GIT_SSH GIT_SSH_COMMAND',
    'GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL',
    'GIT_SSL_CAINFO GIT_SSL_CAPATH GIT_PROXY_COMMAND',
  ].flatMap((names) => names.split(' ')),
);

const FIXED: Readonly<Record<string, string>> = {
  LC_ALL: 'C', // messages are read by program
  GIT_OPTIONAL_LOCKS: '0', // reading must not get into the way of the person's own git
  GIT_ADVICE: '0',
  GIT_PAGER: 'cat',
  GIT_EDITOR: 'false',
  GIT_SEQUENCE_EDITOR: 'false',
  // Nobody is there to answer: no question on a terminal, no window that asks for a password.
  GIT_TERMINAL_PROMPT: '0',
  GIT_ASKPASS: '',
  SSH_ASKPASS: 'false',
  SSH_ASKPASS_REQUIRE: 'force',
  GCM_INTERACTIVE: 'never',
};

const SETTINGS = [
  'core.hooksPath=/dev/null', // Git for Windows understands it as well
  'core.fsmonitor=false',
  'core.safecrlf=false', // `true` would refuse to record a file because of its line ends
  'color.ui=false',
  'gc.auto=0',
  'maintenance.auto=false',
  'submodule.recurse=false',
  'push.followTags=false',
  'push.recurseSubmodules=no',
  'i18n.commitEncoding=UTF-8',
  'i18n.logOutputEncoding=UTF-8',
  'advice.detachedHead=false',
];

/** `-c name=value` for each setting that our calls override. */
export const SETTING_ARGS: readonly string[] = SETTINGS.flatMap((setting) => ['-c', setting]);

/** What a git child of ours gets to see of the `surrounding` environment. */
export function gitEnvironment(surrounding: NodeJS.ProcessEnv): Record<string, string> {
  const passed = Object.entries(surrounding).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && PASSED_ON.has(entry[0].toUpperCase()),
  );
  return { ...Object.fromEntries(passed), ...FIXED };
}
