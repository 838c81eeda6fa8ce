import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Command } from '../../../src/runner/board.ts';
import { Layout } from '../../../src/runner/home/layout.ts';
import { Mailbox } from '../../../src/runner/home/mailbox.ts';
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

  const command: Command = { verb: 'sendBack', id: 'a', text: 'again, please' };

  it('brings a request over and its answer back, and is empty then', async () => {
    const ticket = await asker.post(command);
    assert.equal(await asker.collect(ticket), undefined);
    const asked: Command[] = [];
    await runner.takeAll(async (each) => {
      asked.push(each);
      return { ok: false, code: 'x', message: 'No.', action: 'Wait.' };
    });
    assert.deepEqual(asked, [command]);
    assert.deepEqual(await asker.collect(ticket), { ok: false, code: 'x', message: 'No.', action: 'Wait.' });
    await asker.post({ fleet: 'release', id: 'a' });
    await asker.post({ fleet: 'drain' });
    const ofFleet: Command[] = [];
    await runner.takeAll(async (each) => {
      ofFleet.push(each);
      return { ok: true, message: '' };
    });
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
    await Promise.all([runner.takeAll(carryOut), runner.takeAll(carryOut), runner.takeAll(carryOut)]);
    assert.equal(times, 1);
  });

  it('a request can be taken back until it is taken up', async () => {
    const ticket = await asker.post(command);
    assert.equal(await asker.withdraw(ticket), true);
    assert.equal(await asker.withdraw(ticket), false);
    await runner.takeAll(() => Promise.reject(new Error('there is nothing')));
  });

  it('what is no request is answered so, and nothing is done', async () => {
    for (const [name, text] of [
      ['one', 'garbage'],
      ['two', '{"verb":"erase","id":"a"}'],
      ['three', '{"verb":"run"}'],
      ['four', ''],
    ] as const) {
      writeFileSync(path.join(asker.directory, `${name}.request.json`), text);
      await runner.takeAll(() => Promise.reject(new Error('carried out')));
      assert.equal((await asker.collect(name))?.code, 'bad-request', name);
    }
  });

  it('other files are left alone', async () => {
    writeFileSync(path.join(asker.directory, 'notes.txt'), 'mine');
    mkdirSync(path.join(asker.directory, 'folder.request.json'));
    await runner.takeAll(() => Promise.reject(new Error('carried out')));
    assert.deepEqual(readdirSync(asker.directory).sort(), ['folder.request.json', 'notes.txt']);
  });
});
