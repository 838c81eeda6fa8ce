/**
 * The engines that Agent Queue knows without being told. What is said of claude, codex, copilot, gemini, opencode,
 * qwen, cline and amp is checked against the real programs by `npm run check:engines` and, but for amp, in whole
 * jobs by the conformance kit, `npm run test:engines`; of the others (devin,
 * cursor-agent, aider, goose) it is what their documentation says, for they are not on npm.
 *
 * Two rules hold for all: without `yolo: true` an engine is told, where it needs telling, not to act without
 * asking; and a variable that would switch that off from outside (`COPILOT_ALLOW_ALL`) is not in its `env`.
 */
import type { EngineDescriptor } from './descriptor.ts';
import {
  CLAUDE_EVENTS,
  CLINE_EVENTS,
  CODEX_EVENTS,
  COPILOT_EVENTS,
  GEMINI_EVENTS,
  GOOSE_EVENTS,
  OPENCODE_EVENTS,
  QWEN_EVENTS,
} from './dialects.ts';

/** The engine that runs a job's own `sh` blocks; see shell.ts. Its exit status alone decides. */
export const SHELL_ENGINE = 'shell';

const VERSION = ['--version'];

/** Keys of model services, for the engines that work with any of them. */
const MODEL_KEYS = [
  'ANTHROPIC_API_KEY',
  'ANTHROPIC_BASE_URL',
  'OPENAI_API_KEY',
  'OPENAI_API_BASE',
  'OPENAI_BASE_URL',
  'GEMINI_API_KEY',
  'GOOGLE_API_KEY',
  'OPENROUTER_API_KEY',
  'DEEPSEEK_API_KEY',
  'GROQ_API_KEY',
  'MISTRAL_API_KEY',
  'XAI_API_KEY',
  'OLLAMA_HOST',
  'OLLAMA_API_BASE',
];

/** Exit codes that gemini and its descendant qwen share. */
const GEMINI_EXIT_CODES: NonNullable<EngineDescriptor['exitCodes']> = {
  41: { code: 'login', meaning: 'it is not logged in' },
  42: { code: 'input', meaning: 'it refused its input' },
  44: { code: 'input', meaning: 'its sandbox could not be used' },
  52: { code: 'input', meaning: 'its configuration is not valid' },
  53: { code: 'limit', meaning: 'it reached its limit of turns' },
  130: { code: 'interrupted', meaning: 'it was interrupted' },
};

const CLAUDE_ARGS = ['-p', '--output-format', 'stream-json', '--verbose'];
const CODEX_ARGS = ['exec', '--json', '--skip-git-repo-check', '-C', '{cwd}'];
const GEMINI_ARGS = ['-o', 'stream-json', '--skip-trust'];
const QWEN_ARGS = ['-o', 'stream-json'];
const COPILOT_ARGS = ['--no-ask-user', '--no-auto-update', '--output-format', 'json', '-C', '{cwd}'];
const OPENCODE_ARGS = ['run', '--format', 'json', '--dir', '{cwd}'];
const CURSOR_ARGS = ['-p', '--output-format', 'stream-json', '--trust', '--workspace', '{cwd}'];
const GOOSE_ARGS = ['run', '-i', '-', '--output-format', 'stream-json', '--name', '{sessionId}'];

/**
 * OpenCode's own default is to act without asking, except outside the folder. Not `ask`: where nobody can answer, it
 * gives up at the first question, while what it knows to be denied it does without.
 */
const OPENCODE_CAREFUL = {
  '*': 'deny',
  read: { '*': 'allow', '*.env': 'deny', '*.env.*': 'deny', '*.env.example': 'allow' },
  glob: 'allow',
  grep: 'allow',
  list: 'allow',
  lsp: 'allow',
  skill: 'allow',
  task: 'allow',
  todoread: 'allow',
  todowrite: 'allow',
};

