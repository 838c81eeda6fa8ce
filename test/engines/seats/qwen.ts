import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Seat } from '../seat.ts';

const RETRIES =
  'it goes on asking by itself for longer than the job may take, and says nothing of it: the time limit tells';

export const qwen: Seat = {
  engine: 'qwen',
  protocol: 'chat',
  prepare: ({ home, url, login, forbidden }) => {
    const folder = path.join(home, '.qwen');
    mkdirSync(folder, { recursive: true });
    writeFileSync(
      path.join(folder, 'settings.json'),
      JSON.stringify({
        privacy: { usageStatisticsEnabled: false },
        telemetry: { enabled: false },
        ...(forbidden && { permissions: { deny: ['write_file', 'edit'] } }),
        general: { enableAutoUpdate: false, disableAutoUpdate: true, disableUpdateNag: true },
        memory: { enableManagedAutoMemory: false, enableManagedAutoDream: false },
        model: { generationConfig: { maxRetries: 1, timeout: 60_000, contextWindowSize: 2_000_000 } },
        ...(login && { security: { auth: { selectedType: 'openai' } } }),
      }),
    );
    return {
      env: {
        ...(login && {
          OPENAI_API_KEY: 'sk-stub-0123456789',
          OPENAI_BASE_URL: `${url}/v1`,
          OPENAI_MODEL: 'stub',
        }),
      },
    };
  },
  edit: (file, content) => ({ kind: 'call', tool: 'write_file', input: { file_path: file, content } }),
  shell: (command) => ({ kind: 'call', tool: 'run_shell_command', input: { command, is_background: false } }),
  patience: { '429': RETRIES, '500': RETRIES },
  givesUpAfter: { garbage: '120s', 'cut stream': '120s' },
  tells: { costUsd: false, tokens: true, session: true },
};
