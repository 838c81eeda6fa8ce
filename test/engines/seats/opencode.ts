import type { Seat } from '../seat.ts';

const RETRIES =
  'it goes on asking by itself for longer than the job may take, and says nothing of it: the time limit tells';

export const opencode: Seat = {
  engine: 'opencode',
  protocol: 'chat',
  prepare: ({ url, login, forbidden }) => ({
    env: {
      OPENCODE_CONFIG_CONTENT: JSON.stringify({
        autoupdate: false,
        ...(forbidden && { permission: { edit: 'deny' } }),
        share: 'disabled',
        model: 'stub/stub',
        small_model: 'stub/stub',
        provider: {
          stub: {
            npm: '@ai-sdk/openai-compatible',
            name: 'Stub',
            options: { baseURL: `${url}/v1`, ...(login && { apiKey: 'sk-stub-0123456789' }) },
            models: {
              stub: {
                name: 'Stub',
                limit: { context: 2_000_000, output: 8000 },
                cost: { input: 1, output: 2 },
              },
            },
          },
        },
      }),
      OPENCODE_DISABLE_AUTOUPDATE: '1',
      OPENCODE_DISABLE_MODELS_FETCH: '1',
      OPENCODE_DISABLE_LSP_DOWNLOAD: '1',
      OPENCODE_DISABLE_DEFAULT_PLUGINS: '1',
    },
  }),
  edit: (file, content) => ({ kind: 'call', tool: 'write', input: { filePath: file, content } }),
  shell: (command) => ({ kind: 'call', tool: 'bash', input: { command, description: 'Does as asked' } }),
  firstAlone:
    'one job goes first: two that make its database at the same time may end with “Unexpected error”',
  patience: { '429': RETRIES, '500': RETRIES, garbage: RETRIES, 'cut stream': RETRIES },
  tells: { costUsd: true, tokens: true, session: true },
};
