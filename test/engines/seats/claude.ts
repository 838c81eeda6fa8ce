import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Seat } from '../seat.ts';

export const claude: Seat = {
  engine: 'claude',
  protocol: 'anthropic',
  prepare: ({ home, url, login, forbidden }) => {
    const folder = path.join(home, '.claude');
    mkdirSync(folder);
    const permissions = { deny: forbidden ? ['Write', 'Edit'] : [] };
    writeFileSync(path.join(folder, 'settings.json'), JSON.stringify({ permissions }));
    return {
      env: {
        ANTHROPIC_BASE_URL: url,
        ...(login && { ANTHROPIC_API_KEY: 'sk-ant-stub-0123456789' }),
        // Root may let it act without asking only in a container, and says so by this (the scenario "as root" does not).
        IS_SANDBOX: '1',
      },
      setEnv: {
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
        DISABLE_AUTOUPDATER: '1',
        DISABLE_TELEMETRY: '1',
        CLAUDE_CODE_MAX_RETRIES: '1',
      },
    };
  },
  edit: (file, content) => ({ kind: 'call', tool: 'Write', input: { file_path: file, content } }),
  shell: (command) => ({ kind: 'call', tool: 'Bash', input: { command, description: 'Does as asked' } }),
  subscription: { ANTHROPIC_API_KEY: '', CLAUDE_CODE_OAUTH_TOKEN: 'sk-ant-oat01-stub-0123456789' },
  tells: { costUsd: true, tokens: true, session: true },
};
