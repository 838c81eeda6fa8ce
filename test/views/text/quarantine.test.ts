import assert from 'node:assert/strict';
import type { QuarantineEntry } from '../../../src/runner/quarantine/entries.ts';
import { entryRow, fileRow } from '../../../src/views/text/quarantine.ts';
import { t } from '../english.ts';

const NOW = 1_700_000_000_000;
const entry = (more: Partial<QuarantineEntry> = {}): QuarantineEntry => ({
  version: 1,
  id: 'job-1-e1',
  title: 'Teach manners',
  at: NOW - 5 * 60_000,
  addedAt: NOW - 600_000,
  reason: { code: 'fenced', text: 'The epoch is stale.' },
  prompt: '/h/quarantine/job-1-e1.md',
  epoch: 1,
  ...more,
});

describe('rows of the quarantine', () => {
  it('say who has the job now and in which stage, with our epoch and the current one', () => {
    const row = entryRow(
      entry({ stale: { currentEpoch: 2, holder: 'mac-studio', stage: 'review' } }),
      NOW,
      t,
    );
    assert.equal(
      `${row.label}: ${row.description}`,
      'Teach manners: 5 min · mac-studio: review · epoch 1 → 2',
    );
    assert.match(row.context, /^quarantine open$/);
  });

  it('say why in plain words, where those are known, else by the reason', () => {
    assert.match(entryRow(entry(), NOW, t).tooltip, /^The epoch is stale\./);
    const why = 'This laptop slept for 2 h 10 min; mac-studio took the job at 14:06.';
    assert.match(entryRow(entry({ why }), NOW, t).tooltip, /^This laptop slept for 2 h 10 min/);
  });

  it('tell files by what became of them', () => {
    const file = {
      path: 'a.txt',
      status: 'renamed',
      oldPath: 'b.txt',
      binary: true,
      submodule: false,
    } as const;
    assert.equal(fileRow(file, t).description, 'renamed from b.txt · binary');
    const statuses = ['added', 'modified', 'deleted', 'type-changed'] as const;
    const said = statuses.map(
      (status) => fileRow({ path: 'a', status, binary: false, submodule: false }, t).description,
    );
    assert.deepEqual(said, ['added', 'modified', 'deleted', 'kind changed']);
  });
});
