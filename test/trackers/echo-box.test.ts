import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { EchoBox } from '../../src/trackers/echo-box.ts';
import type { Stage } from '../../src/trackers/words.ts';
import { removeScratch, scratchFolder } from '../runner/support/scratch.ts';

const about = (id: string, stage: Stage) => ({
  id,
  run: 2,
  issue: 'https://github.com/acme/app/issues/7',
  at: 5,
  steps: [{ stage, reason: 'login' }],
});

describe('the box of comments', () => {
  let file: string;
  beforeEach(() => {
    file = path.join(scratchFolder(), 'outbox', 'tracker.json');
  });
  afterEach(removeScratch);

  it('keeps them on disk, for nobody else to read', async () => {
    const box = new EchoBox(file);
    await Promise.all([box.add(about('a', 'blocked')), box.add(about('b', 'blocked'))]);
    const { mark = '' } = box.waiting[0] ?? {};
    assert.equal((await box.tried(mark, 9))?.triedAt, 9);
    if (process.platform !== 'win32') assert.equal(statSync(file).mode & 0o777, 0o600);
    const again = new EchoBox(file);
    assert.equal(await again.load(), undefined);
    assert.deepEqual(again.waiting, box.waiting);
    assert.equal(new Set(again.waiting.map((each) => each.mark)).size, 2);
    await again.remove(new Set([mark]));
    const last = new EchoBox(file);
    await last.load();
    assert.deepEqual(
      last.waiting.map(({ id }) => id),
      ['b'],
    );
    assert.deepEqual(readdirSync(path.dirname(file)), ['tracker.json']);
  });

  it('adds nothing to one that is on its way', async () => {
    const box = new EchoBox(file);
    await box.add(about('a', 'building'));
    const sending = box.tried(box.waiting[0]?.mark ?? '', 9);
    const adding = box.add(about('a', 'review'));
    assert.equal((await sending)?.steps.length, 1);
    await adding;
    assert.equal(box.waiting.length, 2);
    await box.untried(box.waiting[0]?.mark ?? '');
    assert.deepEqual([box.waiting.length, box.waiting[0]?.steps.length], [1, 2]);
  });

  it('tells how many made way', async () => {
    mkdirSync(path.dirname(file));
    const waiting = Array.from({ length: 500 }, (_, n) => ({
      ...about(`job-${n}`, 'failed'),
      mark: `m${n}`,
    }));
    writeFileSync(file, JSON.stringify({ version: 1, waiting }));
    const box = new EchoBox(file);
    assert.equal(await box.add(about('job-499', 'failed')), 0);
    assert.equal(await box.add(about('one-more', 'failed')), 1);
    assert.equal(box.waiting[0]?.id, 'job-1');
  });

  for (const garbage of [
    '',
    'half of {',
    '[]',
    '{"version":2,"waiting":[]}',
    '{"version":1,"waiting":[{}]}',
  ]) {
    it(`sets aside what it cannot read: ${JSON.stringify(garbage)}`, async () => {
      mkdirSync(path.dirname(file));
      const seen: string[] = [];
      for (let n = 0; n < 2; n += 1) {
        writeFileSync(file, garbage);
        const box = new EchoBox(file);
        seen.push((await box.load()) ?? 'none');
        await box.add(about('a', 'building'));
        const again = new EchoBox(file);
        assert.equal(await again.load(), undefined);
        assert.equal(again.waiting.length, 1);
      }
      for (const aside of seen) assert.equal(readFileSync(aside, 'utf8'), garbage);
      assert.equal(new Set(seen).size, 2);
    });
  }

  it('does not write over what the disk would not let it read', async () => {
    mkdirSync(file, { recursive: true });
    const box = new EchoBox(file);
    await assert.rejects(box.load(), { code: 'EISDIR' });
    await assert.rejects(box.add(about('a', 'building')), { code: 'EISDIR' });
    rmSync(file, { recursive: true });
    assert.equal(await box.load(), undefined);
    await box.add(about('a', 'building'));
    assert.equal(box.waiting.length, 1);
  });
});
