import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { linuxBattery, macBattery, shortagesOf } from '../../src/runner/shortages.ts';
import { removeScratch, scratchFolder } from './support/scratch.ts';

describe('what a laptop is short of', () => {
  after(removeScratch);

  it('is said in words', () => {
    assert.deepEqual(shortagesOf(300 * 1024 ** 2, { percent: 12, isDischarging: true }), [
      'the disk has only 300 MB left',
      'the battery is at 12 %',
    ]);
  });

  it('is nothing while there is enough, while the battery is charged, and where nobody tells', () => {
    assert.deepEqual(shortagesOf(2 * 1024 ** 3, { percent: 21, isDischarging: true }), []);
    assert.deepEqual(shortagesOf(undefined, { percent: 5, isDischarging: false }), []);
    assert.deepEqual(shortagesOf(undefined, undefined), []);
  });

  it('is read from the kernel: the laptop’s battery, not a mouse’s', async () => {
    const supplies = scratchFolder();
    const supply = (name: string, facts: Record<string, string>) => {
      mkdirSync(path.join(supplies, name));
      for (const [fact, value] of Object.entries(facts))
        writeFileSync(path.join(supplies, name, fact), `${value}\n`);
    };
    supply('AC', { type: 'Mains', online: '0' });
    supply('hidpp_battery_0', { type: 'Battery', scope: 'Device', capacity: '5', status: 'Discharging' });
    assert.equal(await linuxBattery(supplies), undefined);
    supply('BAT0', { type: 'Battery', capacity: '64', status: 'Discharging' });
    assert.deepEqual(await linuxBattery(supplies), { percent: 64, isDischarging: true });
  });

  it('is read from what macOS says', () => {
    const said = (text: string) =>
      macBattery(`Now drawing from 'Battery Power'\n -InternalBattery-0 (id=1)\t${text}`);
    assert.deepEqual(said('18%; discharging; 0:40 remaining present: true'), {
      percent: 18,
      isDischarging: true,
    });
    assert.deepEqual(said('80%; AC attached; not charging present: true'), {
      percent: 80,
      isDischarging: false,
    });
    assert.equal(macBattery("Now drawing from 'AC Power'"), undefined);
  });
});
