import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Seat } from '../seat.ts';

export const codex: Seat = {
  engine: 'codex',
  protocol: 'responses',
  prepare: ({ home, url, login, forbidden }) => {
    const folder = path.join(home, '.codex');
    mkdirSync(folder, { recursive: true });
    writeFileSync(
      path.join(folder, 'config.toml'),
      `model = "gpt-5-codex"
model_provider = "stub"
check_for_update_on_startup = false

[analytics]
enabled = false

[model_providers.stub]
name = "stub"
base_url = "${url}/v1"
wire_api = "responses"
${login ? 'env_key = "OPENAI_API_KEY"' : 'requires_openai_auth = true'}
request_max_retries = 1
stream_max_retries = 1
stream_idle_timeout_ms = 4000
`,
    );
    if (forbidden) {
      mkdirSync(path.join(folder, 'rules'));
      const rule = 'prefix_rule(pattern=["touch"], decision="forbidden")\n';
      writeFileSync(path.join(folder, 'rules', 'default.rules'), rule);
    }
    return { env: { ...(login && { OPENAI_API_KEY: 'sk-stub-0123456789' }) } };
  },
  edit: (file, content) => ({
    kind: 'call',
    tool: 'exec_command',
    input: { cmd: `printf '%s' '${content}' > '${file}'` },
  }),
  shell: (command) => ({
    kind: 'call',
    tool: 'exec_command',
    input: { cmd: command, yield_time_ms: 120_000 },
  }),
  // Its rules are about the beginnings of commands.
  forbiddenEdit: (file) => ({ kind: 'call', tool: 'exec_command', input: { cmd: `touch ${file}` } }),
  tells: { costUsd: false, tokens: true, session: true },
};
