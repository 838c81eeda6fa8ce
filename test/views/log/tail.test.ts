import assert from 'node:assert/strict';
import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { LogTail, TAIL_BYTES } from '../../../src/views/log/tail.ts';

describe('tail of a log', () => {
  let folder: string;
  let file: string;

  beforeEach(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'aq-tail-'));
    file = path.join(folder, 'engine.log');
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('is empty while there is no file, and has what comes piece by piece', async () => {
    const tail = new LogTail(file);
    assert.equal(await tail.read(), false);
    await writeFile(file, 'one\n');
    assert.equal(await tail.read(), true);
    await appendFile(file, 'two\n');
    assert.equal(await tail.read(), true);
    assert.equal(await tail.read(), false);
    assert.equal(tail.text, 'one\ntwo\n');
  });

  it('holds half a character back until the rest has come, and drops control sequences', async () => {
    const tail = new LogTail(file);
    const [lead = 0, ...rest] = Buffer.from('ü');
    await writeFile(file, Buffer.from([0x61, lead]));
    await tail.read();
    assert.equal(tail.text, 'a');
    await appendFile(file, Buffer.from(rest));
    await appendFile(file, '\u001B[31mred\u001B[0m');
    await tail.read();
    assert.equal(tail.text, 'aüred');
  });

  it('reads only the end of a large file, from the start of a line', async () => {
    const line = `${'x'.repeat(99)}\n`;
    await writeFile(file, line.repeat(30_000));
    const tail = new LogTail(file);
    await tail.read();
    assert.ok(tail.text.startsWith(line));
    assert.ok(tail.text.length <= TAIL_BYTES && tail.text.length > TAIL_BYTES - 200);
    assert.equal(tail.skipped + Buffer.byteLength(tail.text), 3_000_000);
  });

  it('stays within its bounds while the file grows, and loses no line at the end', async () => {
    const tail = new LogTail(file);
    const piece = 'y'.repeat(99_999);
    await writeFile(file, '');
    for (let n = 0; n < 30; n += 1) {
      await appendFile(file, `${piece}\nline ${n}\n`);
      await tail.read();
    }
    assert.ok(tail.text.length <= TAIL_BYTES * 1.25);
    assert.ok(tail.text.endsWith(`${piece}\nline 29\n`));
    assert.match(tail.text, /^(?:y+|line \d+)\n/);
  });

  it('has everything once, however many ask at the same time', async () => {
    const tail = new LogTail(file);
    await writeFile(file, 'one\n');
    const first = Promise.all([tail.read(), tail.read()]);
    await appendFile(file, 'two\n');
    await Promise.all([first, tail.read(), tail.read()]);
    assert.equal(tail.text, 'one\ntwo\n');
  });

  it('begins anew when the file has become shorter', async () => {
    const tail = new LogTail(file);
    await writeFile(file, 'a long first attempt\n');
    await tail.read();
    await writeFile(file, 'second\n');
    await tail.read();
    assert.equal(tail.text, 'second\n');
  });
});
