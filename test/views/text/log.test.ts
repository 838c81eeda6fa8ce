import assert from 'node:assert/strict';
import { bytes, logText } from '../../../src/views/text/log.ts';
import { t } from '../english.ts';

describe('log', () => {
  it('says how much is left out and where the whole is', () => {
    const shown = logText({ text: 'last line\n', skipped: 3_565_158, address: 'file:///h/engine.log' }, t);
    assert.equal(shown, '[The first 3.4 MiB are left out. The whole log: file:///h/engine.log]\nlast line\n');
    assert.equal(
      logText({ text: '', skipped: 0, address: 'file:///x' }, t),
      '[Nothing has been written yet.]',
    );
    assert.deepEqual([640, 12_288].map(bytes), ['640 B', '12 KiB']);
  });
});
