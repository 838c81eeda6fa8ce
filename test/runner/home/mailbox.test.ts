import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { messageOf } from '../../../src/platform/errors.ts';
import type { Command } from '../../../src/runner/board.ts';
import { Layout } from '../../../src/runner/home/layout.ts';
import { Mailbox } from '../../../src/runner/home/mailbox.ts';
import { fullDisk } from '../support/full-disk.ts';
import { removeScratch, scratchHome } from '../support/scratch.ts';

describe('the mailbox', () => {
  let asker: Mailbox;
  let runner: Mailbox;
  beforeEach(() => {
    const layout = new Layout(scratchHome());
    mkdirSync(layout.commands, { recursive: true });
    [asker, runner] = [new Mailbox(layout), new Mailbox(layout)];
  });
  afterEach(removeScratch);

  const never = () => Promise.reject(new Error('there is room'));
  const command: Command = { verb: 'sendBack', id: 'a', text: 'again, please' };

  it('brings a request over and its answer back, and is empty then', async () => {
    const ticket = await asker.post(command);
    assert.equal(await asker.collect(ticket), undefined);
    const asked: Command[] = [];
    await runner.takeAll(async (each) => {
      asked.push(each);
      return { ok: false, code: 'x', message: 'No.', action: 'Wait.' };
    }, never);
    assert.deepEqual(asked, [command]);
    assert.deepEqual(await asker.collect(ticket), { ok: false, code: 'x', message: 'No.', action: 'Wait.' });
    await asker.post({ fleet: 'release', id: 'a' });
    await asker.post({ fleet: 'drain' });
    const ofFleet: Command[] = [];
    await runner.takeAll(async (each) => {
      ofFleet.push(each);
      return { ok: true, message: '' };
    }, never);
    assert.deepEqual(
      new Set(ofFleet.map((each) => 'fleet' in each && each.fleet)),
      new Set(['drain', 'release']),
    );
    assert.ok(!readdirSync(asker.directory).some((name) => name.includes('request')));
  });

  it('a request is carried out once, however many look', async () => {
    await asker.post(command);
    let times = 0;
    const carryOut = async () => {
      times += 1;
      return { ok: true, message: '' };
    };
    await Promise.all([
      runner.takeAll(carryOut, never),
      runner.takeAll(carryOut, never),
      runner.takeAll(carryOut, never),
    ]);
    assert.equal(times, 1);
  });

  it('an answer that a full disk does not take is given when there is room, and nothing is done twice', async () => {
    const ticket = await asker.post(command);
    let times = 0;
    const carryOut = async () => {
      times += 1;
      return { ok: true, message: 'Done.' };
    };
    {
      using disk = fullDisk('.answer.json');
      const pauses: string[] = [];
      const pause = async (trouble: unknown) => {
        pauses.push(messageOf(trouble));
        if (pauses.length === 3) disk[Symbol.dispose]();
        return true;
      };
      await runner.takeAll(carryOut, pause);
      assert.equal(pauses.length, 3);
      assert.match(pauses[0] ?? '', /ENOSPC/);
    }
    assert.deepEqual(await asker.collect(ticket), { ok: true, message: 'Done.' });
    assert.equal(times, 1);
    assert.deepEqual(readdirSync(asker.directory), []);
  });

  it('an answer that a runner cannot give before it stops is the next one’s to give', async () => {
    const ticket = await asker.post(command);
    {
      using _disk = fullDisk('.answer.json');
      const stops = () => Promise.resolve(false);
      await assert.rejects(
        runner.takeAll(() => Promise.resolve({ ok: true, message: '' }), stops),
        {
          code: 'ENOSPC',
        },
      );
    }
    await runner.answerAbandoned({ ok: false, code: 'runner-gone', message: 'Look.' });
    assert.equal((await asker.collect(ticket))?.code, 'runner-gone');
  });

  it('a request can be taken back until it is taken up', async () => {
    const ticket = await asker.post(command);
    assert.equal(await asker.withdraw(ticket), true);
    assert.equal(await asker.withdraw(ticket), false);
    await runner.takeAll(() => Promise.reject(new Error('there is nothing')), never);
  });

  it('what is no request is answered so, and nothing is done', async () => {
    for (const [name, text] of [
      ['one', 'garbage'],
      ['two', '{"verb":"erase","id":"a"}'],
      ['three', '{"verb":"run"}'],
      ['four', ''],
    ] as const) {
      writeFileSync(path.join(asker.directory, `${name}.request.json`), text);
      await runner.takeAll(() => Promise.reject(new Error('carried out')), never);
      assert.equal((await asker.collect(name))?.code, 'bad-request', name);
    }
  });

  it('other files are left alone', async () => {
    writeFileSync(path.join(asker.directory, 'notes.txt'), 'mine');
    mkdirSync(path.join(asker.directory, 'folder.request.json'));
    await runner.takeAll(() => Promise.reject(new Error('carried out')), never);
    assert.deepEqual(readdirSync(asker.directory).sort(), ['folder.request.json', 'notes.txt']);
  });
});
