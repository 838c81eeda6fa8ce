import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { readResults } from '../support/results.ts';

describe('the results of a suite', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'aq-results-test-'));
  });
  after(() => rm(folder, { recursive: true }));

  const read = async (content: object | undefined, exitCode: number | undefined) => {
    const file = path.join(folder, 'results.json');
    await rm(file, { force: true });
    if (content !== undefined) await writeFile(file, JSON.stringify(content));
    return readResults(file, exitCode);
  };

  it('are what the file says', async () => {
    const counts = { passed: 3, failed: 2, skipped: 1 };
    assert.deepEqual(await read(counts, 2), counts);
    assert.deepEqual(await read({ ...counts, failed: 0 }, 0), { ...counts, failed: 0 });
  });

  it('are a failure without a file, as when the extension host dies with exit code 0', async () => {
    assert.deepEqual(await read(undefined, 0), { passed: 0, failed: 1, skipped: 0 });
  });

  it('are a failure when no test ran', async () => {
    assert.deepEqual(await read({ passed: 0, failed: 0, skipped: 4 }, 0), {
      passed: 0,
      failed: 1,
      skipped: 4,
    });
  });

  it('are a failure when only the exit code tells of one, or the time limit ended the run', async () => {
    const counts = { passed: 3, failed: 0, skipped: 0 };
    assert.deepEqual(await read(counts, 1), { ...counts, failed: 1 });
    assert.deepEqual(await read(counts, undefined), { ...counts, failed: 1 });
  });
});
