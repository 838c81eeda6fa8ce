import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { DAY } from '../../../src/platform/clock.ts';
import { installSupervisor } from '../../../src/runner/supervisor/install.ts';
import { makeScratch, type Scratch } from './support.ts';

describe('installSupervisor', () => {
  let scratch: Scratch;
  let source: string;
  let home: string;
  beforeEach(async () => {
    scratch = await makeScratch();
    source = path.join(scratch.dir, 'source.mjs');
    home = path.join(scratch.dir, 'my home');
    await writeFile(source, 'one');
  });
  afterEach(() => scratch.remove());

  it('copies each content once, under its own name', async () => {
    const one = await installSupervisor(home, source);
    assert.match(one, /my home\/bin\/supervisor-[0-9a-f]{16}\.mjs$/);
    const { ino } = await stat(one);
    assert.equal(await installSupervisor(home, source), one);
    assert.equal((await stat(one)).ino, ino);
    await writeFile(source, 'two');
    const two = await installSupervisor(home, source);
    assert.deepEqual([await readFile(one, 'utf8'), await readFile(two, 'utf8')], ['one', 'two']);
  });

  it('mends a copy that was tampered with', async () => {
    const file = await installSupervisor(home, source);
    await writeFile(file, 'evil');
    await installSupervisor(home, source);
    assert.equal(await readFile(file, 'utf8'), 'one');
  });

  it('removes copies that were not installed for a month, and nothing else', async () => {
    const old = await installSupervisor(home, source);
    await mkdir(path.join(home, 'bin', 'mine'));
    await writeFile(path.join(home, 'bin', 'supervisor-notes.txt'), '');
    const longAgo = (Date.now() - 31 * DAY) / 1000;
    await utimes(old, longAgo, longAgo);
    await writeFile(source, 'two');
    const current = await installSupervisor(home, source);
    assert.deepEqual(
      (await readdir(path.join(home, 'bin'))).sort(),
      ['mine', path.basename(current), 'supervisor-notes.txt'].sort(),
    );
  });
});
