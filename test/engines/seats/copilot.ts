import type { Seat } from '../seat.ts';

export const copilot: Seat = {
  engine: 'copilot',
  protocol: 'chat',
  prepare: ({ url, login, forbidden }) => ({
    // It has such rules only as flags.
    ...(forbidden && { entry: { yoloArgs: ['--yolo', '--deny-tool=write'] } }),
    env: {
      // Offline it would not look for a login.
      ...(login && {
        COPILOT_OFFLINE: 'true',
        COPILOT_PROVIDER_BASE_URL: `${url}/v1`,
        COPILOT_PROVIDER_API_KEY: 'sk-stub-0123456789',
        COPILOT_MODEL: 'stub',
        // Room for the longest prompt that a job may have.
        COPILOT_PROVIDER_MAX_PROMPT_TOKENS: '2000000',
      }),
    },
  }),
  edit: (file, content) => ({ kind: 'call', tool: 'create', input: { path: file, file_text: content } }),
  shell: (command) => ({
    kind: 'call',
    tool: 'bash',
    input: { command, description: 'Does as asked', mode: 'sync', initial_wait: 120 },
  }),
  // It asks five times again, in 57 s by its own account.
  givesUpAfter: { '500': '150s', 'cut stream': '150s' },
  tells: { costUsd: false, tokens: false, session: true },
};
