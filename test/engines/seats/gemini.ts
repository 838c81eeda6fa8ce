import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Seat } from '../seat.ts';

export const gemini: Seat = {
  engine: 'gemini',
  protocol: 'gemini',
  prepare: ({ home, url, login, forbidden }) => {
    const folder = path.join(home, '.gemini');
    mkdirSync(folder, { recursive: true });
    writeFileSync(
      path.join(folder, 'settings.json'),
      JSON.stringify({
        // Named, because it would ask a model which one to take.
        model: { name: 'gemini-2.5-flash' },
        privacy: { usageStatisticsEnabled: false },
        telemetry: { enabled: false },
        ...(forbidden && { tools: { exclude: ['write_file', 'replace'] } }),
        general: { enableAutoUpdate: false, enableAutoUpdateNotification: false, maxAttempts: 2 },
        ...(login && { security: { auth: { selectedType: 'gemini-api-key' } } }),
      }),
    );
    return {
      env: { GOOGLE_GEMINI_BASE_URL: url, ...(login && { GEMINI_API_KEY: 'stub-0123456789' }) },
    };
  },
  edit: (file, content) => ({ kind: 'call', tool: 'write_file', input: { file_path: file, content } }),
  shell: (command) => ({ kind: 'call', tool: 'run_shell_command', input: { command } }),
  tells: { costUsd: false, tokens: true, session: true },
};
