import assert from 'node:assert/strict';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { Layout } from '../../src/runner/home/layout.ts';
import { effectiveSettings, readSharedSettings, writeSharedSettings } from '../../src/runner/settings.ts';
import { removeScratch, scratchHome } from './support/scratch.ts';

describe('settings', () => {
  afterEach(removeScratch);

  it('an explicit one wins over the environment, and that over the default', () => {
    const env = { AQ_MAX_PARALLEL: '7', AQ_ENGINE: 'codex' };
    const fixed = { repositories: [], quarantineDays: 30 };
    assert.deepEqual(effectiveSettings({}, {}), { maxParallel: 2, ...fixed });
    assert.deepEqual(effectiveSettings({}, env), { maxParallel: 7, ...fixed, engine: 'codex' });
    assert.deepEqual(effectiveSettings({ maxParallel: 3, engine: 'claude', repositories: ['/r'] }, env), {
      maxParallel: 3,
      repositories: ['/r'],
      quarantineDays: 30,
      engine: 'claude',
    });
    const days = { AQ_QUARANTINE_DAYS: '0' };
    assert.equal(effectiveSettings({}, days).quarantineDays, 0);
    assert.equal(effectiveSettings({ quarantineDays: 7 }, days).quarantineDays, 7);
  });

  it('a ceiling is a number above zero, from the settings, else the environment; anything else is none', () => {
    const env = {
      AQ_BUDGET_PER_JOB_USD: '2.5',
      AQ_BUDGET_PER_DAY_USD: '10',
      AQ_BUDGET_PER_DAY_TOKENS: 'many',
    };
    assert.deepEqual(effectiveSettings({}, env).budget, { perJobUsd: 2.5, perDayUsd: 10 });
    assert.deepEqual(
      effectiveSettings({ budget: { perDayUsd: 3, perJobUsd: 0, perJobTokens: 7 } }, env).budget,
      {
        perJobUsd: 2.5,
        perJobTokens: 7,
        perDayUsd: 3,
      },
    );
    for (const value of ['0', '-1', '', ' ', 'Infinity', '1,5']) {
      assert.equal(effectiveSettings({}, { AQ_BUDGET_PER_DAY_USD: value }).budget, undefined, value);
    }
  });

  it('an environment that makes no sense counts as not set', () => {
    for (const value of ['0', '-1', '1.5', 'many', ' ']) {
      assert.equal(effectiveSettings({}, { AQ_MAX_PARALLEL: value }).maxParallel, 2, value);
    }
    for (const value of ['-1', '1.5', 'many', ' '])
      assert.equal(effectiveSettings({}, { AQ_QUARANTINE_DAYS: value }).quarantineDays, 30, value);
    assert.equal(effectiveSettings({}, { AQ_ENGINE: '' }).engine, undefined);
  });

  it('are found again in the home, private to the person', async () => {
    const layout = home();
    const explicit = {
      maxParallel: 4,
      engine: 'mine',
      engines: { mine: { executable: 'x' } },
      repositories: ['~/code'],
      budget: { perJobUsd: 0.5, perJobTokens: 1, perDayUsd: 5, perDayTokens: 2 },
    };
    await writeSharedSettings(layout, explicit);
    assert.deepEqual(await readSharedSettings(layout), explicit);
    if (process.platform !== 'win32') assert.equal(statSync(layout.config).mode & 0o777, 0o600);
  });

  it('are not written again when nothing has changed', async () => {
    const layout = home();
    await writeSharedSettings(layout, { maxParallel: 4 });
    const { ino } = statSync(layout.config);
    await writeSharedSettings(layout, { maxParallel: 4 });
    assert.equal(statSync(layout.config).ino, ino);
  });

  it('a file that cannot be read counts as nothing set', async () => {
    const layout = home();
    assert.deepEqual(await readSharedSettings(layout), {});
    for (const text of ['', '{"maxParallel": ', '[]', '{"maxParallel": "two"}']) {
      writeFileSync(layout.config, text);
      assert.deepEqual(await readSharedSettings(layout), {}, text);
    }
  });
});

function home(): Layout {
  const layout = new Layout(scratchHome());
  mkdirSync(layout.root);
  return layout;
}
