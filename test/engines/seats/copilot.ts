import type { Seat } from '../seat.ts';

export const copilot: Seat = {
  engine: 'copilot',
  protocol: 'chat',
  prepare: ({ url, login }) => ({
    env: {
      COPILOT_OFFLINE: 'true',
      ...(login && {
        COPILOT_PROVIDER_BASE_URL: `${url}/v1`,
        COPILOT_PROVIDER_API_KEY: 'sk-stub-0123456789',
        COPILOT_MODEL: 'gpt-4.1',
      }),
    },
  }),
  edit: (file, content) => ({ kind: 'call', tool: 'create', input: { path: file, file_text: content } }),
  shell: (command) => ({
    kind: 'call',
    tool: 'bash',
    input: { command, description: 'Does as asked', mode: 'sync', initial_wait: 120 },
  }),
  tells: { costUsd: false, tokens: false, session: true },
};