/** The built-in engines, in the order in which they are shown. */
export const BUILTIN_ENGINES: readonly EngineDescriptor[] = [
  {
    name: SHELL_ENGINE,
    label: 'Shell script',
    executable: [],
    versionArgs: [],
    prompt: 'file',
    args: ['{promptFile}'],
    session: 'none',
    claimable: false,
  },
  {
    name: 'devin',
    label: 'Devin CLI',
    executable: ['devin'],
    versionArgs: VERSION,
    prompt: 'file',
    args: ['-p', '--prompt-file', '{promptFile}'],
    yoloArgs: ['--permission-mode', 'dangerous'],
    session: 'none',
    resumeArgs: ['-p', '--prompt-file', '{promptFile}', '-r', '{sessionId}'],
    env: ['DEVIN_*', 'COGNITION_*'],
    login: 'devin auth login',
  },
  {
    name: 'claude',
    label: 'Claude Code',
    executable: ['claude'],
    versionArgs: VERSION,
    prompt: 'stdin',
    args: [...CLAUDE_ARGS, '--session-id', '{sessionId}'],
    yoloArgs: ['--dangerously-skip-permissions'],
    yoloRefusedForRoot: true,
    rootAllowedWith: { IS_SANDBOX: '1' },
    session: 'given',
    resumeArgs: [...CLAUDE_ARGS, '--resume', '{sessionId}'],
    events: CLAUDE_EVENTS,
    patterns: [
      { match: 'cannot be used with root', code: 'root' },
      { match: 'no conversation found with session id', code: 'no-session' },
      { match: 'please run /login|invalid api key|oauth token (has )?expired', code: 'login' },
      { match: 'usage limit|session limit|weekly limit|hit your .{0,20}limit', code: 'rate-limit' },
    ],
    // Not CLAUDE_*: a CLAUDECODE of the surrounding program would make it think that it runs inside itself.
    env: [
      'ANTHROPIC_*',
      'CLAUDE_CONFIG_DIR',
      'CLAUDE_CODE_OAUTH_TOKEN',
      'CLAUDE_CODE_USE_*',
      'CLAUDE_CODE_MAX_OUTPUT_TOKENS',
      'AWS_BEARER_TOKEN_BEDROCK',
      'AWS_PROFILE',
      'AWS_REGION',
      'CLOUD_ML_REGION',
      'IS_SANDBOX',
    ],
    install: 'npm install -g @anthropic-ai/claude-code',
    login: 'claude /login',
  },
  {
    name: 'codex',
    label: 'Codex CLI',
    executable: ['codex'],
    versionArgs: VERSION,
    prompt: 'stdin',
    args: [...CODEX_ARGS, '-'],
    yoloArgs: ['--dangerously-bypass-approvals-and-sandbox'],
    session: 'told',
    resumeArgs: [...CODEX_ARGS, 'resume', '{sessionId}', '-'],
    events: CODEX_EVENTS,
    patterns: [
      { match: 'missing environment variable', code: 'login' },
      { match: 'no rollout found for thread', code: 'no-session' },
    ],
    env: ['CODEX_*', 'OPENAI_*', 'AZURE_OPENAI_*'],
    install: 'npm install -g @openai/codex',
    login: 'codex login',
  },
  {
    name: 'gemini',
    label: 'Gemini CLI',
    executable: ['gemini'],
    versionArgs: VERSION,
    prompt: 'stdin',
    args: [...GEMINI_ARGS, '--session-id', '{sessionId}'],
    yoloArgs: ['-y'],
    session: 'given',
    resumeArgs: [...GEMINI_ARGS, '-r', '{sessionId}'],
    events: GEMINI_EVENTS,
    exitCodes: {
      ...GEMINI_EXIT_CODES,
      54: { code: 'failed', meaning: 'a tool failed in a way that it could not go on from' },
      55: { code: 'input', meaning: 'it does not trust the folder' },
    },
    patterns: [{ match: 'error resuming session', code: 'no-session' }],
    env: ['GEMINI_*', 'GOOGLE_*', 'CODE_ASSIST_ENDPOINT'],
    install: 'npm install -g @google/gemini-cli',
    login: 'gemini',
  },
  {
    name: 'qwen',
    label: 'Qwen Code',
    executable: ['qwen'],
    versionArgs: VERSION,
    prompt: 'stdin',
    args: [...QWEN_ARGS, '--session-id', '{sessionId}'],
    yoloArgs: ['-y'],
    session: 'given',
    resumeArgs: [...QWEN_ARGS, '-r', '{sessionId}'],
    events: QWEN_EVENTS,
    exitCodes: {
      ...GEMINI_EXIT_CODES,
      55: { code: 'limit', meaning: 'it reached its budget' },
    },
    patterns: [
      { match: 'no auth type is selected', code: 'login' },
      { match: 'no saved session found', code: 'no-session' },
    ],
    env: ['QWEN_*', 'DASHSCOPE_*', 'BAILIAN_*', ...MODEL_KEYS, 'OPENAI_MODEL'],
    install: 'npm install -g @qwen-code/qwen-code',
    login: 'qwen',
  },
  {
    name: 'copilot',
    label: 'GitHub Copilot CLI',
    executable: ['copilot'],
    versionArgs: VERSION,
    prompt: 'stdin',
    args: [...COPILOT_ARGS, '--session-id', '{sessionId}'],
    yoloArgs: ['--yolo'],
    session: 'given',
    resumeArgs: [...COPILOT_ARGS, '--resume={sessionId}'],
    events: COPILOT_EVENTS,
    patterns: [
      { match: 'no authentication information found', code: 'login' },
      { match: 'no session, task, or name matched', code: 'no-session' },
    ],
    env: ['COPILOT_GITHUB_TOKEN', 'COPILOT_OFFLINE', 'COPILOT_PROVIDER_*', 'COPILOT_MODEL', 'COPILOT_HOME'],
    install: 'npm install -g @github/copilot',
    login: 'copilot login',
  },
  {
    name: 'opencode',
    label: 'OpenCode',
    executable: ['opencode'],
    versionArgs: VERSION,
    prompt: 'stdin',
    args: OPENCODE_ARGS,
    yoloArgs: ['--auto'],
    carefulEnv: { OPENCODE_PERMISSION: JSON.stringify(OPENCODE_CAREFUL) },
    session: 'told',
    resumeArgs: [...OPENCODE_ARGS, '-s', '{sessionId}'],
    events: OPENCODE_EVENTS,
    patterns: [{ match: 'session not found', code: 'no-session' }],
    lingerMs: 5000,
    env: ['OPENCODE_*', ...MODEL_KEYS],
    install: 'npm install -g opencode-ai',
    login: 'opencode auth login',
  },
  {
    name: 'cursor-agent',
    label: 'Cursor Agent',
    executable: ['cursor-agent', 'agent'],
    versionArgs: VERSION,
    prompt: 'stdin',
    args: CURSOR_ARGS,
    yoloArgs: ['--force'],
    session: 'told',
    resumeArgs: [...CURSOR_ARGS, '--resume', '{sessionId}'],
    events: CLAUDE_EVENTS,
    env: ['CURSOR_API_KEY', 'CURSOR_CONFIG_DIR'],
    login: 'cursor-agent login',
  },
  {
    name: 'cline',
    label: 'Cline CLI',
    executable: ['cline'],
    versionArgs: VERSION,
    // `--json` takes no prompt from standard input (3.0.65), whatever its message says: the argument only names the file.
    prompt: 'file',
    args: [
      '--json',
      '-c',
      '{cwd}',
      '--auto-approve',
      '{yolo}',
      'Read the file {promptFile} and do what it says.',
    ],
    session: 'none',
    events: CLINE_EVENTS,
    // It keeps to itself for some seconds what it has to say to its hub.
    lingerMs: 5000,
    env: ['CLINE_API_KEY', 'CLINE_DIR', 'CLINE_VCR', 'CLINE_VCR_CASSETTE', ...MODEL_KEYS],
    install: 'npm install -g cline',
    login: 'cline auth',
  },
  {
    name: 'amp',
    label: 'Amp',
    executable: ['amp'],
    versionArgs: VERSION,
    prompt: 'stdin',
    args: ['-x', '--stream-json'],
    yoloArgs: ['--dangerously-allow-all'],
    session: 'told',
    resumeArgs: ['threads', 'continue', '{sessionId}', '-x', '--stream-json'],
    events: CLAUDE_EVENTS,
    // Without an account it takes the prompt for the login code that it asked for.
    patterns: [{ match: 'login failed|paste your code', code: 'login' }],
    env: ['AMP_*'],
    install: 'npm install -g @sourcegraph/amp',
    login: 'amp login',
  },
  {
    name: 'aider',
    label: 'Aider',
    executable: ['aider'],
    versionArgs: VERSION,
    prompt: 'file',
    args: ['--message-file', '{promptFile}', '--no-check-update', '--no-stream', '--no-pretty'],
    yoloArgs: ['--yes-always'],
    session: 'none',
    patterns: [{ match: 'litellm\\.(authenticationerror|permissiondenied)|no llm model was', code: 'login' }],
    env: ['AIDER_*', ...MODEL_KEYS],
    install: 'python -m pip install aider-install && aider-install',
    login: 'aider',
  },
  {
    name: 'goose',
    label: 'Goose',
    executable: ['goose'],
    versionArgs: VERSION,
    prompt: 'stdin',
    args: GOOSE_ARGS,
    // Its own default is to act without asking.
    carefulEnv: { GOOSE_MODE: 'approve' },
    yoloEnv: { GOOSE_MODE: 'auto' },
    session: 'given',
    resumeArgs: [...GOOSE_ARGS, '--resume'],
    events: GOOSE_EVENTS,
    patterns: [{ match: 'no provider configured|run .?goose configure', code: 'login' }],
    env: ['GOOSE_*', ...MODEL_KEYS],
    login: 'goose configure',
  },
];
