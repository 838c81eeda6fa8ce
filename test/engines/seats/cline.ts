import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Seat } from '../seat.ts';

export const cline: Seat = {
  engine: 'cline',
  protocol: 'chat',
  prepare: ({ home, url, login }) => {
    const folder = path.join(home, '.cline', 'data', 'settings');
    mkdirSync(folder, { recursive: true });
    // Without any provider it would ask its maker's own service.
    const settings = {
      provider: 'openai-compatible',
      ...(login && { apiKey: 'sk-stub-0123456789' }),
      model: 'stub',
      baseUrl: `${url}/v1`,
    };
    writeFileSync(
      path.join(folder, 'providers.json'),
      JSON.stringify({
        version: 1,
        lastUsedProvider: 'openai-compatible',
        modes: {},
        providers: {
          'openai-compatible': { settings, updatedAt: '2026-01-01T00:00:00.000Z', tokenSource: 'manual' },
        },
      }),
    );
    return {
      env: {},
      setEnv: { CLINE_NO_AUTO_UPDATE: '1' },
    };
  },
  edit: (file, content) => ({
    kind: 'call',
    tool: 'editor',
    input: { path: file, new_text: content },
  }),
  shell: (command) => ({ kind: 'call', tool: 'run_commands', input: { commands: [command] } }),
  // It asks five times again, 2, 4, 8, 16 and 32 s apart.
  givesUpAfter: { '429': '150s', '500': '150s' },
  impossible: { 'own rules': 'its configuration has no rules by which a person could forbid a tool' },
  tells: { costUsd: false, tokens: true, session: false },
};
